//! What a process costs: CPU time and resident memory, as Linux counts them in `/proc`.

use std::{fs, io, path::Path, thread, time::Duration};

/// The kernel's clock tick, in which `/proc/PID/stat` counts: 10 ms on every Linux that people run.
const TICK: Duration = Duration::from_millis(10);

/// What a process has used up to now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// CPU time of all its threads, user and system.
    pub cpu: Duration,
    /// Resident memory, in bytes.
    pub resident_bytes: u64,
}

/// The usage of a process.
///
/// CPU time comes from the threads' own nanosecond counts. A thread that has ended has taken its count with it, so the sum
/// is believed only while it agrees with the process's own count, which is exact to 10 ms.
pub fn of(pid: u32) -> io::Result<Usage> {
    let directory = Path::new("/proc").join(pid.to_string());
    let coarse = ticks(&fs::read_to_string(directory.join("stat"))?).ok_or(io::ErrorKind::InvalidData)?;
    let mut exact = Duration::ZERO;
    for thread in fs::read_dir(directory.join("task"))? {
        // A thread may end while we look.
        if let Ok(text) = fs::read_to_string(thread?.path().join("schedstat")) {
            exact += nanoseconds(&text).unwrap_or_default();
        }
    }
    let agree = exact.abs_diff(coarse) < Duration::from_millis(50) + coarse / 50;
    let resident_bytes = resident(&fs::read_to_string(directory.join("status"))?).ok_or(io::ErrorKind::InvalidData)?;
    Ok(Usage { cpu: if agree { exact } else { coarse }, resident_bytes })
}

/// CPU time of the calling thread, exact to some microseconds.
///
/// Sleeps a moment: the kernel brings a thread's count up to date when it leaves the CPU.
pub fn of_this_thread() -> io::Result<Duration> {
    thread::sleep(Duration::from_micros(1));
    let text = fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(nanoseconds(&text).ok_or(io::ErrorKind::InvalidData)?)
}

/// utime and stime of `/proc/PID/stat`; the command before them may contain anything.
fn ticks(stat: &str) -> Option<Duration> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let field = |index: usize| fields.get(index)?.parse::<u32>().ok();
    Some(TICK * field(11)?.checked_add(field(12)?)?)
}

/// The first number of a `schedstat`.
fn nanoseconds(schedstat: &str) -> Option<Duration> {
    schedstat.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

/// `VmRSS` of `/proc/PID/status`, in bytes.
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kibibytes| kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_with_spaces_and_brackets_does_not_shift_the_fields() {
        let stat = "12 (a b) c) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0";
        assert_eq!(ticks(stat), Some(Duration::from_millis(420)));
        assert_eq!(ticks("12 a"), None);
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1024 kB\n"), Some(1024 * 1024));
        assert_eq!(resident("Name:\tx\n"), None);
        assert_eq!(nanoseconds("1500 3 4\n"), Some(Duration::from_nanos(1500)));
    }

    #[test]
    fn this_process_uses_memory_and_time() {
        let before = of_this_thread().unwrap();
        let mut sum = 0_u64;
        while of_this_thread().unwrap() == before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(of(std::process::id()).unwrap().resident_bytes > 0);
        assert!(of(u32::MAX).is_err());
    }
}
