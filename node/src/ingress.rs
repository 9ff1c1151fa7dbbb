//! The way in: connections on lanes, requests to workers.

mod answer;
mod connection;
mod listener;
mod routes;
mod web_socket;

pub(crate) use answer::Detail;
pub(crate) use connection::{AccessLog, Ingress, IngressOptions};
pub(crate) use listener::{accept_on_lane, bind, listen_on_lane};
pub(crate) use routes::{Pattern, Roster, Routes, Target};
pub(crate) use web_socket::{accept_key, is_handshake};
