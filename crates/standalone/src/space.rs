//! How much room the disk has left.

use std::{
    io,
    path::PathBuf,
    time::{Duration, Instant},
};

use tidegate_kv::StoreError;

/// How often the system is asked.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// How often the log says that the disk is nearly full.
const WARN_EVERY: Duration = Duration::from_secs(60);

/// What must be free for writes to go on. The engine needs room of its own: it writes rows out a second time when it
/// moves them from the journal to tables, and again when it merges those.
#[derive(Debug)]
pub(crate) struct Space {
    path: PathBuf,
    bytes_min: u64,
    /// When the system was last asked, and what was free then.
    last: Option<(Instant, u64)>,
    warned: Option<Instant>,
}

impl Space {
    pub(crate) fn new(path: PathBuf, bytes_min: u64) -> Self {
        Self { path, bytes_min, last: None, warned: None }
    }

    /// Whether there is room; else why nothing can be written, to be told as often as needed.
    pub(crate) fn check(&mut self) -> Result<(), Full> {
        let path = self.path.clone();
        self.check_at(Instant::now(), || {
            let disk = rustix::fs::statvfs(&path)?;
            Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
        })
    }

    fn check_at(&mut self, now: Instant, free: impl FnOnce() -> io::Result<u64>) -> Result<(), Full> {
        let free_bytes = match self.last {
            Some((at, free_bytes)) if now.duration_since(at) < CHECK_EVERY => free_bytes,
            // A file system that does not tell is not taken for a full one.
            Some(_) | None => free().unwrap_or(u64::MAX),
        };
        if self.last.is_none_or(|(at, _)| now.duration_since(at) >= CHECK_EVERY) {
            self.last = Some((now, free_bytes));
        }
        if free_bytes >= self.bytes_min {
            return Ok(());
        }
        let full = Full { path: self.path.clone(), free_bytes, bytes_min: self.bytes_min };
        if self.warned.is_none_or(|at| now.duration_since(at) >= WARN_EVERY) {
            self.warned = Some(now);
            tracing::error!(event_type = "Store", reason = %full.error(), "nothing is written");
        }
        Err(full)
    }
}

/// Too little room.
#[derive(Debug)]
pub(crate) struct Full {
    path: PathBuf,
    free_bytes: u64,
    bytes_min: u64,
}

impl Full {
    pub(crate) fn error(&self) -> StoreError {
        let Self { path, free_bytes, bytes_min } = self;
        StoreError::Full { path: path.clone(), free_bytes: *free_bytes, bytes_min: *bytes_min }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_is_asked_once_a_second_and_full_ends_with_room() {
        let mut space = Space::new("/store".into(), 100);
        let start = Instant::now();
        let mut warnings = 0;
        for (ms, free, full) in [
            (0, Some(100), false),
            (999, None, false),
            (1_000, Some(99), true),
            (1_500, None, true),
            (2_000, Some(0), true),
            (61_500, Some(0), true),
            (62_500, Some(100), false),
            (63_500, Some(99), true),
        ] {
            let warned = space.warned;
            let now = start + Duration::from_millis(ms);
            let result = space.check_at(now, || Ok(free.unwrap_or_else(|| panic!("asked at {ms}"))));
            assert_eq!(result.is_err(), full, "{ms}");
            warnings += u32::from(space.warned != warned);
        }
        assert_eq!(warnings, 2, "one line a minute");
        let later = start + Duration::from_secs(100);
        assert!(space.check_at(later, || Err(io::ErrorKind::Unsupported.into())).is_ok());
    }
}
