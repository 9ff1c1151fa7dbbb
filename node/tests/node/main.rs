//! What the binary promises, shown over real sockets.

mod bad_input;
mod browser;
mod cache;
mod configurations;
mod crons;
mod d1;
mod d1_command;
mod data;
mod deploy;
mod dev;
mod docs;
mod durability;
mod history;
mod inspector;
mod kv;
mod loader;
mod migrations;
mod objects;
mod parity;
mod queues;
mod r2;
mod rpc;
mod serve;
mod support;
mod tidy;
mod workerd;
