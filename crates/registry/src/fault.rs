//! Named points at which a test build can stop or kill the process.

/// Called at each named point with its name; the default does nothing.
///
/// Points: `<dyn FaultPoints>::REGISTERED`.
pub trait FaultPoints: Send + Sync + 'static {
    /// The program has reached `point`.
    fn reached(&self, point: &'static str) {
        let _ = point;
    }
}

impl dyn FaultPoints {
    /// Between the row of a certificate registered at its first CONNECT, which is durable, and its event.
    pub const REGISTERED: &'static str = "registry::connect::registered";
}

/// No faults.
impl FaultPoints for () {}
