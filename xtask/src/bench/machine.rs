//! What a benchmark ran on.

use std::{fs, process::Command};

/// Program, date, commit, machine, and how busy it was: for files of results.
pub(super) fn described(program: &str) -> String {
    let of = |program: &str, words: &[&str]| {
        let output = Command::new(program).args(words).output().ok();
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default()
    };
    let field = |path: &str, name: &str| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
        line.split_once(':').map_or(String::new(), |(_, value)| value.trim().to_owned())
    };
    // All of them: this program has given itself one.
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let cores = processors.lines().filter(|line| line.starts_with("processor")).count();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    format!(
        "{program}, {}, commit {}.\n\nMachine: {}, {cores} cores, {} of memory, {}, {}; {}; load average at the end {}.",
        of("date", &["--utc", "+%F"]),
        of("git", &["rev-parse", "--short", "HEAD"]),
        field("/proc/cpuinfo", "model name"),
        field("/proc/meminfo", "MemTotal"),
        of("uname", &["-sr"]),
        of("rustc", &["--version"]),
        of("mosquitto", &["-h"]).lines().next().unwrap_or("no Mosquitto"),
        load.split_whitespace().take(3).collect::<Vec<_>>().join(" "),
    )
}
