//! Connections that say nothing: what they hold, and what they cost.

use std::time::Duration;

use anyhow::{Result, ensure};

use super::{
    clients::{Clients, Nobody},
    engine::now,
    window::{Measured, Window},
};

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Idle {
    /// Of the connecting.
    pub(crate) connected: Measured,
    /// Of the time in which nobody said anything.
    pub(crate) held: Measured,
}

/// Connects `count` clients and leaves them alone for `seconds`.
pub(crate) fn run(clients: &mut Clients, count: usize, seconds: f64) -> Result<Idle> {
    let connected = clients.connect(0, count, false)?.measured;
    let window = Window::open(clients.server.pid)?;
    let until = now() + (seconds * 1e9) as u64;
    while now() < until {
        clients.engine.turn(&mut Nobody, Duration::from_millis(100))?;
    }
    let held = window.close()?;
    ensure!(clients.engine.all.alive() == count, "{} of {count} connections are left", clients.engine.all.alive());
    clients.disconnect();
    Ok(Idle { connected, held })
}
