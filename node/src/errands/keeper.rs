//! Who does a command's errands.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::desk::connect;
use super::folder::{Folder, FolderError, OwnFolder};
use super::wire::{self, Frame, Outgoing, WireError};
use super::{Errand, Session, Warnings};

/// How long a folder may be another's that takes no errands: a node that starts or ends,
/// or another command.
const PATIENCE: Duration = Duration::from_secs(5);
const PAUSE: Duration = Duration::from_millis(20);

pub(crate) enum Keeper {
    /// The command itself.
    Own(Folder),
    /// The node that has the folder open.
    Node {
        folder: PathBuf,
        /// A connection that nothing was sent on yet.
        fresh: RefCell<Option<UnixStream>>,
    },
}

/// Why a node did not do an errand.
#[derive(Debug, thiserror::Error)]
enum NodeError {
    /// Its own words.
    #[error("{0}")]
    Refused(String),
    #[error(
        "--data: {}: the node that has it open ended before the command did, which is done as a \
         whole or not at all; look before you run it again", .0.display()
    )]
    Ended(PathBuf),
    #[error("--data: {}: the node that has it open is not understood: {source}", folder.display())]
    Wire { folder: PathBuf, source: WireError },
}

impl Keeper {
    /// Opens a folder, which is made where it is not there, or finds the node that has it
    /// open.
    pub(crate) fn open(folder: &Path) -> Result<Self, FolderError> {
        let until = Instant::now() + PATIENCE;
        loop {
            match OwnFolder::open(folder) {
                Ok(own) => return Ok(Self::Own(Folder::Own(Box::new(own)))),
                Err(FolderError::Busy(_)) => {}
                Err(error) => return Err(error),
            }
            match connect(folder) {
                Ok(stream) => {
                    return Ok(Self::Node {
                        folder: folder.into(),
                        fresh: RefCell::new(Some(stream)),
                    });
                }
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    return Err(FolderError::Forbidden(folder.into()));
                }
                Err(_) if Instant::now() < until => std::thread::sleep(PAUSE),
                Err(_) => return Err(FolderError::Busy(folder.into())),
            }
        }
    }

    /// Has an errand done that comes with nothing.
    pub(crate) fn run(&self, errand: &Errand, out: &mut dyn Write) -> anyhow::Result<Warnings> {
        self.run_with(errand, Box::new(io::empty()), out)
    }

    /// Has an errand done.
    pub(crate) fn run_with(
        &self,
        errand: &Errand,
        input: Box<dyn Read + Send>,
        out: &mut dyn Write,
    ) -> anyhow::Result<Warnings> {
        match self {
            Self::Own(folder) => errand.run(
                folder,
                Session {
                    input,
                    out,
                    is_gone: &|| false,
                },
            ),
            Self::Node { folder, fresh } => {
                let fresh = fresh.borrow_mut().take();
                let stream = match fresh {
                    Some(stream) => stream,
                    None => connect(folder).map_err(|_gone| NodeError::Ended(folder.clone()))?,
                };
                ask(folder, &stream, errand, input, out)
            }
        }
    }
}

fn ask(
    folder: &Path,
    mut stream: &UnixStream,
    errand: &Errand,
    input: Box<dyn Read + Send>,
    out: &mut dyn Write,
) -> anyhow::Result<Warnings> {
    tell(stream, errand, input)?;
    let not_understood = |source| match source {
        WireError::Io(_) => NodeError::Ended(folder.into()),
        source => NodeError::Wire {
            folder: folder.into(),
            source,
        },
    };
    loop {
        match wire::receive(&mut stream).map_err(not_understood)? {
            Some(Frame::Data(bytes)) => out.write_all(&bytes)?,
            Some(Frame::Done(warnings)) => return Ok(warnings),
            Some(Frame::Failed(why)) => return Err(NodeError::Refused(why).into()),
            Some(Frame::Errand(_) | Frame::End) => {
                return Err(not_understood(WireError::Unexpected).into());
            }
            None => return Err(NodeError::Ended(folder.into()).into()),
        }
    }
}

/// Sends an errand and what comes with it, or as much of that as the node takes: where it
/// takes no more, it says why. Fails where the input does.
fn tell(
    mut stream: &UnixStream,
    errand: &Errand,
    mut input: Box<dyn Read + Send>,
) -> io::Result<()> {
    if wire::send_errand(&mut stream, errand).is_err() {
        return Ok(());
    }
    let mut chunk = vec![0; wire::CHUNK];
    loop {
        let read = match input.read(&mut chunk) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        let sent = match read {
            0 => wire::send_end(&mut stream),
            read => Outgoing(&mut stream).write_all(&chunk[..read]),
        };
        if read == 0 || sent.is_err() {
            return Ok(());
        }
    }
}
