//! HTMLRewriter's parser: lol_html, which calls handlers in the middle of a
//! write, made into steps that a script can take its time between.
//!
//! A [`Rewriter`] runs lol_html on a stack of its own (`fiber.rs`). Where
//! lol_html calls a handler that stack is left as it is, and the caller gets a
//! [`Step`]; the script's handler runs where scripts always run, asks for
//! operations on the token ([`TokenOp`]), may wait for I/O, and then lets the
//! parser go on. So one rewriter costs a stack and no thread, and V8 never sees
//! another stack than its own.

mod fiber;
pub(crate) mod selector;
mod token;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use lol_html::errors::RewritingError;
use lol_html::html_content::ContentType;
use lol_html::{
    AsciiCompatibleEncoding, DocumentContentHandlers, ElementContentHandlers, HtmlRewriter,
    MemorySettings, Selector, Settings,
};

use fiber::{Fiber, Suspend};
pub(crate) use token::{Edit, Field, Flag, Place, Reply, TokenOp};

/// What a rewriter was told to listen to, in order.
pub(crate) struct Listener {
    /// The elements; none for the document.
    pub(crate) selector: Option<Selector>,
    /// The number of each handler that there is.
    pub(crate) element: Option<u32>,
    pub(crate) comments: Option<u32>,
    pub(crate) text: Option<u32>,
    pub(crate) doctype: Option<u32>,
    pub(crate) end: Option<u32>,
}

/// Where a rewriter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// It wants more of the document.
    Input,
    /// It waits for a handler.
    Handler { kind: Kind, number: u32 },
    /// It waits for more of a stream that a handler put in.
    Stream(u32),
    /// It wrote its last.
    Done,
}

/// What a handler is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Element,
    Comment,
    Text,
    Doctype,
    End,
    EndTag,
}

/// What the rewriter's stack is told.
enum Command {
    Write(Vec<u8>),
    End,
    Token(TokenOp),
    /// The handler, or the stream, is done.
    GoOn,
    Chunk(Vec<u8>),
}

/// What it says.
enum Answer {
    Step(Step),
    Reply(Reply),
}

/// Why a rewriter cannot go on, in lol_html's words or ours.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct RewriteError(pub(crate) String);

/// Memory that lol_html may use for one document: for a token that does not fit
/// a chunk, and for open elements.
const MEMORY: usize = 3 << 20;
/// How many rewriters of an isolate may use that much at a time.
const LARGE: u32 = 16;
/// What those past them may use.
const SMALL_MEMORY: usize = 128 << 10;
/// How many an isolate may have open at a time.
const MOST: u32 = 512;
/// What handlers of an isolate may have put in that is not written yet, in bytes.
const HELD: usize = 64 << 20;

/// The rewriters of one isolate, which share what it may use.
#[derive(Default)]
pub(crate) struct Rewriters {
    open: Cell<u32>,
    held: Cell<usize>,
}

/// One document's rewriter. Dropping it, wherever it stands, frees its stack.
pub(crate) struct Rewriter {
    fiber: Fiber,
    step: Step,
    output: Rc<RefCell<Vec<u8>>>,
    shared: Rc<Rewriters>,
    /// Bytes put in that may wait for an end tag, and those that go out with the
    /// token at hand.
    held_long: usize,
    held_now: usize,
}

impl Rewriter {
    pub(crate) fn new(
        shared: Rc<Rewriters>,
        listeners: Vec<Listener>,
        encoding: AsciiCompatibleEncoding,
    ) -> Result<Self, RewriteError> {
        let open = shared.open.get();
        if open >= MOST {
            let message = format!("{MOST} HTMLRewriter transformations are under way already");
            return Err(RewriteError(message));
        }
        let memory = if open < LARGE { MEMORY } else { SMALL_MEMORY };
        let output = Rc::new(RefCell::new(Vec::new()));
        let sink = output.clone();
        let fiber = Fiber::new(move |suspend, first| {
            let mut rewriter = HtmlRewriter::new(
                settings(listeners, encoding, memory, suspend),
                move |chunk: &[u8]| sink.borrow_mut().extend_from_slice(chunk),
            );
            let mut command = first;
            loop {
                match command {
                    Command::Write(bytes) => rewriter.write(&bytes).map_err(said)?,
                    Command::End => return rewriter.end().map_err(said),
                    // No token and no stream is at hand: the script asks late.
                    Command::Token(_) | Command::GoOn | Command::Chunk(_) => {}
                }
                command = suspend.suspend(Answer::Step(Step::Input));
            }
        })?;
        shared.open.set(open + 1);
        Ok(Self {
            fiber,
            step: Step::Input,
            output,
            shared,
            held_long: 0,
            held_now: 0,
        })
    }

    /// More of the document.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<Step, RewriteError> {
        self.expect(Step::Input)?;
        self.run(Command::Write(bytes.to_vec()))
    }

    /// The document's end.
    pub(crate) fn end(&mut self) -> Result<Step, RewriteError> {
        self.expect(Step::Input)?;
        self.run(Command::End)
    }

    /// The handler, or the stream, that is waited for is done.
    pub(crate) fn go_on(&mut self) -> Result<Step, RewriteError> {
        match self.step {
            Step::Handler { .. } | Step::Stream(_) => self.run(Command::GoOn),
            Step::Input | Step::Done => Ok(self.step),
        }
    }

    /// More of the stream that is waited for.
    pub(crate) fn chunk(&mut self, bytes: &[u8]) -> Result<Step, RewriteError> {
        match self.step {
            Step::Stream(_) => self.run(Command::Chunk(bytes.to_vec())),
            _ => Err(out_of_turn()),
        }
    }

    /// Asks something of the token that a handler was given.
    pub(crate) fn token(&mut self, op: TokenOp) -> Result<Reply, RewriteError> {
        if !matches!(self.step, Step::Handler { .. }) {
            return Err(out_of_turn());
        }
        if let TokenOp::Edit(Edit::Insert(place, text, _)) = &op {
            self.hold(*place, text.len())?;
        }
        match self.fiber.resume(Command::Token(op))? {
            Some(Answer::Reply(reply)) => Ok(reply),
            _ => Err(out_of_turn()),
        }
    }

    /// What was written since the last call.
    pub(crate) fn take_output(&mut self) -> Vec<u8> {
        self.output.take()
    }

    pub(crate) fn pending(&self) -> usize {
        self.output.borrow().len()
    }

    fn run(&mut self, command: Command) -> Result<Step, RewriteError> {
        self.release_now();
        self.step = match self.fiber.resume(command)? {
            Some(Answer::Step(step)) => step,
            Some(Answer::Reply(_)) => return Err(out_of_turn()),
            None => Step::Done,
        };
        Ok(self.step)
    }

    fn expect(&self, step: Step) -> Result<(), RewriteError> {
        (self.step == step).then_some(()).ok_or_else(out_of_turn)
    }

    fn hold(&mut self, place: Place, bytes: usize) -> Result<(), RewriteError> {
        let held = self.shared.held.get() + bytes;
        if held > HELD {
            return Err(RewriteError(format!(
                "what handlers put in would exceed {HELD} bytes before it is written"
            )));
        }
        self.shared.held.set(held);
        if place.waits() {
            self.held_long += bytes;
        } else {
            self.held_now += bytes;
        }
        Ok(())
    }

    fn release_now(&mut self) {
        let held = &self.shared.held;
        held.set(held.get() - std::mem::take(&mut self.held_now));
    }
}

impl Drop for Rewriter {
    fn drop(&mut self) {
        self.release_now();
        let shared = &self.shared;
        shared.held.set(shared.held.get() - self.held_long);
        shared.open.set(shared.open.get() - 1);
    }
}

fn out_of_turn() -> RewriteError {
    RewriteError("the parser is not at that point".into())
}

fn said(error: RewritingError) -> RewriteError {
    RewriteError(error.to_string())
}

fn settings(
    listeners: Vec<Listener>,
    encoding: AsciiCompatibleEncoding,
    memory: usize,
    suspend: Suspend,
) -> Settings<'static, 'static> {
    let memory = MemorySettings::new().with_max_allowed_memory_usage(memory);
    let mut settings = Settings::new()
        .with_encoding(encoding)
        .with_memory_settings(memory)
        .with_enable_esi_tags(false)
        .with_adjust_charset_on_meta_tag(false)
        // Where the context of a text is in doubt (`<noscript>` in a template,
        // say), a wrong guess could let markup through as text.
        .with_strict(true);
    for listener in listeners {
        let comments = listener.comments.map(|n| token::on_comment(suspend, n));
        let text = listener.text.map(|n| token::on_text(suspend, n));
        settings = match listener.selector {
            Some(selector) => settings.append_element_content_handler((
                std::borrow::Cow::Owned(selector),
                ElementContentHandlers {
                    element: listener.element.map(|n| token::on_element(suspend, n)),
                    comments,
                    text,
                },
            )),
            None => settings.append_document_content_handler(DocumentContentHandlers {
                doctype: listener.doctype.map(|n| token::on_doctype(suspend, n)),
                comments,
                text,
                end: listener.end.map(|n| token::on_end(suspend, n)),
            }),
        };
    }
    settings
}

/// How `{ html }` of the script reads.
pub(crate) fn content_type(html: bool) -> ContentType {
    if html {
        ContentType::Html
    } else {
        ContentType::Text
    }
}

#[cfg(test)]
mod tests;
