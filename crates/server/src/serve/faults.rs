//! Named points at which a test build ends itself as if it had been killed. A release build has none.

use tidegate_registry::FaultPoints;

/// The fault points of this build.
pub(super) fn points() -> Box<dyn FaultPoints> {
    #[cfg(feature = "fault-points")]
    if let Ok(point) = std::env::var("TIDEGATE_FAULT") {
        return Box::new(AbortAt(point));
    }
    Box::new(())
}

/// Aborts the process at one named point: nothing is flushed, no destructor runs.
#[cfg(feature = "fault-points")]
struct AbortAt(String);

#[cfg(feature = "fault-points")]
impl FaultPoints for AbortAt {
    fn reached(&self, point: &'static str) {
        if self.0 == point {
            std::process::abort();
        }
    }
}
