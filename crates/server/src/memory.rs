//! How much memory the process may use.

use std::fs;

/// Bytes that the process may use: what the machine has, or its control group allows, whichever is less; `None` when
/// neither can be read.
pub(crate) fn limit() -> Option<usize> {
    let read = |path: &str| fs::read_to_string(path).ok();
    let own_group =
        read("/proc/self/cgroup").and_then(|text| Some(text.lines().last()?.strip_prefix("0::")?.to_owned()));
    let group = own_group.and_then(|group| read(&format!("/sys/fs/cgroup{group}/memory.max")));
    smaller(read("/proc/meminfo").as_deref(), group.as_deref())
}

/// The smaller of MemTotal, in kibibytes, and the group's `memory.max`: bytes, or `max`.
fn smaller(meminfo: Option<&str>, group: Option<&str>) -> Option<usize> {
    let total = meminfo.and_then(|text| text.lines().find_map(|line| line.strip_prefix("MemTotal:")));
    let total = total.and_then(|text| text.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok());
    let total = total.map(|kibibytes| kibibytes.saturating_mul(1024));
    let group = group.and_then(|text| text.trim().parse().ok());
    total.into_iter().chain(group).min()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smaller_limit_counts() {
        let meminfo = Some("MemTotal:        2048 kB\nMemFree:          100 kB\n");
        for (meminfo, group, expected) in [
            (meminfo, Some("max\n"), Some(2_097_152)),
            (meminfo, Some("1000000\n"), Some(1_000_000)),
            (meminfo, Some("4000000\n"), Some(2_097_152)),
            (meminfo, None, Some(2_097_152)),
            (None, Some("1000000\n"), Some(1_000_000)),
            (None, Some("max\n"), None),
            (Some("nonsense"), None, None),
        ] {
            assert_eq!(smaller(meminfo, group), expected, "{group:?}");
        }
    }
}
