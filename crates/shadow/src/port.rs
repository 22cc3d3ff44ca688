//! What serves shadows, for those who take requests: `gateway` and `api`; `server` implements it.

use std::{fmt::Debug, pin::Pin};

use tidegate_ids::Tenant;

use crate::{Operation, Pace, Place, Rejection};

/// A request that came by HTTP; policies have been asked.
#[derive(Debug, Clone)]
pub struct Request {
    /// Whose shadow.
    pub tenant: Tenant,
    /// Which.
    pub place: Place,
    /// How many such requests are too many.
    pub pace: Pace,
    /// What is asked.
    pub operation: Operation,
    /// The body.
    pub payload: Vec<u8>,
}

/// What will be answered: a document, durable where it says that something changed.
pub type Answer = Pin<Box<dyn Future<Output = Result<Vec<u8>, Rejection>> + Send>>;

/// The shadow service. Requests for one thing are carried out in their order.
pub trait Shadows: Send + Sync + Debug {
    /// Carries out a request, and publishes what follows from it. It does not block; too many are refused (429).
    fn serve(&self, request: Request) -> Answer;
}
