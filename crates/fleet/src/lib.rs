//! Simulated devices and their operator: make certificates, register, connect, publish, verify, measure.
//!
//! | to | use |
//! | --- | --- |
//! | find a broker that runs, or run one that ends with you | [`Running`], [`Launch`] |
//! | act as its operator, as `aws iot …` does | [`Api`] |
//! | make what a factory makes | [`FleetCa`], [`Identity`] |
//! | be one device | [`Device`], then [`Connected`] |
//! | be thousands that come at once | [`Arrivals`] |
//! | make thousands of certificates, and keep them | [`Make`], [`Identities`] |
//! | be thousands that do what a scenario says, and verify what arrives | [`Scenario`], [`Run`], [`Report`] |
//! | activate those that register just in time | [`Enrolment`], [`Activator`] |
//! | see what that costs the broker | [`usage`] |
//!
//! `tidegate fleet`, the demonstration and the benchmarks are made of it. Its devices are as strict as a careful client: what the broker
//! sends is decoded by the rules for servers, and everything has a time limit.

mod any_server;
mod api;
mod arrivals;
mod certificates;
mod client;
mod device;
mod engine;
mod error;
pub mod fuzz;
mod histogram;
mod identities;
mod jitr;
mod launch;
mod make;
mod mark;
mod plan;
mod random;
mod report;
mod run;
mod running;
pub mod scenario;
mod tally;
mod template;
#[cfg(test)]
mod testing;
mod trouble;
pub mod usage;
mod verify;

pub use any_server::AnyServer;
pub use api::{Api, ApiRefusal};
pub use arrivals::{Arrivals, Arrived, Caller, Until, measured_suite};
pub use certificates::{DeviceKey, FleetCa, Identity};
pub use device::{Connected, Device, Outcome, Received, Refusal};
pub use engine::OnRefused;
pub use error::FleetError;
pub use histogram::{Histogram, readable};
pub use identities::Identities;
pub use jitr::{Activation, Activator, Enrolled, Enrolment, POLICY};
pub use launch::{Launch, OwnBroker};
pub use make::{Made, Make};
pub use report::Report;
pub use run::{Figures, Run, Settings, fit};
pub use running::Running;
pub use scenario::{Scenario, ScenarioError};
pub use template::{Template, TemplateError};
pub use verify::Verdict;
