//! What one isolate may use.

use std::time::Duration;

/// Limits of one isolate and of each event it serves. The defaults are those
/// that Workers document for paid plans, where they document one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// CPU time (the thread's, not the clock's) one event may use.
    pub cpu: Duration,
    /// CPU time the top level of a script may use.
    pub startup_cpu: Duration,
    /// Time from an event's start to its answer's head.
    pub wall: Duration,
    /// How long `waitUntil` may hold an answered event open.
    pub wait_until: Duration,
    /// V8 heap of the isolate, in bytes.
    pub heap: usize,
    /// Array buffers of the isolate, in bytes; they lie outside the heap.
    pub buffers: usize,
    /// Outgoing requests one event may make.
    pub subrequests: u32,
    /// Bytes of a request's or answer's body that the isolate may hold whole.
    pub body: usize,
    /// Bytes an answer's body may have on its way out; as many as the script gives
    /// where there is none.
    pub response: Option<u64>,
    /// Workers that a script of one isolate may have loaded at a time.
    pub dynamic_workers: usize,
    /// Durable objects one isolate has in memory; past that the idlest leave it.
    pub awake_objects: usize,
    /// Events one isolate may have open at a time; more are refused.
    pub concurrent_events: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            cpu: Duration::from_secs(30),
            startup_cpu: Duration::from_secs(1),
            wall: Duration::from_secs(100),
            wait_until: Duration::from_secs(30),
            heap: 128 << 20,
            buffers: 128 << 20,
            subrequests: 1_000,
            body: 100 << 20,
            response: None,
            // More than fit into the memory of a process at once: idle ones end,
            // and start again when they are called.
            dynamic_workers: 4_096,
            // About a gigabyte, with their databases' pages.
            awake_objects: 10_000,
            // A lane runs one event at a time; past this they wait on I/O that
            // itself has become the bottleneck.
            concurrent_events: 2_048,
        }
    }
}
