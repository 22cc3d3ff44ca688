//! Why there is no configuration.

use std::path::PathBuf;

/// Why there is no configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read the configuration {}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file is not what it should be; the message has line and column.
    #[error("{}: {message}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong, and where.
        message: String,
    },
    /// An environment variable has a value of the wrong kind.
    #[error("environment variable {name}: {message}")]
    Environment {
        /// Which variable.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A policy document cannot be read, or is none.
    #[error("{at}: {message}")]
    Policy {
        /// The file, with line and column where they are known; for a document within the configuration, which setting.
        at: String,
        /// What is wrong.
        message: String,
    },
    /// Two settings do not go together, or one is dangerous.
    #[error("{0}")]
    Conflict(String),
}
