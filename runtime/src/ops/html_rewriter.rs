//! HTMLRewriter: a rewriter in the resource table, driven step by step by
//! js/html_rewriter.js.

use std::borrow::Cow;
use std::cell::RefCell;
use std::rc::Rc;

use deno_core::convert::Uint8Array;
use deno_core::{OpState, Resource, ResourceId, op2};
use deno_error::JsErrorBox;
use encoding_rs::Encoding;
use lol_html::AsciiCompatibleEncoding;

use super::Shared;
use crate::event::EventId;
use crate::rewriter::{
    Edit, Field, Flag, Kind, Listener, Place, Reply, RewriteError, Rewriter, Rewriters, Step,
    TokenOp, content_type, selector,
};

struct RewriterResource {
    rewriter: RefCell<Rewriter>,
    event: EventId,
}

impl Resource for RewriterResource {
    fn name(&self) -> Cow<'_, str> {
        "htmlRewriter".into()
    }
}

/// As Workers word what the parser refuses.
fn refused(message: impl std::fmt::Display) -> JsErrorBox {
    JsErrorBox::type_error(format!("Parser error: {message}"))
}

impl From<RewriteError> for JsErrorBox {
    fn from(error: RewriteError) -> Self {
        refused(error)
    }
}

/// Throws what is wrong with a selector.
#[op2(fast)]
pub(crate) fn op_rewriter_selector(#[string] text: &str) -> Result<(), JsErrorBox> {
    Ok(selector::parse(text).map(drop)?)
}

/// Opens a rewriter. `selectors` and `handlers` are as long as one another: an
/// empty selector is the document, and a bit of `handlers` is a handler that is
/// there, element 1, comments 2, text 4, doctype 8, end 16; its number is eight
/// times its place plus that of the bit.
#[op2]
#[smi]
pub(crate) fn op_rewriter_open(
    state: &mut OpState,
    #[smi] event: EventId,
    #[string] charset: String,
    #[serde] selectors: Vec<Option<String>>,
    #[serde] handlers: Vec<u32>,
) -> Result<ResourceId, JsErrorBox> {
    let encoding = Encoding::for_label_no_replacement(charset.as_bytes())
        .ok_or_else(|| refused("Unknown character encoding has been provided."))?;
    let encoding = AsciiCompatibleEncoding::new(encoding)
        .ok_or_else(|| refused("Expected ASCII-compatible encoding."))?;
    let mut listeners = Vec::with_capacity(selectors.len());
    for ((text, bits), place) in selectors.iter().zip(handlers).zip(0u32..) {
        let number = |bit: u32| (bits & (1 << bit) != 0).then_some(place * 8 + bit);
        listeners.push(Listener {
            selector: text.as_deref().map(selector::parse).transpose()?,
            element: number(0),
            comments: number(1),
            text: number(2),
            doctype: number(3),
            end: number(4),
        });
    }
    if !state.has::<Rc<Rewriters>>() {
        state.put(Rc::<Rewriters>::default());
    }
    let shared = state.borrow::<Rc<Rewriters>>().clone();
    let rewriter = Rewriter::new(shared, listeners, encoding)?;
    let rid = state.resource_table.add(RewriterResource {
        rewriter: RefCell::new(rewriter),
        event,
    });
    if let Some(event) = state.borrow::<Rc<Shared>>().events.get(event) {
        event.own(rid);
    }
    Ok(rid)
}

/// A step as a small integer: 0 wants input, 1 done, else the kind of what is
/// waited for in the low four bits and its number above.
fn step_number(step: Step) -> i32 {
    let (kind, number) = match step {
        Step::Input => return 0,
        Step::Done => return 1,
        Step::Stream(number) => (2, number),
        Step::Handler { kind, number } => (
            match kind {
                Kind::Element => 3,
                Kind::Comment => 4,
                Kind::Text => 5,
                Kind::Doctype => 6,
                Kind::End => 7,
                Kind::EndTag => 8,
            },
            number,
        ),
    };
    (number << 4 | kind) as i32
}

fn with<T>(
    state: &OpState,
    rid: ResourceId,
    run: impl FnOnce(&mut Rewriter) -> Result<T, RewriteError>,
) -> Result<T, JsErrorBox> {
    let resource = state
        .resource_table
        .get::<RewriterResource>(rid)
        .map_err(JsErrorBox::from_err)?;
    let mut rewriter = resource.rewriter.borrow_mut();
    Ok(run(&mut rewriter)?)
}

#[op2(fast)]
#[smi]
pub(crate) fn op_rewriter_write(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[buffer] bytes: &[u8],
) -> Result<i32, JsErrorBox> {
    with(state, rid, |rewriter| rewriter.write(bytes)).map(step_number)
}

#[op2(fast)]
#[smi]
pub(crate) fn op_rewriter_end(
    state: &mut OpState,
    #[smi] rid: ResourceId,
) -> Result<i32, JsErrorBox> {
    with(state, rid, Rewriter::end).map(step_number)
}

#[op2(fast)]
#[smi]
pub(crate) fn op_rewriter_go_on(
    state: &mut OpState,
    #[smi] rid: ResourceId,
) -> Result<i32, JsErrorBox> {
    with(state, rid, Rewriter::go_on).map(step_number)
}

#[op2(fast)]
#[smi]
pub(crate) fn op_rewriter_chunk(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[buffer] bytes: &[u8],
) -> Result<i32, JsErrorBox> {
    with(state, rid, |rewriter| rewriter.chunk(bytes)).map(step_number)
}

/// How many bytes `op_rewriter_output` would give.
#[op2(fast)]
#[smi]
pub(crate) fn op_rewriter_pending(
    state: &mut OpState,
    #[smi] rid: ResourceId,
) -> Result<u32, JsErrorBox> {
    let pending = with(state, rid, |rewriter| Ok(rewriter.pending()))?;
    Ok(u32::try_from(pending).unwrap_or(u32::MAX))
}

/// Takes what was written; closes the rewriter where `last`.
#[op2]
pub(crate) fn op_rewriter_output(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    last: bool,
) -> Result<Uint8Array, JsErrorBox> {
    let output = with(state, rid, |rewriter| Ok(rewriter.take_output()))?;
    if last && let Ok(resource) = state.resource_table.take::<RewriterResource>(rid) {
        let shared = state.borrow::<Rc<Shared>>();
        if let Some(event) = shared.events.get(resource.event) {
            event.disown(rid);
        }
    }
    Ok(output.into())
}

fn token(state: &OpState, rid: ResourceId, op: TokenOp) -> Result<Reply, JsErrorBox> {
    match with(state, rid, |rewriter| rewriter.token(op))? {
        Reply::Refused(message) => Err(refused(message)),
        reply => Ok(reply),
    }
}

fn unknown(what: u32) -> JsErrorBox {
    JsErrorBox::type_error(format!("{what} is no operation of a token"))
}

/// A text of the token: 0 the tag's name, 1 its namespace, 2 a comment's or
/// text's own, 3 a doctype's name, 4 public and 5 system identifier, 6 the
/// attribute `name`.
#[op2]
#[string]
pub(crate) fn op_rewriter_text(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[smi] what: u32,
    #[string] name: String,
) -> Result<Option<String>, JsErrorBox> {
    let op = match what {
        6 => TokenOp::Attribute(name),
        what => TokenOp::Text(field(what)?),
    };
    match token(state, rid, op)? {
        Reply::Text(text) => Ok(text),
        _ => Err(unknown(what)),
    }
}

fn field(number: u32) -> Result<Field, JsErrorBox> {
    Ok(match number {
        0 => Field::TagName,
        1 => Field::Namespace,
        2 => Field::Text,
        3 => Field::DoctypeName,
        4 => Field::PublicId,
        5 => Field::SystemId,
        number => return Err(unknown(number)),
    })
}

/// Whether the token 0 was removed, 1 is a text's last chunk, 2 has the
/// attribute `name`.
#[op2(fast)]
pub(crate) fn op_rewriter_flag(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[smi] what: u32,
    #[string] name: String,
) -> Result<bool, JsErrorBox> {
    let op = match what {
        0 => TokenOp::Flag(Flag::Removed),
        1 => TokenOp::Flag(Flag::LastInTextNode),
        2 => TokenOp::HasAttribute(name),
        what => return Err(unknown(what)),
    };
    match token(state, rid, op)? {
        Reply::Flag(flag) => Ok(flag),
        _ => Err(unknown(what)),
    }
}

/// Names and values of an element's attributes in turns.
#[op2]
pub(crate) fn op_rewriter_attributes(
    state: &mut OpState,
    #[smi] rid: ResourceId,
) -> Result<Vec<String>, JsErrorBox> {
    match token(state, rid, TokenOp::Attributes)? {
        Reply::List(list) => Ok(list),
        _ => Ok(Vec::new()),
    }
}

/// 0 sets the tag's name, 2 a comment's text, 6 sets and 7 removes an attribute,
/// 8 removes the token, 9 without its content.
#[op2(fast)]
pub(crate) fn op_rewriter_edit(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[smi] what: u32,
    #[string] first: String,
    #[string] second: String,
) -> Result<(), JsErrorBox> {
    let edit = match what {
        6 => Edit::SetAttribute(first, second),
        7 => Edit::RemoveAttribute(first),
        8 => Edit::Remove,
        9 => Edit::RemoveAndKeepContent,
        what => Edit::SetText(field(what)?, first),
    };
    token(state, rid, TokenOp::Edit(edit)).map(drop)
}

fn place(number: u32) -> Result<Place, JsErrorBox> {
    Ok(match number {
        0 => Place::Before,
        1 => Place::After,
        2 => Place::Prepend,
        3 => Place::Append,
        4 => Place::Replace,
        5 => Place::Inner,
        number => return Err(unknown(number)),
    })
}

#[op2(fast)]
pub(crate) fn op_rewriter_insert(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[smi] at: u32,
    #[string] text: String,
    html: bool,
) -> Result<(), JsErrorBox> {
    let edit = Edit::Insert(place(at)?, text, content_type(html));
    token(state, rid, TokenOp::Edit(edit)).map(drop)
}

/// A stream that the script will be asked for by `number`.
#[op2(fast)]
pub(crate) fn op_rewriter_insert_stream(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[smi] at: u32,
    #[smi] number: u32,
    html: bool,
) -> Result<(), JsErrorBox> {
    let edit = Edit::InsertStream(place(at)?, number, content_type(html));
    token(state, rid, TokenOp::Edit(edit)).map(drop)
}

#[op2(fast)]
pub(crate) fn op_rewriter_on_end_tag(
    state: &mut OpState,
    #[smi] rid: ResourceId,
    #[smi] number: u32,
) -> Result<(), JsErrorBox> {
    token(state, rid, TokenOp::Edit(Edit::OnEndTag(number))).map(drop)
}
