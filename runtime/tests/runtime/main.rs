//! The runtime through its own door: a lane, a worker, events.

mod support;

mod event_source;
mod events;
mod html;
mod inspector;
mod limits;
mod modules;
mod node;
mod objects;
mod room;
mod rpc;
mod sockets;
