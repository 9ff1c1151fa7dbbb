//! The runtime through its own door: a lane, a worker, events.

mod object_host;
mod support;

mod cpu;
mod event_source;
mod events;
mod gates;
mod html;
mod inspector;
mod limits;
mod modules;
mod node;
mod objects;
mod room;
mod rpc;
mod sockets;
mod statements;
