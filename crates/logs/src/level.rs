use serde::{Deserialize, Serialize};

/// How much is logged. AWS: `LogLevel`; DEBUG is the most.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[repr(u8)]
pub enum LogLevel {
    /// All, each ping among it.
    Debug = 1,
    /// What succeeded too.
    Info = 2,
    /// What may become a failure, and failures.
    Warn = 3,
    /// Failures.
    Error = 4,
    /// Nothing.
    #[default]
    Disabled = 5,
}

impl LogLevel {
    /// Whether an entry of level `entry` is wanted.
    pub fn admits(self, entry: Self) -> bool {
        self != Self::Disabled && entry >= self
    }

    /// As AWS writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
            Self::Disabled => "DISABLED",
        }
    }

    pub(crate) fn from_number(number: u8) -> Self {
        match number {
            1 => Self::Debug,
            2 => Self::Info,
            3 => Self::Warn,
            4 => Self::Error,
            _ => Self::Disabled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::LogLevel::{self, *};

    #[test]
    fn a_level_admits_what_is_as_grave_and_disabled_nothing() {
        for (level, admitted) in [
            (Debug, &[Debug, Info, Warn, Error][..]),
            (Info, &[Info, Warn, Error]),
            (Warn, &[Warn, Error]),
            (Error, &[Error]),
            (Disabled, &[]),
        ] {
            let found: Vec<LogLevel> = [Debug, Info, Warn, Error].into_iter().filter(|e| level.admits(*e)).collect();
            assert_eq!(found, admitted, "{level:?}");
            assert_eq!(LogLevel::from_number(level as u8), level);
        }
    }
}
