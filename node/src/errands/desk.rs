//! Where a node takes errands: a socket in its data folder, which only its user may use.

use std::collections::HashMap;
use std::fs::{File, Permissions};
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use socket2::{Domain, SockAddr, SockRef, Socket, Type};
use tokio::net::UnixListener;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle as AbortOnDrop;

use super::folder::{COPY, Folder, NodeFolder};
use super::wire::{self, Frame, Incoming, Outgoing, WireError};
use super::{Session, Warnings};
use crate::objects::NodeObjects;
use crate::output;
use crate::resources::Resources;

/// The socket's name in the folder.
const SOCKET: &str = "node.sock";
/// Bytes of a path that a socket's address has room for, with one that ends it.
const MOST_PATH: usize = 107;

/// Commands that are served at once, each by a thread; another is told to come again.
const AT_ONCE: u32 = 16;
/// Connections that wait to be accepted.
const WAITING: i32 = 64;
/// How long a command may take to send its next bytes: it has all of them at hand.
const PATIENCE: Duration = Duration::from_secs(60);
/// Waits for whoever holds what there is none of: open files.
const PAUSE: Duration = Duration::from_millis(100);

/// A node's, open until it is closed or dropped.
pub(crate) struct Desk {
    accepting: AbortOnDrop<()>,
    clients: Arc<Clients>,
}

/// Why a node takes no errands.
#[derive(Debug, thiserror::Error)]
#[error(
    "outboard kv, r2, d1 and data have to wait until this ends: {}: {source}",
    path.join(SOCKET).display()
)]
pub(crate) struct DeskError {
    path: PathBuf,
    source: io::Error,
}

struct Clients {
    room: Arc<Semaphore>,
    /// Their connections, to be cut at the end.
    open: Mutex<HashMap<u64, UnixStream>>,
}

impl Desk {
    /// Takes errands as soon as the node's folder is open, or says why it cannot.
    pub(crate) fn open(
        objects: Arc<NodeObjects>,
        resources: Arc<Resources>,
        refused: impl FnOnce(DeskError) + Send + 'static,
    ) -> Self {
        let clients = Arc::new(Clients {
            room: Arc::new(Semaphore::new(AT_ONCE as usize)),
            open: Mutex::default(),
        });
        let accepting = accept(objects, resources, clients.clone());
        let accepting = async move {
            if let Err(error) = accepting.await {
                refused(error);
            }
        };
        Self {
            accepting: AbortOnDrop::new(tokio::spawn(accepting)),
            clients,
        }
    }

    /// Takes no more, and gives those that are under way some time to end. The others
    /// find out that the node has ended.
    pub(crate) async fn close(self, grace: Duration) {
        drop(self.accepting);
        let ended = self.clients.room.acquire_many(AT_ONCE);
        if tokio::time::timeout(grace, ended).await.is_err() {
            tracing::warn!("some commands were cut at the end of the grace period");
        }
        for client in self.clients.open.lock().values() {
            // It may have gone.
            let _ = client.shutdown(Shutdown::Both);
        }
    }
}

/// Connects a command to the node that has the folder open.
pub(super) fn connect(folder: &Path) -> io::Result<UnixStream> {
    let dir = File::open(folder)?;
    UnixStream::connect(address(folder, &dir))
}

/// A path to a folder's socket that fits.
fn address(folder: &Path, dir: &File) -> PathBuf {
    let path = folder.join(SOCKET);
    if path.as_os_str().as_bytes().len() <= MOST_PATH {
        return path;
    }
    Path::new("/proc/self/fd")
        .join(dir.as_raw_fd().to_string())
        .join(SOCKET)
}

/// The folder's lock is this process's: what is there is of one that was killed.
fn bind(folder: &Path) -> io::Result<UnixListener> {
    let dir = File::open(folder)?;
    let path = address(folder, &dir);
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    // Before it has a name, so that nobody else ever may connect.
    let file = File::from(OwnedFd::from(socket));
    file.set_permissions(Permissions::from_mode(0o600))?;
    let socket = Socket::from(OwnedFd::from(file));
    socket.bind(&SockAddr::unix(&path)?)?;
    socket.listen(WAITING)?;
    socket.set_nonblocking(true)?;
    UnixListener::from_std(socket.into())
}

/// Removes copies that a node left which was killed.
fn sweep(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().as_bytes().starts_with(COPY.as_bytes()) {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Removes the socket with the desk.
struct Named(PathBuf);

impl Drop for Named {
    fn drop(&mut self) {
        // A stale one does no harm.
        let _ = std::fs::remove_file(self.0.join(SOCKET));
    }
}

async fn accept(
    objects: Arc<NodeObjects>,
    resources: Arc<Resources>,
    clients: Arc<Clients>,
) -> Result<(), DeskError> {
    objects.opened().await;
    let Some(path) = objects.folder().map(Path::to_path_buf) else {
        return Ok(());
    };
    let listener = sweep(&path).and_then(|()| bind(&path));
    let listener = listener.map_err(|source| DeskError {
        path: path.clone(),
        source,
    })?;
    let _named = Named(path);
    let folder = Arc::new(Folder::Node(NodeFolder {
        objects,
        resources,
        runtime: Handle::current(),
    }));
    for number in 0.. {
        let stream = match listener.accept().await {
            Ok((stream, _)) => stream,
            Err(error) => {
                tracing::warn!(%error, "a command's connection was not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let begun = begin(stream, number, &folder, &clients);
        if let Err(error) = begun {
            tracing::warn!(%error, "a command was not served");
        }
    }
    Ok(())
}

fn begin(
    stream: tokio::net::UnixStream,
    number: u64,
    folder: &Arc<Folder>,
    clients: &Arc<Clients>,
) -> io::Result<()> {
    let mut stream = stream.into_std()?;
    let Ok(place) = clients.room.clone().try_acquire_owned() else {
        // It fits into what the system keeps for a new connection.
        let why = format!("the node does {AT_ONCE} commands already; try again");
        return wire::send_failed(&mut stream, &why);
    };
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let client = Client {
        number,
        clients: clients.clone(),
        _place: place,
    };
    clients.open.lock().insert(number, stream.try_clone()?);
    let folder = folder.clone();
    std::thread::Builder::new()
        .name("command".into())
        .spawn(move || {
            let _client = client;
            if let Err(error) = serve(&folder, &stream) {
                // A command that was interrupted is no event of ours.
                tracing::debug!(%error, "a command's connection ended");
            }
        })
        .map(drop)
}

/// A command that is served.
struct Client {
    number: u64,
    clients: Arc<Clients>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Client {
    fn drop(&mut self) {
        self.clients.open.lock().remove(&self.number);
    }
}

fn serve(folder: &Folder, stream: &UnixStream) -> Result<(), WireError> {
    let mut socket = stream;
    match run(folder, stream)? {
        Ok(warnings) => wire::send_done(&mut socket, &warnings),
        Err(why) => Ok(wire::send_failed(&mut socket, &why)?),
    }
}

/// Does the errand that comes; answers why it was not done, as a terminal shows it.
fn run(folder: &Folder, stream: &UnixStream) -> Result<Result<Warnings, String>, WireError> {
    let mut socket = stream;
    let errand = match wire::receive(&mut socket)? {
        None => return Ok(Err(String::new())),
        Some(Frame::Errand(json)) => wire::read_errand(&json),
        Some(_) => Err(WireError::Unexpected),
    };
    let errand = match errand {
        Ok(errand) => errand,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let mut input = Incoming::new(stream.try_clone()?);
    if !errand.has_input() {
        // To its end: what comes then is that nobody waits.
        io::copy(&mut input, &mut io::sink())?;
    }
    let mut out = io::BufWriter::with_capacity(wire::CHUNK, Outgoing(socket));
    let is_gone = || is_gone(stream);
    let session = Session {
        input: Box::new(input),
        out: &mut out,
        is_gone: &is_gone,
    };
    let done = errand.run(folder, session);
    let flushed = out.flush();
    // What is left of it there is nobody for.
    drop(out.into_parts());
    let done = done.map_err(|error| output::causes(&error));
    if done.is_ok() {
        flushed?;
    }
    Ok(done)
}

/// Whether the other side has closed the connection.
fn is_gone(stream: &UnixStream) -> bool {
    let mut byte = [MaybeUninit::uninit()];
    let flags = libc::MSG_PEEK | libc::MSG_DONTWAIT;
    match SockRef::from(stream).recv_with_flags(&mut byte, flags) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    }
}
