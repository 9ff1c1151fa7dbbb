//! Tokens of a document, as handlers ask for them, on lol_html's stack.

use std::error::Error;

use lol_html::html_content::{
    Comment, ContentType, Doctype, DocumentEnd, Element, EndTag, StreamingHandler,
    StreamingHandlerSink, TextChunk,
};
use lol_html::{
    CommentHandler, DoctypeHandler, ElementHandler, EndHandler, EndTagHandler, HandlerResult,
    TextHandler,
};

use super::fiber::Suspend;
use super::{Answer, Command, Kind, Step};

/// Something that a handler asks of its token.
pub(crate) enum TokenOp {
    Text(Field),
    Attribute(String),
    HasAttribute(String),
    Attributes,
    Flag(Flag),
    Edit(Edit),
}

pub(crate) enum Edit {
    SetText(Field, String),
    SetAttribute(String, String),
    RemoveAttribute(String),
    Insert(Place, String, ContentType),
    /// A stream, by the number that `Step::Stream` will name.
    InsertStream(Place, u32, ContentType),
    Remove,
    RemoveAndKeepContent,
    /// The handler of the end tag, in place of one set before.
    OnEndTag(u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    TagName,
    Namespace,
    /// Of a comment or a text.
    Text,
    DoctypeName,
    PublicId,
    SystemId,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flag {
    Removed,
    LastInTextNode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Before,
    After,
    Prepend,
    Append,
    Replace,
    Inner,
}

impl Place {
    /// Whether what is put there may wait for an end tag.
    pub(super) fn waits(self) -> bool {
        matches!(self, Self::After | Self::Append)
    }
}

pub(crate) enum Reply {
    Text(Option<String>),
    Flag(bool),
    /// Names and values in turns.
    List(Vec<String>),
    Done,
    /// In lol_html's words.
    Refused(String),
}

impl Reply {
    fn of<E: std::fmt::Display>(result: Result<(), E>) -> Self {
        match result {
            Ok(()) => Self::Done,
            Err(error) => Self::Refused(error.to_string()),
        }
    }
}

trait Token {
    /// None where this kind of token has no such operation.
    fn answer(&mut self, op: TokenOp, suspend: Suspend) -> Option<Reply>;
}

/// Waits at a token until its handler is done with it.
fn serve(suspend: Suspend, kind: Kind, number: u32, token: &mut dyn Token) -> HandlerResult {
    let mut answer = Answer::Step(Step::Handler { kind, number });
    loop {
        match suspend.suspend(answer) {
            Command::GoOn => return Ok(()),
            Command::Token(op) => {
                let reply = token.answer(op, suspend);
                answer = Answer::Reply(
                    reply.unwrap_or_else(|| Reply::Refused("no such operation".into())),
                );
            }
            // Only said at other steps (`Rewriter`).
            Command::Write(_) | Command::End | Command::Chunk(_) => {
                return Err("the parser was called out of turn".into());
            }
        }
    }
}

pub(super) fn on_element(suspend: Suspend, number: u32) -> ElementHandler<'static> {
    Box::new(move |token| serve(suspend, Kind::Element, number, token))
}

pub(super) fn on_comment(suspend: Suspend, number: u32) -> CommentHandler<'static> {
    Box::new(move |token| serve(suspend, Kind::Comment, number, token))
}

pub(super) fn on_text(suspend: Suspend, number: u32) -> TextHandler<'static> {
    Box::new(move |token| serve(suspend, Kind::Text, number, token))
}

pub(super) fn on_doctype(suspend: Suspend, number: u32) -> DoctypeHandler<'static> {
    Box::new(move |token| serve(suspend, Kind::Doctype, number, token))
}

pub(super) fn on_end(suspend: Suspend, number: u32) -> EndHandler<'static> {
    Box::new(move |token| serve(suspend, Kind::End, number, token))
}

fn on_end_tag(suspend: Suspend, number: u32) -> EndTagHandler<'static> {
    Box::new(move |token| serve(suspend, Kind::EndTag, number, token))
}

/// Content that comes in pieces while the parser waits.
struct Incoming {
    suspend: Suspend,
    number: u32,
    content_type: ContentType,
}

impl StreamingHandler for Incoming {
    fn write_all(
        self: Box<Self>,
        sink: &mut StreamingHandlerSink<'_>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        loop {
            let step = Answer::Step(Step::Stream(self.number));
            match self.suspend.suspend(step) {
                Command::Chunk(bytes) => sink.write_utf8_chunk(&bytes, self.content_type)?,
                Command::GoOn => return Ok(()),
                Command::Write(_) | Command::End | Command::Token(_) => {
                    return Err("the parser was called out of turn".into());
                }
            }
        }
    }
}

/// The places of a token that content can go to, as text and as a stream.
macro_rules! insert {
    ($token:expr, $suspend:expr, $edit:expr, { $($place:ident: $text:ident, $stream:ident;)* }) => {
        match $edit {
            $(Edit::Insert(Place::$place, text, content_type) => {
                $token.$text(&text, content_type);
                Some(Reply::Done)
            })*
            $(Edit::InsertStream(Place::$place, number, content_type) => {
                $token.$stream(Box::new(Incoming { suspend: $suspend, number, content_type }));
                Some(Reply::Done)
            })*
            _ => None,
        }
    };
}

impl Token for Element<'_, '_> {
    fn answer(&mut self, op: TokenOp, suspend: Suspend) -> Option<Reply> {
        Some(match op {
            TokenOp::Text(Field::TagName) => Reply::Text(Some(self.tag_name())),
            TokenOp::Text(Field::Namespace) => Reply::Text(Some(self.namespace_uri().into())),
            TokenOp::Attribute(name) => Reply::Text(self.get_attribute(&name)),
            TokenOp::HasAttribute(name) => Reply::Flag(self.has_attribute(&name)),
            TokenOp::Attributes => Reply::List(
                self.attributes()
                    .iter()
                    .flat_map(|attribute| [attribute.name(), attribute.value()])
                    .collect(),
            ),
            TokenOp::Flag(Flag::Removed) => Reply::Flag(self.removed()),
            TokenOp::Edit(Edit::SetText(Field::TagName, name)) => {
                Reply::of(self.set_tag_name(&name))
            }
            TokenOp::Edit(Edit::SetAttribute(name, value)) => {
                Reply::of(self.set_attribute(&name, &value))
            }
            TokenOp::Edit(Edit::RemoveAttribute(name)) => {
                self.remove_attribute(&name);
                Reply::Done
            }
            TokenOp::Edit(Edit::Remove) => {
                self.remove();
                Reply::Done
            }
            TokenOp::Edit(Edit::RemoveAndKeepContent) => {
                self.remove_and_keep_content();
                Reply::Done
            }
            TokenOp::Edit(Edit::OnEndTag(number)) => match self.end_tag_handlers() {
                Some(handlers) => {
                    handlers.clear();
                    handlers.push(on_end_tag(suspend, number));
                    Reply::Done
                }
                None => Reply::Refused("No end tag.".into()),
            },
            TokenOp::Edit(edit) => {
                return insert!(self, suspend, edit, {
                    Before: before, streaming_before;
                    After: after, streaming_after;
                    Prepend: prepend, streaming_prepend;
                    Append: append, streaming_append;
                    Replace: replace, streaming_replace;
                    Inner: set_inner_content, streaming_set_inner_content;
                });
            }
            TokenOp::Text(_) | TokenOp::Flag(_) => return None,
        })
    }
}

impl Token for EndTag<'_> {
    fn answer(&mut self, op: TokenOp, suspend: Suspend) -> Option<Reply> {
        Some(match op {
            TokenOp::Text(Field::TagName) => Reply::Text(Some(self.name())),
            TokenOp::Edit(Edit::SetText(Field::TagName, name)) => {
                self.set_name_str(name);
                Reply::Done
            }
            TokenOp::Edit(Edit::Remove) => {
                self.remove();
                Reply::Done
            }
            TokenOp::Edit(edit) => {
                return insert!(self, suspend, edit, {
                    Before: before, streaming_before;
                    After: after, streaming_after;
                });
            }
            _ => return None,
        })
    }
}

impl Token for Comment<'_> {
    fn answer(&mut self, op: TokenOp, suspend: Suspend) -> Option<Reply> {
        Some(match op {
            TokenOp::Text(Field::Text) => Reply::Text(Some(self.text())),
            TokenOp::Flag(Flag::Removed) => Reply::Flag(self.removed()),
            TokenOp::Edit(Edit::SetText(Field::Text, text)) => Reply::of(self.set_text(&text)),
            TokenOp::Edit(Edit::Remove) => {
                self.remove();
                Reply::Done
            }
            TokenOp::Edit(edit) => {
                return insert!(self, suspend, edit, {
                    Before: before, streaming_before;
                    After: after, streaming_after;
                    Replace: replace, streaming_replace;
                });
            }
            _ => return None,
        })
    }
}

impl Token for TextChunk<'_> {
    fn answer(&mut self, op: TokenOp, suspend: Suspend) -> Option<Reply> {
        Some(match op {
            TokenOp::Text(Field::Text) => Reply::Text(Some(self.as_str().into())),
            TokenOp::Flag(Flag::Removed) => Reply::Flag(self.removed()),
            TokenOp::Flag(Flag::LastInTextNode) => Reply::Flag(self.last_in_text_node()),
            TokenOp::Edit(Edit::Remove) => {
                self.remove();
                Reply::Done
            }
            TokenOp::Edit(edit) => {
                return insert!(self, suspend, edit, {
                    Before: before, streaming_before;
                    After: after, streaming_after;
                    Replace: replace, streaming_replace;
                });
            }
            _ => return None,
        })
    }
}

impl Token for Doctype<'_> {
    fn answer(&mut self, op: TokenOp, _suspend: Suspend) -> Option<Reply> {
        Some(Reply::Text(match op {
            TokenOp::Text(Field::DoctypeName) => self.name(),
            TokenOp::Text(Field::PublicId) => self.public_id(),
            TokenOp::Text(Field::SystemId) => self.system_id(),
            _ => return None,
        }))
    }
}

impl Token for DocumentEnd<'_> {
    fn answer(&mut self, op: TokenOp, _suspend: Suspend) -> Option<Reply> {
        match op {
            TokenOp::Edit(Edit::Insert(Place::Append, text, content_type)) => {
                self.append(&text, content_type);
                Some(Reply::Done)
            }
            _ => None,
        }
    }
}
