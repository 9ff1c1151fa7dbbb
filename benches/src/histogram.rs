//! Latencies in logarithmic buckets: every quantile to better than one per
//! cent, in a few kilobytes, whatever the number of requests.

use std::time::Duration;

/// Linear steps in each power of two of nanoseconds.
const STEPS_LOG2: u32 = 7;
const STEPS: usize = 1 << STEPS_LOG2;
const BUCKETS: usize = (64 - STEPS_LOG2 as usize + 1) * STEPS;

#[derive(Clone)]
pub(crate) struct Histogram {
    buckets: Vec<u32>,
    count: u64,
    max: Duration,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self {
            buckets: vec![0; BUCKETS],
            count: 0,
            max: Duration::ZERO,
        }
    }

    pub(crate) fn record(&mut self, value: Duration) {
        self.buckets[bucket_of(value.as_nanos() as u64)] += 1;
        self.count += 1;
        self.max = self.max.max(value);
    }

    pub(crate) fn merge(&mut self, other: &Histogram) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// The value that a share of `quantile` of all recorded values is at or below; zero if there are none.
    pub(crate) fn quantile(&self, quantile: f64) -> Duration {
        let rank = ((quantile * self.count as f64).ceil() as u64).clamp(1, self.count.max(1));
        let mut seen = 0;
        for (bucket, &count) in self.buckets.iter().enumerate() {
            seen += u64::from(count);
            if seen >= rank {
                return Duration::from_nanos(middle_of(bucket)).min(self.max);
            }
        }
        self.max
    }
}

fn bucket_of(nanos: u64) -> usize {
    if nanos < STEPS as u64 {
        return nanos as usize;
    }
    let shift = nanos.ilog2() - STEPS_LOG2;
    (shift as usize + 1) * STEPS + (nanos >> shift) as usize - STEPS
}

fn middle_of(bucket: usize) -> u64 {
    if bucket < STEPS {
        return bucket as u64;
    }
    let shift = (bucket / STEPS - 1) as u32;
    let low = ((bucket % STEPS + STEPS) as u64) << shift;
    low + (1u64 << shift) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_one_per_cent() {
        let mut histogram = Histogram::new();
        for micros in 1..=100_000u64 {
            histogram.record(Duration::from_micros(micros));
        }
        for quantile in [0.01, 0.5, 0.99, 0.999, 1.0] {
            let found = histogram.quantile(quantile).as_secs_f64();
            let exact = quantile * 0.1;
            assert!(
                (found / exact - 1.0).abs() < 0.01,
                "{quantile}: {found} instead of {exact}"
            );
        }
    }

    #[test]
    fn any_duration_has_a_bucket() {
        let mut histogram = Histogram::new();
        assert_eq!(histogram.quantile(0.5), Duration::ZERO);
        for nanos in [0, 1, 127, 128, 129, u64::MAX] {
            assert!(bucket_of(nanos) < BUCKETS);
            histogram.record(Duration::from_nanos(nanos));
        }
        assert_eq!(histogram.quantile(0.0), Duration::ZERO);
    }
}
