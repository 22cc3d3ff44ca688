//! From the name in SNI to the account.

use std::collections::HashMap;

use parking_lot::RwLock;
use tidegate_ids::{AccountId, Tenant};
use tidegate_pki::sha256;

use crate::domain_name::looks_like_an_endpoint;

/// Characters of an endpoint's prefix. AWS: 14.
const PREFIX_CHARACTERS: usize = 14;

/// The first part of an account's endpoint: a letter, then 13 letters and digits, made of the account number alone.
///
/// Decision: AWS's differs by region; ours need not, because the region follows in the name.
pub(crate) fn endpoint_prefix(account: AccountId) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let digest = sha256(format!("tidegate endpoint {account}").as_bytes());
    let tail = digest.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)]));
    std::iter::once('a').chain(tail).take(PREFIX_CHARACTERS).collect()
}

/// The accounts that exist, by the prefix of their endpoints.
pub(super) struct Endpoints {
    domain: Option<String>,
    accounts: RwLock<HashMap<String, AccountId>>,
}

impl Endpoints {
    pub(super) fn new(domain: Option<String>) -> Self {
        Self { domain: domain.map(|domain| domain.to_ascii_lowercase()), accounts: RwLock::default() }
    }

    /// `<prefix>-ats.iot.<region>.<domain>`, read backwards. Any region: an account is in all of them.
    pub(super) fn tenant(&self, server_name: &str) -> Option<Tenant> {
        let domain = self.domain.as_ref()?;
        let name = server_name.to_ascii_lowercase();
        let rest = name.strip_suffix(&**domain)?.strip_suffix('.')?;
        let (prefix, region) = rest.split_once("-ats.iot.")?;
        let account = *self.accounts.read().get(prefix)?;
        Some(Tenant { account, region: region.parse().ok()? })
    }

    /// Whether a name has the form of an endpoint, somebody's or nobody's.
    pub(super) fn has_form(&self, server_name: &str) -> bool {
        let name = server_name.to_ascii_lowercase();
        self.domain.as_ref().is_some_and(|domain| looks_like_an_endpoint(&name, domain))
    }

    pub(super) fn put(&self, account: AccountId) {
        self.accounts.write().insert(endpoint_prefix(account), account);
    }

    pub(super) fn remove(&self, account: AccountId) {
        self.accounts.write().remove(&endpoint_prefix(account));
    }

    pub(super) fn retain(&self, keep: impl Fn(AccountId) -> bool) {
        self.accounts.write().retain(|_, account| keep(*account));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_names_its_account_and_region() {
        let account: AccountId = "123456789012".parse().unwrap();
        let endpoints = Endpoints::new(Some("IoT.example".into()));
        endpoints.put(account);
        let prefix = endpoint_prefix(account);
        assert_eq!(prefix.len(), PREFIX_CHARACTERS);
        let tenant = Tenant { account, region: "eu-central-1".parse().unwrap() };
        for (name, expected) in [
            (format!("{prefix}-ats.iot.eu-central-1.iot.example"), Some(tenant)),
            (format!("{prefix}-ats.iot.eu-central-1.iot.example").to_uppercase(), Some(tenant)),
            (format!("{prefix}-ats.iot.nowhere.iot.example"), None),
            (format!("{prefix}-ats.iot.eu-central-1.iot.other"), None),
            (format!("{prefix}-ats.iot.eu-central-1iot.example"), None),
            (format!("x{prefix}-ats.iot.eu-central-1.iot.example"), None),
            ("iot.example".into(), None),
            (String::new(), None),
        ] {
            assert_eq!(endpoints.tenant(&name), expected, "{name}");
        }
        endpoints.remove(account);
        assert_eq!(endpoints.tenant(&format!("{prefix}-ats.iot.eu-central-1.iot.example")), None);
    }
}
