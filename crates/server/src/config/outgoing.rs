//! What the broker calls: URLs, the secrets that calls are signed with, and whom TLS believes.

use std::path::Path;

use tidegate_outbound::{Client, Limits, Roots, Target, signature::SECRET_BYTES_MIN};
use zeroize::Zeroizing;

use super::{ConfigError, Webhook};

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

impl Outgoing {
    /// Reads the files that `webhook` names, from the configuration's folder. `setting` is its name for messages.
    pub(crate) fn open(webhook: &Webhook, setting: &str, folder: &Path, limits: Limits) -> Result<Self, ConfigError> {
        let bad = |what: String| ConfigError::Conflict(format!("{setting}: {what}"));
        let target = webhook.url.parse().map_err(|error| bad(format!("url: {error}")))?;
        let secret = webhook.secret_file.as_ref().map(|file| secret(&folder.join(file))).transpose().map_err(bad)?;
        let pem = match &webhook.ca_file {
            None => None,
            Some(file) => {
                let path = folder.join(file);
                let unreadable = |error| bad(format!("cannot read ca_file {}: {error}", path.display()));
                Some(std::fs::read_to_string(&path).map_err(unreadable)?)
            }
        };
        let roots = pem.as_deref().map_or(Roots::System, Roots::Pem);
        let client = Client::new(roots, webhook.private_addresses, limits);
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
