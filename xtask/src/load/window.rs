//! A stretch of time in which a server is measured.

use std::time::{Duration, Instant};

use anyhow::Result;
use tidegate_fleet::usage::{self, Usage};

/// It is open.
pub(super) struct Window {
    pid: u32,
    since: Instant,
    server: Usage,
    generator: Usage,
}

/// It was closed.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Measured {
    pub(crate) took: Duration,
    /// CPU time of the server.
    pub(crate) cpu: Duration,
    /// By how many bytes the server has grown.
    pub(crate) growth_bytes: f64,
    /// Share of a core that the generator used: near 1, it was the limit.
    pub(crate) generator_busy: f64,
}

impl Window {
    pub(super) fn open(pid: u32) -> Result<Self> {
        let (server, generator) = (usage::of(pid)?, usage::of(std::process::id())?);
        Ok(Self { pid, server, generator, since: Instant::now() })
    }

    pub(super) fn close(self) -> Result<Measured> {
        let took = self.since.elapsed();
        let (server, generator) = (usage::of(self.pid)?, usage::of(std::process::id())?);
        Ok(Measured {
            took,
            cpu: server.cpu.saturating_sub(self.server.cpu),
            growth_bytes: server.resident_bytes as f64 - self.server.resident_bytes as f64,
            generator_busy: generator.cpu.saturating_sub(self.generator.cpu).as_secs_f64() / took.as_secs_f64(),
        })
    }
}

impl Measured {
    /// CPU time of the server for each of `count`, in microseconds.
    pub(crate) fn cpu_us_per(&self, count: u64) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / count as f64
    }
}
