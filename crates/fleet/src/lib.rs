//! Simulated devices and their operator: make certificates, register, connect, publish, verify, measure.
//!
//! | to | use |
//! | --- | --- |
//! | find a broker that runs, or run one that ends with you | [`Running`], [`Launch`] |
//! | act as its operator, as `aws iot …` does | [`Api`] |
//! | make what a factory makes | [`FleetCa`], [`Identity`] |
//! | be one device | [`Device`], then [`Connected`] |
//! | be thousands that come at once | [`Arrivals`] |
//! | see what that costs the broker | [`usage`] |
//!
//! The demonstration and the benchmarks are made of it. Its devices are as strict as a careful client: what the broker
//! sends is decoded by the rules for servers, and everything has a time limit.

mod api;
mod arrivals;
mod certificates;
mod device;
mod error;
mod launch;
mod running;
#[cfg(test)]
mod testing;
pub mod usage;

pub use api::{Api, ApiRefusal};
pub use arrivals::{Arrivals, Arrived, Caller, Until};
pub use certificates::{FleetCa, Identity};
pub use device::{Connected, Device, Outcome, Received, Refusal};
pub use error::FleetError;
pub use launch::{Launch, OwnBroker};
pub use running::Running;
