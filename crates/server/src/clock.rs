//! The machine's clock, the only one that is read.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use tidegate_ids::{Clock, Monotonic, Now, Timestamp};

/// Wall and monotonic time of the machine.
#[derive(Debug)]
pub(crate) struct SystemClock {
    started: Instant,
}

impl SystemClock {
    /// A clock whose monotonic time starts now.
    pub(crate) fn start() -> Self {
        Self { started: Instant::now() }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Now {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Now {
            wall: Timestamp::from_millis(wall.as_millis().try_into().unwrap_or(u64::MAX)),
            monotonic: Monotonic::from_millis(self.started.elapsed().as_millis().try_into().unwrap_or(u64::MAX)),
        }
    }
}
