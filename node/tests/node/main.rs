//! What the binary promises, shown over real sockets.

mod parity;
mod support;
