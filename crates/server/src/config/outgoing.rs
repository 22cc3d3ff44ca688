//! What the broker calls: URLs, the secrets that calls are signed with, and whom TLS believes.

use std::path::Path;

use tidegate_outbound::{Client, Limits, Roots, Target, signature::SECRET_BYTES_MIN};
use zeroize::Zeroizing;

use super::ConfigError;

/// A place that is called, ready.
#[derive(Debug, Clone)]
pub(crate) struct Outgoing {
    /// Makes the calls.
    pub client: Client,
    /// Where they go.
    pub target: Target,
    /// What they are signed with, if anything.
    pub secret: Option<Zeroizing<Vec<u8>>>,
}

/// A place to be called, as the configuration names it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    /// Where a POST goes.
    pub url: &'a str,
    /// A file with the secret that calls are signed with.
    pub secret_file: Option<&'a Path>,
    /// A file with the PEM certificates that TLS believes; the system's when absent.
    pub ca_file: Option<&'a Path>,
    /// Allows a URL that leads to this machine or to a private network.
    pub private_addresses: bool,
}

impl Outgoing {
    /// Reads the files that `place` names, from the configuration's folder. `setting` is its name for messages.
    pub(crate) fn open(place: Place<'_>, setting: &str, folder: &Path, limits: Limits) -> Result<Self, ConfigError> {
        let bad = |what: String| ConfigError::Conflict(format!("{setting}: {what}"));
        let target = place.url.parse().map_err(|error| bad(format!("url: {error}")))?;
        let secret = place.secret_file.map(|file| secret(&folder.join(file))).transpose().map_err(bad)?;
        let pem = match place.ca_file {
            None => None,
            Some(file) => {
                let path = folder.join(file);
                let unreadable = |error| bad(format!("cannot read ca_file {}: {error}", path.display()));
                Some(std::fs::read_to_string(&path).map_err(unreadable)?)
            }
        };
        let roots = pem.as_deref().map_or(Roots::System, Roots::Pem);
        let client = Client::new(roots, place.private_addresses, limits);
        let client = client.map_err(|error| bad(format!("ca_file: {error}")))?;
        Ok(Self { client, target, secret })
    }
}

/// The secret in a file, without the line end that editors add.
fn secret(path: &Path) -> Result<Zeroizing<Vec<u8>>, String> {
    let mut bytes = Zeroizing::new(
        std::fs::read(path).map_err(|error| format!("cannot read secret_file {}: {error}", path.display()))?,
    );
    while bytes.last().is_some_and(u8::is_ascii_whitespace) {
        bytes.pop();
    }
    if bytes.len() < SECRET_BYTES_MIN {
        return Err(format!("secret_file {} has less than {SECRET_BYTES_MIN} bytes", path.display()));
    }
    Ok(bytes)
}
