//! `limits` of workers and tenants.

use std::time::Duration;

use serde::Deserialize;

use super::range::{self, Range};
use super::{Checker, Number};

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WorkerLimitsToml {
    cpu_ms: Option<Number>,
    startup_cpu_ms: Option<Number>,
    wall_ms: Option<Number>,
    heap_mb: Option<Number>,
    buffers_mb: Option<Number>,
    response_mb: Option<Number>,
    subrequests: Option<Number>,
    concurrent_events: Option<Number>,
    dynamic_workers: Option<Number>,
    awake_objects: Option<Number>,
}

/// Limits that the config sets; the rest are the runtime's.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorkerLimits {
    pub(crate) cpu: Option<Duration>,
    pub(crate) startup_cpu: Option<Duration>,
    pub(crate) wall: Option<Duration>,
    pub(crate) heap: Option<usize>,
    pub(crate) buffers: Option<usize>,
    pub(crate) response: Option<u64>,
    pub(crate) subrequests: Option<u32>,
    pub(crate) concurrent_events: Option<usize>,
    pub(crate) dynamic_workers: Option<usize>,
    pub(crate) awake_objects: Option<usize>,
}

impl WorkerLimits {
    pub(crate) fn apply(&self, limits: &mut outboard_runtime::Limits) {
        fn set<T: Clone>(field: &mut T, value: &Option<T>) {
            if let Some(value) = value {
                *field = value.clone();
            }
        }
        set(&mut limits.cpu, &self.cpu);
        set(&mut limits.startup_cpu, &self.startup_cpu);
        set(&mut limits.wall, &self.wall);
        set(&mut limits.heap, &self.heap);
        set(&mut limits.buffers, &self.buffers);
        if self.response.is_some() {
            limits.response = self.response;
        }
        set(&mut limits.subrequests, &self.subrequests);
        set(&mut limits.concurrent_events, &self.concurrent_events);
        set(&mut limits.dynamic_workers, &self.dynamic_workers);
        set(&mut limits.awake_objects, &self.awake_objects);
    }

    /// A project's own limits, as far as these allow.
    pub(crate) fn cap(&self, limits: &mut outboard_runtime::Limits) {
        fn at_most<T: PartialOrd + Clone>(field: &mut T, most: &Option<T>) {
            if let Some(most) = most
                && *field > *most
            {
                *field = most.clone();
            }
        }
        at_most(&mut limits.cpu, &self.cpu);
        at_most(&mut limits.startup_cpu, &self.startup_cpu);
        at_most(&mut limits.wall, &self.wall);
        at_most(&mut limits.heap, &self.heap);
        at_most(&mut limits.buffers, &self.buffers);
        limits.response = match (limits.response, self.response) {
            (Some(own), Some(most)) => Some(own.min(most)),
            (own, most) => own.or(most),
        };
        at_most(&mut limits.subrequests, &self.subrequests);
        at_most(&mut limits.concurrent_events, &self.concurrent_events);
        at_most(&mut limits.dynamic_workers, &self.dynamic_workers);
        at_most(&mut limits.awake_objects, &self.awake_objects);
    }
}

impl Checker<'_> {
    pub(super) fn limits(&mut self, owner: &str, limits: &WorkerLimitsToml) -> WorkerLimits {
        let mut ms = |name: &str, value: &Option<Number>, range: Range| {
            let field = format!("{owner}.limits.{name}");
            self.number(&field, value, range).map(Duration::from_millis)
        };
        let cpu = ms("cpu_ms", &limits.cpu_ms, range::CPU_MS);
        let startup_cpu = ms(
            "startup_cpu_ms",
            &limits.startup_cpu_ms,
            range::STARTUP_CPU_MS,
        );
        let wall = ms("wall_ms", &limits.wall_ms, range::WALL_MS);
        let mut number = |name: &str, value: &Option<Number>, range: Range| {
            let field = format!("{owner}.limits.{name}");
            self.number::<usize>(&field, value, range)
        };
        let mb = |value: Option<usize>| value.map(|mb| mb << 20);
        let heap = mb(number("heap_mb", &limits.heap_mb, range::HEAP_MB));
        let buffers = mb(number("buffers_mb", &limits.buffers_mb, range::BUFFERS_MB));
        let response = number("response_mb", &limits.response_mb, range::RESPONSE_MB);
        let subrequests = number("subrequests", &limits.subrequests, range::SUBREQUESTS);
        let concurrent_events = number(
            "concurrent_events",
            &limits.concurrent_events,
            range::CONCURRENT_EVENTS,
        );
        let dynamic_workers = number(
            "dynamic_workers",
            &limits.dynamic_workers,
            range::DYNAMIC_WORKERS,
        );
        let awake_objects = number("awake_objects", &limits.awake_objects, range::AWAKE_OBJECTS);
        WorkerLimits {
            cpu,
            startup_cpu,
            wall,
            heap,
            buffers,
            response: response.map(|mb| (mb as u64) << 20),
            subrequests: subrequests.map(|count| count as u32),
            concurrent_events,
            dynamic_workers,
            awake_objects,
        }
    }
}
