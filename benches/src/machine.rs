//! Where and when a run took place, and how busy others kept the machine.

use std::fs;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};

use crate::kernel;

pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_bytes: u64,
    pub(crate) kernel: String,
    pub(crate) date: String,
}

impl Machine {
    pub(crate) fn here() -> Self {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpuinfo
            .lines()
            .find(|line| line.starts_with("model name"))
            .and_then(|line| line.split_once(':'))
            .map_or_else(
                || std::env::consts::ARCH.to_owned(),
                |(_, name)| name.trim().to_owned(),
            );
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        Self {
            cpu,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            memory_bytes: memory("MemTotal:").unwrap_or(0),
            kernel: kernel.trim().to_owned(),
            date: date_of(SystemTime::now()),
        }
    }
}

pub(crate) fn available_memory() -> Result<u64> {
    memory("MemAvailable:")
}

fn memory(name: &str) -> Result<u64> {
    let text = fs::read_to_string("/proc/meminfo")?;
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kilobytes.with_context(|| format!("{name} in /proc/meminfo"))? * 1024)
}

fn date_of(time: SystemTime) -> String {
    let days = time
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs() / 86_400) as i64;
    // Days since 1 March of year 0, in eras of 400 years: leap days come last.
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Compares the machine's busy time with this benchmark's own.
pub(crate) struct Neighbours {
    machine: Duration,
    own: Duration,
    started: std::time::Instant,
}

impl Neighbours {
    pub(crate) fn watch() -> Result<Self> {
        Ok(Self {
            machine: busy()?,
            own: kernel::own_cpu()?,
            started: std::time::Instant::now(),
        })
    }

    /// Cores kept busy since by anything but this process and the servers that it has ended.
    pub(crate) fn busy_cores(&self) -> Result<f64> {
        let machine = busy()?.saturating_sub(self.machine);
        let own = kernel::own_cpu()?.saturating_sub(self.own);
        Ok(machine.saturating_sub(own).as_secs_f64() / self.started.elapsed().as_secs_f64())
    }
}

/// All CPU time spent or stolen since boot.
fn busy() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat")?;
    let line = text.lines().next().unwrap_or_default();
    let ticks: Vec<u64> = line
        .split_whitespace()
        .skip(1)
        .filter_map(|field| field.parse().ok())
        .collect();
    // user nice system idle iowait irq softirq steal; guest time is inside user.
    let busy: u64 = ticks
        .iter()
        .take(8)
        .enumerate()
        .filter(|(field, _)| !matches!(field, 3 | 4))
        .map(|(_, ticks)| ticks)
        .sum();
    Ok(Duration::from_secs_f64(
        busy as f64 / kernel::ticks_per_second() as f64,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_gregorian() {
        let check = |seconds, expected| {
            assert_eq!(date_of(UNIX_EPOCH + Duration::from_secs(seconds)), expected)
        };
        check(0, "1970-01-01");
        check(951_782_400, "2000-02-29");
        check(1_709_251_199, "2024-02-29");
        check(1_767_225_600, "2026-01-01");
    }
}
