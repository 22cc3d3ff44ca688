//! Where things run: which broker, on which core, over which disk; the machine's clock, and bytes for a registry.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicU64, Ordering},
    thread::available_parallelism,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Result;
use tidegate_fleet::Launch;
use tidegate_ids::{Clock, Monotonic, Now, Timestamp};
use tidegate_registry::Chance;

/// Options of every benchmark that runs a broker.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Place {
    /// The broker's program; without it, the release is built.
    #[arg(long, value_name = "PATH")]
    pub(super) broker: Option<PathBuf>,
    /// Below which directory the broker keeps its data; its disk decides what a durable write costs.
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// The core of the server that is measured.
    #[arg(long, value_name = "N", default_value_t = 0)]
    broker_cpu: usize,
    /// The core of the load generator.
    #[arg(long, value_name = "N", default_value_t = 1)]
    generator_cpu: usize,
    /// Leave it to the system which core runs what.
    #[arg(long)]
    unpinned: bool,
}

impl Place {
    /// Keeps this program, the load generator, on its core. The server's core, if there are enough of them.
    pub(super) fn take(&self) -> Option<usize> {
        let cores = available_parallelism().map_or(1, |cores| cores.get());
        if self.unpinned || cores <= self.broker_cpu.max(self.generator_cpu) {
            eprintln!("not pinned to cores");
            return None;
        }
        let own = std::process::id().to_string();
        let cpu = self.generator_cpu.to_string();
        let pinned = Command::new("taskset").args(["--all-tasks", "--cpu-list", "--pid", &cpu, &own]).output();
        if pinned.is_ok_and(|output| output.status.success()) {
            eprintln!("server on core {}, generator on core {cpu}", self.broker_cpu);
            Some(self.broker_cpu)
        } else {
            eprintln!("not pinned to cores: taskset does not work here");
            None
        }
    }

    fn program(&self) -> Result<PathBuf> {
        match &self.broker {
            Some(program) => Ok(program.clone()),
            None => super::own_release("tidegate"),
        }
    }

    /// The broker's program, for files of results: by its path in the workspace, which tells how it was built, else by its name.
    pub(super) fn program_described(&self) -> Result<String> {
        let program = self.program()?;
        let within = program.strip_prefix(crate::workspace()).ok().or(program.file_name().map(Path::new));
        Ok(within.unwrap_or(&program).display().to_string())
    }

    /// How to start the broker, on this core.
    pub(super) fn launch(&self, cpu: Option<usize>) -> Result<Launch> {
        let launch = Launch::new(self.program()?).on_cpu(cpu);
        Ok(match &self.directory {
            Some(directory) => launch.below(directory),
            None => launch,
        })
    }
}

/// The machine's clock.
#[derive(Debug)]
pub(super) struct MachineClock(Instant);

impl MachineClock {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for MachineClock {
    fn now(&self) -> Now {
        let millis = |elapsed: std::time::Duration| elapsed.as_millis().try_into().unwrap_or(u64::MAX);
        Now {
            wall: Timestamp::from_millis(millis(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())),
            monotonic: Monotonic::from_millis(millis(self.0.elapsed())),
        }
    }
}

/// Bytes that never repeat: nothing that is made of them here is a secret.
#[derive(Debug, Default)]
pub(super) struct Counter(AtomicU64);

impl Chance for Counter {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let next = self.0.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            chunk.copy_from_slice(&next[..chunk.len()]);
        }
    }
}
