//! `[authorizers]` and `[[function]]`: what stands for the Lambda functions that custom authorizers name.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Deserialize;
use tidegate_authorizer::Bounds;
use tidegate_ids::AccountId;
use tidegate_outbound::Limits;

use super::{ConfigError, Outgoing, Place};

/// Calls of one function at a time, unless said.
const CONCURRENCY: u16 = 16;

/// What holds of all custom authorizers.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Authorizers {
    /// The shortest `disconnectAfterInSeconds` and `refreshAfterInSeconds` that are accepted. AWS: 300; less is for trying out.
    pub interval_s_min: u32,
}

impl Default for Authorizers {
    fn default() -> Self {
        Self { interval_s_min: Bounds::AWS.shortest.as_secs() as u32 }
    }
}

impl Authorizers {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match u64::from(self.interval_s_min) {
            1..=300 => Ok(()),
            _ => Err(ConfigError::Conflict("authorizers.interval_s_min lies between 1 and 300".into())),
        }
    }

    /// Which intervals functions may answer.
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds { shortest: Duration::from_secs(self.interval_s_min.into()), ..Bounds::AWS }
    }
}

/// A function that custom authorizers name: a URL that is called, or a program that is run.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Function {
    /// Its name, as behind `function:` in the ARN that an authorizer has.
    pub name: String,
    /// Whose authorizers may ask it; those of all accounts when absent, each by an ARN of its own.
    pub account_id: Option<AccountId>,
    /// Where a POST goes.
    pub url: Option<String>,
    /// A file with the secret that calls are signed with, from the configuration's folder; not signed when absent.
    pub secret_file: Option<PathBuf>,
    /// A file with the PEM certificates that TLS believes, from the configuration's folder; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// Allows a URL that leads to this machine or to a private network.
    #[serde(default)]
    pub private_addresses: bool,
    /// A program and its arguments, run in the configuration's folder for each call: the event on its standard input, the answer on
    /// its standard output.
    pub command: Option<Vec<String>>,
    /// Calls at a time.
    #[serde(default = "concurrency")]
    pub concurrency: u16,
}

fn concurrency() -> u16 {
    CONCURRENCY
}

/// A function, ready.
#[derive(Debug)]
pub(crate) struct OpenFunction {
    /// Its name.
    pub name: String,
    /// Whose, if not everybody's.
    pub account_id: Option<AccountId>,
    /// What is called.
    pub target: Target,
    /// Calls at a time.
    pub concurrency: u16,
}

/// What is called.
#[derive(Debug)]
pub(crate) enum Target {
    /// A URL.
    Webhook(Box<Outgoing>),
    /// A program.
    Process {
        /// The program.
        program: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// Where it runs.
        folder: PathBuf,
    },
}

/// Refuses functions that could not be called, or told apart.
pub(super) fn check(functions: &[Function]) -> Result<(), ConfigError> {
    let conflict = |why: String| Err(ConfigError::Conflict(why));
    for function in functions {
        let name = &function.name;
        // AWS: the pattern of a function's name.
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"-_".contains(&b);
        if !(1..=64).contains(&name.len()) || !name.bytes().all(legal) {
            return conflict(format!("function {name:?}: a name has 1-64 letters, digits, - and _"));
        }
        let is_program =
            function.command.as_ref().map(|command| command.first().is_some_and(|program| !program.is_empty()));
        match (&function.url, is_program) {
            (Some(_), None) | (None, Some(true)) => {}
            (None, Some(false)) => return conflict(format!("function {name:?}: its command is empty")),
            (Some(_), Some(_)) | (None, None) => {
                return conflict(format!("function {name:?} needs a url or a command, one of them"));
            }
        }
        if function.url.is_none()
            && (function.secret_file.is_some() || function.ca_file.is_some() || function.private_addresses)
        {
            return conflict(format!("function {name:?}: secret_file, ca_file and private_addresses go with a url"));
        }
        if function.concurrency == 0 {
            return conflict(format!("function {name:?}: concurrency is 1 or more"));
        }
    }
    let mut names: Vec<_> = functions.iter().map(|function| (&function.name, &function.account_id)).collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => conflict(format!("two functions are named {:?}, of the same account", pair[0].0)),
        None => Ok(()),
    }
}

impl Function {
    /// The function with what its files hold; `configuration` is the path of the file that names them.
    pub(crate) fn open(&self, configuration: Option<&Path>, limits: Limits) -> Result<OpenFunction, ConfigError> {
        let folder = configuration.and_then(Path::parent).unwrap_or(Path::new(""));
        let target = match (&self.url, &self.command) {
            (Some(url), _) => {
                let place = Place {
                    url,
                    secret_file: self.secret_file.as_deref(),
                    ca_file: self.ca_file.as_deref(),
                    private_addresses: self.private_addresses,
                };
                let setting = format!("function {:?}", self.name);
                Target::Webhook(Box::new(Outgoing::open(place, &setting, folder, limits)?))
            }
            (None, command) => {
                let mut words = command.iter().flatten().cloned();
                let program = words.next().unwrap_or_default();
                let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
                Target::Process { program, arguments: words.collect(), folder: folder.to_owned() }
            }
        };
        Ok(OpenFunction { name: self.name.clone(), account_id: self.account_id, target, concurrency: self.concurrency })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn a_function_is_a_url_or_a_command() {
        let of =
            |text: &str| Config::parse(&format!("[[function]]\n{text}")).map(|config| check(&config.function).is_ok());
        for (text, valid) in [
            ("name = 'f'\nurl = 'https://example.com/'", true),
            ("name = 'f'\ncommand = ['./f', 'x']", true),
            ("name = 'f'\naccount_id = '123456789012'\ncommand = ['f']\nconcurrency = 1", true),
            ("name = 'f'", false),
            ("name = 'f'\nurl = 'https://example.com/'\ncommand = ['f']", false),
            ("name = 'f'\ncommand = []", false),
            ("name = 'f'\ncommand = ['']", false),
            ("name = 'a:b'\ncommand = ['f']", false),
            ("name = ''\ncommand = ['f']", false),
            ("name = 'f'\ncommand = ['f']\nsecret_file = 's'", false),
            ("name = 'f'\ncommand = ['f']\nconcurrency = 0", false),
            ("name = 'f'\ncommand = ['f']\n[[function]]\nname = 'f'\ncommand = ['g']", false),
            (
                "name = 'f'\ncommand = ['f']\n[[function]]\nname = 'f'\naccount_id = '123456789012'\ncommand = ['g']",
                true,
            ),
        ] {
            assert_eq!(of(text), Ok(valid), "{text}");
        }
        assert!(of("name = 'f'\ncomand = ['f']").is_err());
    }

    #[test]
    fn intervals_are_no_shorter_than_configured_and_no_longer_than_awss() {
        for (seconds, valid) in [(0, false), (1, true), (300, true), (301, false)] {
            assert_eq!(Authorizers { interval_s_min: seconds }.check().is_ok(), valid, "{seconds}");
        }
        assert_eq!(Authorizers::default().bounds(), Bounds::AWS);
    }
}
