//! `[transfers]`: what receivers of certificates are told.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tidegate_ids::AccountId;

use super::{ConfigError, Outgoing, Place};

/// What the receiver of a certificate is told when another account offers it, or takes the offer back.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Transfers {
    /// Whether its clients get an event, on `$tidegate/events/certificates/…`.
    pub events: bool,
    /// Receivers that are called, one an account.
    pub webhook: Vec<Webhook>,
}

/// An account that is called.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    /// Whose.
    pub account_id: AccountId,
    /// Where a POST goes.
    pub url: String,
    /// A file with the secret that calls are signed with, from the configuration's folder; not signed when absent.
    pub secret_file: Option<PathBuf>,
    /// A file with the PEM certificates that TLS believes, from the configuration's folder; the system's when absent.
    pub ca_file: Option<PathBuf>,
    /// Allows a URL that leads to this machine or to a private network.
    #[serde(default)]
    pub private_addresses: bool,
}

impl Transfers {
    /// Refuses two webhooks of one account.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let mut accounts: Vec<_> = self.webhook.iter().map(|webhook| webhook.account_id).collect();
        accounts.sort_unstable();
        match accounts.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ConfigError::Conflict(format!("two [[transfers.webhook]] are of account {}", pair[0]))),
            None => Ok(()),
        }
    }

    /// The webhooks with what their files hold; `configuration` is the path of the file that names them.
    pub(crate) fn open(
        &self,
        configuration: Option<&Path>,
        limits: tidegate_outbound::Limits,
    ) -> Result<Vec<(AccountId, Outgoing)>, ConfigError> {
        let folder = configuration.and_then(Path::parent).unwrap_or(Path::new(""));
        let open = |webhook: &Webhook| {
            let setting = format!("transfers.webhook of account {}", webhook.account_id);
            let place = Place {
                url: &webhook.url,
                secret_file: webhook.secret_file.as_deref(),
                ca_file: webhook.ca_file.as_deref(),
                private_addresses: webhook.private_addresses,
            };
            Ok((webhook.account_id, Outgoing::open(place, &setting, folder, limits)?))
        };
        self.webhook.iter().map(open).collect()
    }
}
