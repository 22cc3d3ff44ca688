//! The functions behind authorizers, as whoever asks them sees them.

use std::{fmt::Debug, pin::Pin, time::Duration};

use tidegate_ids::Tenant;

/// Why a function did not answer. The text is for the account's log: it says nothing of what was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The configuration has no such function for this account.
    #[error(
        "no function is configured for {0}: add a [[function]] with its name, and a url or a command, to the broker's \
         configuration"
    )]
    NotConfigured(String),
    /// It took longer than it may.
    #[error("the function did not answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    /// Too many calls of it are under way.
    #[error("too many calls of the function are under way")]
    Busy,
    /// Its answer is longer than it may be.
    #[error("the function answered more than {0} bytes")]
    TooLong(usize),
    /// It could not be called, or failed.
    #[error("the function failed: {0}")]
    Failed(String),
}

/// What a function will answer: bytes that ought to be JSON.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, FunctionError>> + Send + 'a>>;

/// The functions that authorizers name.
pub trait Functions: Send + Sync + Debug {
    /// Asks the function that an authorizer of `tenant` names, with an event in JSON.
    ///
    /// The call is bounded in time and in the length of its answer, whatever the function does; when what is answered is dropped,
    /// the call ends.
    fn invoke<'a>(&'a self, tenant: Tenant, function_arn: &'a str, event: String) -> Answer<'a>;
}
