//! CPU time of a mix: of its thread and its child processes.

use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Clock ticks per second in `/proc`: 100 on all of Linux's platforms.
const TICKS: u64 = 100;

/// Measures CPU time. Must be used on the thread of the mix.
#[derive(Debug, Default)]
pub(super) struct Cpu {
    thread: Duration,
    children: BTreeMap<u32, Duration>,
}

impl Cpu {
    /// Returns the CPU time of this thread and of these processes since the last call. A process that is new counts
    /// from now on.
    pub(super) fn spent(&mut self, processes: impl Iterator<Item = u32>) -> Duration {
        let now = thread_time();
        let mut spent = now.saturating_sub(std::mem::replace(&mut self.thread, now));
        let mut children = BTreeMap::new();
        for id in processes {
            let Some(time) = process_time(id) else { continue };
            let before = self.children.get(&id).copied().unwrap_or(time);
            spent += time.saturating_sub(before);
            children.insert(id, time);
        }
        self.children = children;
        spent
    }
}

fn thread_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.max(0).cast_unsigned(), time.tv_nsec.clamp(0, 999_999_999) as u32)
}

/// Returns the CPU time of a process, from the fields 14 and 15 of `/proc/PID/stat` (proc(5)).
fn process_time(id: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The name of the program, in parentheses, may contain spaces.
    let (_, rest) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = rest.split(' ').collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Duration::from_millis((ticks(11)? + ticks(12)?) * 1000 / TICKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_this_thread_and_of_a_process_is_counted_once() {
        let own = std::process::id();
        let mut cpu = Cpu::default();
        cpu.spent([own, u32::MAX].into_iter());
        let mut sum = 0_u64;
        let before = thread_time();
        while thread_time() - before < Duration::from_millis(50) {
            sum = std::hint::black_box(sum.wrapping_mul(31) + 7);
        }
        let spent = cpu.spent([own].into_iter());
        // The thread's 50 ms, and the same in the process.
        assert!(spent >= Duration::from_millis(80), "{spent:?}");
        assert!(process_time(own).is_some() && process_time(u32::MAX).is_none());
    }
}
