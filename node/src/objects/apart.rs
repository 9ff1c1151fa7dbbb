//! Objects that have an isolate each: which lane has one while it is in memory, or its
//! sockets are. A lane has one object while there are lanes for it, so that the system
//! shares out the cores; past that those share that are least in one another's way.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use outboard_runtime::{
    Engine, EventError, Inspection, Lane, LaneConfig, LaneRef, ObjectId, ObjectTarget, Worker,
};
use parking_lot::Mutex;

use crate::host::MakeHost;

/// Room is kept for each lane to grow by a whole heap. Lanes that serve, and those of
/// loaded workers, have half of what all heaps of the process have; this is another
/// quarter of it, and the rest is what heaps take.
const GROWTH: usize = 1 << 30;
/// Threads; a heap that is so small that more would fit has no need of them.
const MOST: usize = 128;
/// Lanes that keep an isolate ready.
const READY: usize = 8;

/// Who an object is, whatever its caller calls it.
type Key = (String, ObjectId);

fn key(target: &ObjectTarget) -> Key {
    (target.namespace.key.clone(), target.id)
}

#[derive(Default)]
pub(super) struct Apart {
    host: OnceLock<MakeHost>,
    places: Mutex<Places>,
}

#[derive(Default)]
struct Places {
    lanes: Vec<Lane>,
    residents: HashMap<Key, Resident>,
}

/// An object that has a lane.
struct Resident {
    /// The version as it is deployed.
    version: Arc<Worker>,
    /// The same, for its isolate.
    own: Arc<Worker>,
    lane: usize,
    /// Events on their way to it, or begun.
    calls: usize,
}

/// An object's lane, which stays so while this is there.
pub(super) struct Seat {
    apart: Arc<Apart>,
    key: Key,
    pub(super) lane: LaneRef,
    pub(super) worker: Arc<Worker>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut places = self.apart.places.lock();
        if let Some(resident) = places.residents.get_mut(&self.key) {
            resident.calls -= 1;
        }
    }
}

impl Apart {
    /// Lanes that start from now on have such hosts.
    pub(super) fn run_with(&self, host: MakeHost) {
        let _ = self.host.set(host);
    }

    /// The lane that an object is on, and the version for its isolate.
    pub(super) fn seat(
        self: &Arc<Self>,
        version: &Arc<Worker>,
        target: &ObjectTarget,
    ) -> Result<Seat, EventError> {
        let key = key(target);
        let mut places = self.places.lock();
        if !places.residents.contains_key(&key) {
            let lane = places.choose(version.limits().heap, self.host.get())?;
            let resident = Resident {
                version: version.clone(),
                own: version.apart(),
                lane,
                calls: 0,
            };
            places.residents.insert(key.clone(), resident);
        }
        let Places { lanes, residents } = &mut *places;
        let found = residents.get_mut(&key);
        let (resident, lane) = found
            .and_then(|resident| {
                let lane = lanes.get(resident.lane)?.handle();
                Some((resident, lane))
            })
            .ok_or_else(no_lane)?;
        if !Arc::ptr_eq(&resident.version, version) {
            resident.version = version.clone();
            lane.retire(std::mem::replace(&mut resident.own, version.apart()));
        }
        resident.calls += 1;
        let worker = resident.own.clone();
        drop(places);
        Ok(Seat {
            apart: self.clone(),
            key,
            lane,
            worker,
        })
    }

    /// See `ObjectHost::left`.
    pub(super) fn left(&self, worker: &Worker, target: &ObjectTarget) -> bool {
        let key = key(target);
        let mut places = self.places.lock();
        match places.residents.get(&key) {
            // A newer version has its place.
            Some(resident) if !std::ptr::eq(&*resident.own, worker) => true,
            Some(resident) if resident.calls > 0 => false,
            _ => {
                places.residents.remove(&key);
                true
            }
        }
    }

    /// Ends the isolates of versions that are not served any more, once their objects
    /// have answered what they were asked.
    pub(super) fn retire(&self, is_served: impl Fn(&Arc<Worker>) -> bool) {
        let places = self.places.lock();
        for resident in places.residents.values() {
            if !is_served(&resident.version)
                && let Some(lane) = places.lanes.get(resident.lane)
            {
                lane.handle().retire(resident.own.clone());
            }
        }
    }

    pub(super) fn lanes(&self) -> Vec<LaneRef> {
        self.places.lock().lanes.iter().map(Lane::handle).collect()
    }

    /// The lanes, for the node to stop; objects that come now find none.
    pub(super) fn take_lanes(&self) -> Vec<Lane> {
        let mut places = self.places.lock();
        places.residents.clear();
        std::mem::take(&mut places.lanes)
    }
}

/// What a lane has.
#[derive(Clone, Copy, Default)]
struct Load {
    objects: usize,
    /// The largest heap that one of them may have.
    heap: usize,
}

impl Places {
    /// A lane for one more object whose heap may be so large.
    fn choose(&mut self, heap: usize, host: Option<&MakeHost>) -> Result<usize, EventError> {
        let loads = self.loads();
        if has_room(&loads, heap) {
            if let Some(free) = loads.iter().position(|load| load.objects == 0) {
                return Ok(free);
            }
            if let Some(host) = host.filter(|_| loads.len() < MOST) {
                match start(self.lanes.len(), host) {
                    Ok(lane) => {
                        self.lanes.push(lane);
                        return Ok(self.lanes.len() - 1);
                    }
                    Err(error) => tracing::warn!(%error, "no more lanes for objects"),
                }
            }
        }
        let lanes = self.lanes.iter().zip(&loads).enumerate();
        let shared = lanes.filter(|(_, (_, load))| load.objects > 0);
        let least = shared.min_by_key(|(_, (lane, load))| (lane.is_held(), load.objects));
        least.map(|(index, _)| index).ok_or_else(no_lane)
    }

    fn loads(&self) -> Vec<Load> {
        let mut loads = vec![Load::default(); self.lanes.len()];
        for resident in self.residents.values() {
            if let Some(load) = loads.get_mut(resident.lane) {
                load.objects += 1;
                load.heap = load.heap.max(resident.version.limits().heap);
            }
        }
        loads
    }
}

/// Whether one more lane may have objects, with such a heap: two may in any case.
fn has_room(loads: &[Load], heap: usize) -> bool {
    let used = loads.iter().filter(|load| load.objects > 0);
    let growth: usize = used.clone().map(|load| load.heap).sum();
    used.count() < 2 || growth.saturating_add(heap) <= GROWTH
}

fn start(number: usize, host: &MakeHost) -> std::io::Result<Lane> {
    let host = host.clone();
    Lane::start(LaneConfig {
        name: format!("object {number}"),
        engine: Engine::init(outboard_snapshot::SNAPSHOT),
        ready: usize::from(number < READY),
        inspection: Inspection::Off,
        host: Box::new(move |lane| host(lane)),
    })
}

fn no_lane() -> EventError {
    EventError::IsolateLost {
        reason: "the node has no lane for it".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_lanes_have_objects_as_their_heaps_leave_room_for() {
        let lanes = |count, heap| vec![Load { objects: 1, heap }; count];
        let mib = 1 << 20;
        assert!(has_room(&lanes(7, 128 * mib), 128 * mib));
        assert!(!has_room(&lanes(8, 128 * mib), 128 * mib));
        assert!(has_room(&lanes(63, 16 * mib), 16 * mib));
        assert!(!has_room(&lanes(64, 16 * mib), 16 * mib));
        // Those without objects take no room, and two there always are.
        let idle = [lanes(7, 128 * mib), vec![Load::default()]].concat();
        assert!(has_room(&idle, 128 * mib));
        assert!(has_room(&[Load::default(); 100], 128 * mib));
        assert!(has_room(&lanes(1, 512 * mib), 1_024 * mib));
    }
}
