//! Promises of the crate: what a developer's folder becomes, or why not.

mod arbitrary;
mod bundling;
mod d1;
mod durable_objects;
mod environments;
mod errors;
mod faults;
mod folder;
mod formats;
mod jsx;
mod kv;
mod modules;
mod packages;
mod queues;
mod r2;
mod services;
