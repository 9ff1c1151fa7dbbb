//! The store's promises, on a disk that loses power, fills up and rots.

mod crash;
mod faults;
mod history;
mod history_crash;
mod objects;
mod sim_disk;
mod support;
