//! What all operations share.

use std::{fmt, sync::Arc};

use tidegate_authorizer::{Bounds, Functions};
use tidegate_broker::{Broker, Profile};
use tidegate_ids::Clock;
use tidegate_logs::{LogBook, Trail};
use tidegate_registry::Registry;
use tidegate_shadow::Shadows;

/// Whether the process may be sent work: the sentence says why not. Asked by `/readyz`; must not block.
pub type Readiness = dyn Fn() -> Result<(), String> + Send + Sync;

/// The operators' API: what is served, whatever port it is reached by.
pub struct Api {
    pub(crate) registry: Registry,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) settings: Settings,
    pub(crate) data: Option<DataPlane>,
    pub(crate) book: Arc<LogBook>,
    pub(crate) trail: Option<Arc<Trail>>,
    /// What TestInvokeAuthorizer asks, and within which intervals.
    pub(crate) functions: Option<(Arc<dyn Functions>, Bounds)>,
    ready: Box<Readiness>,
}

/// What the operations of `iot-data` work on.
#[derive(Debug, Clone)]
pub struct DataPlane {
    /// Sessions and messages.
    pub broker: Arc<Broker>,
    /// Whose limits hold for what is published by the API.
    pub profile: Arc<Profile>,
    /// Shadows.
    pub shadows: Arc<dyn Shadows>,
}

/// What the configuration says about the API.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Name under which devices reach this machine: DescribeEndpoint's answer while no endpoint domain is configured.
    pub host_name: String,
}

impl Api {
    /// The API over `registry`; always ready until [`Self::with_readiness`] says otherwise.
    pub fn new(registry: Registry, clock: Arc<dyn Clock>, settings: Settings) -> Self {
        let book = LogBook::closed();
        Self { registry, clock, settings, data: None, book, trail: None, functions: None, ready: Box::new(|| Ok(())) }
    }

    /// The same API, which serves `iot-data` too.
    pub fn with_data_plane(self, data: DataPlane) -> Self {
        Self { data: Some(data), ..self }
    }

    /// The same API over this log book; without one, nothing is logged.
    pub fn with_book(self, book: Arc<LogBook>) -> Self {
        Self { book, ..self }
    }

    /// The same API, whose calls are recorded here before they are answered; without one, none is.
    pub fn with_trail(self, trail: Arc<Trail>) -> Self {
        Self { trail: Some(trail), ..self }
    }

    /// The same API, whose TestInvokeAuthorizer asks these functions and accepts intervals within `bounds`.
    pub fn with_functions(self, functions: Arc<dyn Functions>, bounds: Bounds) -> Self {
        Self { functions: Some((functions, bounds)), ..self }
    }

    /// The same API, whose `/readyz` answers 503 while `ready` gives a reason.
    pub fn with_readiness(mut self, ready: impl Fn() -> Result<(), String> + Send + Sync + 'static) -> Self {
        self.ready = Box::new(ready);
        self
    }

    pub(crate) fn ready(&self) -> Result<(), String> {
        (self.ready)()
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("settings", &self.settings).finish_non_exhaustive()
    }
}
