//! Servers that packages talk to: on loopback, and the same for both engines.

mod messages;
mod postgres;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Ends with its guard; a connection ends when its client does.
pub(super) struct Loopback {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Loopback {
    /// The server that a case calls by this name.
    pub(super) fn start(name: &str) -> Self {
        match name {
            "messages" => Self::serve(messages::answer),
            "postgres" => Self::serve(postgres::converse),
            other => panic!("{other}: no such server"),
        }
    }

    fn serve(converse: fn(TcpStream) -> std::io::Result<()>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("its address");
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if stop.load(Ordering::Relaxed) {
                    return;
                }
                // An error is a client that left, which some cases do.
                std::thread::spawn(move || converse(stream));
            }
        });
        Self { address, stopped }
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Loopback {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        // Wakes it, to see.
        let _ = TcpStream::connect(self.address);
    }
}
