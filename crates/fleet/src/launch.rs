//! A broker of our own, on free ports of loopback; it ends with us.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};

use crate::{FleetError, Running};

/// How long a broker may take to start: one with millions of rows reads them first.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long it may take to stop when it is asked to.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How to start a broker of our own.
#[derive(Debug, Clone)]
pub struct Launch {
    program: PathBuf,
    parent: PathBuf,
    config: Option<String>,
    cpu: Option<usize>,
}

/// A broker of our own and its directory; both end with this value.
pub struct OwnBroker {
    launch: Launch,
    directory: PathBuf,
    child: Child,
}

impl Launch {
    /// Runs `program serve` in a new temporary directory.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self { program: program.into(), parent: std::env::temp_dir(), config: None, cpu: None }
    }

    /// Its directory is made in `parent`: where that lies decides what a durable write costs.
    #[must_use]
    pub fn below(mut self, parent: impl Into<PathBuf>) -> Self {
        self.parent = parent.into();
        self
    }

    /// Runs with this configuration, in TOML.
    #[must_use]
    pub fn config(mut self, toml: impl Into<String>) -> Self {
        self.config = Some(toml.into());
        self
    }

    /// Keeps it on one core, by `taskset`.
    #[must_use]
    pub fn on_cpu(mut self, cpu: Option<usize>) -> Self {
        self.cpu = cpu;
        self
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Result<(OwnBroker, Running), FleetError> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = self.parent.join(format!("tidegate-{}-{number}", std::process::id()));
        fs::create_dir_all(&directory)?;
        if let Some(config) = &self.config {
            fs::write(directory.join("config.toml"), config)?;
        }
        let child = match self.spawn(&directory) {
            Ok(child) => child,
            Err(error) => {
                let _ = fs::remove_dir_all(&directory); // the first error counts
                return Err(error);
            }
        };
        let mut own = OwnBroker { launch: self, directory, child };
        let running = own.listening()?;
        Ok((own, running))
    }

    fn spawn(&self, directory: &Path) -> Result<Child, FleetError> {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(cpu) = self.cpu {
            words.extend(["taskset".into(), "--cpu-list".into(), cpu.to_string().into()]);
        }
        words.extend([self.program.clone().into(), "serve".into(), "--data".into(), directory.join("data").into()]);
        if self.config.is_some() {
            words.extend(["--config".into(), directory.join("config.toml").into()]);
        }
        let log = fs::OpenOptions::new().create(true).append(true).open(directory.join("log"))?;
        let mut command = Command::new(&words[0]);
        command
            .args(&words[1..])
            .envs([("TIDEGATE_MQTT_ADDRESS", "127.0.0.1"), ("TIDEGATE_MQTT_PORT", "0"), ("TIDEGATE_API_PORT", "0")])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        command
            .spawn()
            .map_err(|error| FleetError::NotStarted(format!("cannot be run by {}: {error}", words[0].display())))
    }
}

impl OwnBroker {
    /// Its data directory.
    pub fn data(&self) -> PathBuf {
        self.directory.join("data")
    }

    /// Ends it as a power cut would (SIGKILL), and starts it again on the same data.
    pub fn kill_and_restart(&mut self) -> Result<Running, FleetError> {
        self.kill()?;
        self.restart()
    }

    /// Ends it as a power cut would (SIGKILL); its data is free for others until [`Self::restart`].
    pub fn kill(&mut self) -> Result<(), FleetError> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop (SIGTERM) and waits until it has: what it does at its end is done then.
    pub fn stop(mut self) -> Result<(), FleetError> {
        // A child that was not waited for keeps its number.
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, Signal::TERM).map_err(io::Error::from)?;
        }
        let since = Instant::now();
        while self.child.try_wait()?.is_none() {
            if since.elapsed() > STOP_PATIENCE {
                let seconds = STOP_PATIENCE.as_secs();
                return Err(FleetError::NotStopped(format!("did not stop within {seconds} s:\n{}", self.log())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// Starts it again on the same data, after [`Self::kill`].
    pub fn restart(&mut self) -> Result<Running, FleetError> {
        let _ = fs::remove_file(self.data().join("tidegate.env")); // of the one that is gone
        self.child = self.launch.spawn(&self.directory)?;
        self.listening()
    }

    /// Waits until it has written where it listens.
    fn listening(&mut self) -> Result<Running, FleetError> {
        let since = Instant::now();
        while !self.data().join("tidegate.env").exists() {
            if let Some(status) = self.child.try_wait()? {
                return Err(FleetError::NotStarted(format!("ended ({status}):\n{}", self.log())));
            }
            if since.elapsed() > PATIENCE {
                let seconds = PATIENCE.as_secs();
                return Err(FleetError::NotStarted(format!("did not start within {seconds} s:\n{}", self.log())));
            }
            thread::sleep(Duration::from_millis(20));
        }
        Running::read(&self.data())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.join("log")).unwrap_or_default()
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        let _ = self.child.kill(); // its directory goes too: nothing to keep
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    #[test]
    fn one_that_is_asked_to_stop_comes_to_its_own_end() {
        let folder = tempfile::tempdir().unwrap();
        let ended = folder.path().join("ended");
        let script = r#"trap 'touch "$0"; exit 0' TERM; echo ready; while :; do sleep 0.01; done"#;
        let mut child = Command::new("sh").args(["-c", script]).arg(&ended).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        let own = OwnBroker { launch: Launch::new("sh"), directory: folder.path().join("own"), child };
        own.stop().unwrap();
        assert!(ended.exists());
    }
}
