use tidegate_kv::{CommitError, StoreError};

/// Why something about logs was not done.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// The account has no logging options yet.
    #[error("There are no logging options set: set them with SetV2LoggingOptions first")]
    NotConfigured,
    /// The request cannot be meant.
    #[error("{0}")]
    Invalid(String),
    /// More than there may be.
    #[error("{0}")]
    LimitExceeded(String),
    /// Others kept changing the same row.
    #[error("the options are being changed by others: try again")]
    Contended,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

impl From<CommitError> for LogsError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Self::Contended,
            CommitError::Store(error) => Self::Store(error),
        }
    }
}
