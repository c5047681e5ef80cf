//! Resources of this process and its machine, from Linux' `/proc`; 0 if not available.

use std::fs;
use std::time::Duration;

/// The kernel reports processor time in hundredths of a second, on every architecture.
const TICKS: f64 = 100.0;

/// Returns resident memory in bytes.
pub fn memory() -> u64 {
    field("/proc/self/status", "VmRSS:") * 1024
}

/// Returns the processor time used so far by all threads.
pub fn cpu() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name in parentheses may contain spaces; utime and stime are the 14th and 15th fields.
    let fields = stat.rsplit_once(')').map_or("", |(_, rest)| rest).split_whitespace();
    let ticks: f64 = fields.skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    Duration::from_secs_f64(ticks / TICKS)
}

/// Returns the machine's memory in bytes: total, and available for programs.
pub fn machine_memory() -> (u64, u64) {
    (field("/proc/meminfo", "MemTotal:") * 1024, field("/proc/meminfo", "MemAvailable:") * 1024)
}

/// Returns the load averages over 1, 5 and 15 minutes.
pub fn load() -> [f64; 3] {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let mut numbers = text.split_whitespace().filter_map(|n| n.parse().ok());
    std::array::from_fn(|_| numbers.next().unwrap_or(0.0))
}

/// Returns the machine's uptime in seconds.
pub fn uptime() -> f64 {
    let text = fs::read_to_string("/proc/uptime").unwrap_or_default();
    text.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

/// Returns the maximum number of open files and connections of this process, if known.
pub fn open_files() -> Option<u64> {
    Some(field("/proc/self/limits", "Max open files")).filter(|count| *count > 0)
}

/// Returns the number after `name` at the beginning of a line.
fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_running_program_has_memory_and_a_machine_more() {
        let (all, free) = machine_memory();
        assert!(memory() > 1 << 20 && memory() < all && free < all);
        let before = cpu();
        while cpu() <= before {
            std::hint::black_box(vec![1u8; 1 << 20]);
        }
        assert!(uptime() > 0.0);
    }
}
