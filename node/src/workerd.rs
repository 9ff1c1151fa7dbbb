//! Services as a workerd configuration has them, on one lane.

mod disk;
mod host;
mod services;
mod spec;

pub(crate) use host::WorkerdHost;
pub(crate) use services::{Keep, Overrides, Service, Services};
pub(crate) use spec::target;
