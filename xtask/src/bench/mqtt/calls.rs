//! System calls per message, counted by strace.
//!
//! The number has no noise, whoever else uses the machine. Two runs of different length: what they differ by is messages only, whatever
//! connecting costs.

use std::{
    fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use anyhow::{Context, Result, ensure};

use crate::load::{
    Clients, Server,
    flow::{self, Flow, Pattern},
};

/// Calls of the server for each delivery, with one message on its way per pair.
pub(super) fn per_message(server: &Server, qos: u8) -> Result<f64> {
    let (short, long) = (count(server, qos, 1.0)?, count(server, qos, 6.0)?);
    let (calls, messages) = (long.calls as f64 - short.calls as f64, long.messages as f64 - short.messages as f64);
    ensure!(messages > 500.0, "{messages} messages are too few to count by");
    Ok(calls / messages)
}

struct Counted {
    calls: u64,
    messages: u64,
}

fn count(server: &Server, qos: u8, seconds: f64) -> Result<Counted> {
    let summary = std::env::temp_dir().join(format!("calls-{}-{}", std::process::id(), server.pid));
    let mut strace = Command::new("strace")
        .args(["-f", "-c", "-p", &server.pid.to_string(), "-o"])
        .arg(&summary)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .context("strace is not installed")?;
    // Its first word is that it is attached. Its last one needs somebody who could read it.
    let mut words = BufReader::new(strace.stderr.take().expect("it is piped"));
    words.read_line(&mut String::new())?;
    // Further threads are attached right behind the first.
    thread::sleep(Duration::from_millis(200));
    let flow =
        Flow { pattern: Pattern::Pairs, publishers: 500, subscribers: 500, qos, unfinished: 1, rate: None, seconds };
    let flowed = flow::run(&mut Clients::new(server.clone(), "bench")?, flow);
    let interrupted = Command::new("kill").args(["-INT", &strace.id().to_string()]).status()?;
    ensure!(interrupted.success(), "strace cannot be interrupted");
    strace.wait()?;
    let text = fs::read_to_string(&summary).context("strace has written nothing")?;
    let _ = fs::remove_file(&summary); // it was read
    Ok(Counted { calls: total(&text).with_context(|| format!("no total in {text}"))?, messages: flowed?.all })
}

/// The calls in the last line of a summary: `100.00  0.031 2  14211  12 total`.
fn total(summary: &str) -> Option<u64> {
    let line = summary.lines().rfind(|line| line.ends_with("total"))?;
    line.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_total_of_a_summary_is_read() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 61.90    0.000026           2        12           read
------ ----------- ----------- --------- --------- ----------------
100.00    0.000042           2        14         3 total
";
        assert_eq!(total(summary), Some(14));
        assert_eq!(total(""), None);
    }
}
