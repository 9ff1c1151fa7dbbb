//! What the binary promises, shown over real sockets.

mod docs;
mod parity;
mod support;
mod tidy;
