//! What can be asked of the running broker, and how a page is named.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use tidegate_api::Question;
use tidegate_ids::{AccessKeyId, AccountId, CertificateId, Region, Tenant};

/// What can be asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Request {
    /// Make an account and its administrator key.
    CreateAccount {
        /// 12 digits; drawn at random when absent.
        id: Option<AccountId>,
    },
    /// All accounts.
    ListAccounts,
    /// Another key for an account.
    CreateKey {
        /// Whose key.
        account: AccountId,
    },
    /// The keys of one account, or of all.
    ListKeys {
        /// Whose keys.
        account: Option<AccountId>,
    },
    /// Delete a key.
    DeleteKey {
        /// Which key.
        access_key_id: AccessKeyId,
    },
    /// Why a device may or may not do something.
    Explain {
        /// Whose device.
        account: AccountId,
        /// Where.
        region: Region,
        /// What it asks for.
        question: Question,
    },
    /// The last refusals of a client, a certificate, a trace id or a server name.
    Why {
        /// Whom.
        whom: String,
        /// Most of them.
        max: u32,
    },
    /// The last refusals.
    ListRefusals {
        /// Not older than this, in milliseconds since the epoch.
        since_millis: u64,
        /// Most of them.
        max: u32,
    },
    /// Whether the audit trail is as it was written.
    VerifyAudit,
    /// Some of the connections.
    ListConnections(Listing),
    /// Close connections.
    Kick {
        /// Which.
        target: Target,
        /// In which accounts and regions.
        scope: Scope,
        /// Why, for the log.
        reason: Option<String>,
    },
    /// Some of the sessions, connected or not.
    ListSessions(Listing),
    /// One session, with its subscriptions.
    ShowSession {
        /// Its client.
        client_id: String,
        /// In which accounts and regions.
        scope: Scope,
    },
    /// End a session and its connection.
    DropSession {
        /// Its client.
        client_id: String,
        /// In which accounts and regions.
        scope: Scope,
        /// Whether its Will is not published.
        prevent_will: bool,
    },
    /// Some of the retained messages.
    ListRetained {
        /// Which topics; all when absent.
        filter: Option<String>,
        /// Where, and how many.
        listing: Listing,
    },
}

/// A page of something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Listing {
    /// In which accounts and regions.
    pub scope: Scope,
    /// Where the last page ended; the beginning when absent.
    pub after: Option<Place>,
    /// Most rows of the answer; it may have fewer, and not be the last one.
    pub max: usize,
}

/// Accounts and regions: all, those of one account, or one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Scope {
    /// Only this account.
    pub account: Option<AccountId>,
    /// Only this region.
    pub region: Option<Region>,
}

impl Scope {
    /// Whether `tenant` is among them.
    pub(crate) fn has(&self, tenant: Tenant) -> bool {
        self.account.is_none_or(|account| account == tenant.account)
            && self.region.is_none_or(|region| region == tenant.region)
    }
}

/// Whose connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Target {
    /// The one with this client id.
    ClientId(String),
    /// All that act for this certificate.
    Certificate(CertificateId),
    /// All of listeners without authentication.
    Anonymous,
}

/// Where a page ended: `ACCOUNT/REGION/` and the client id, or the number of a place, within it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Place {
    /// Whose rows were last.
    pub tenant: Tenant,
    /// Behind what in them.
    pub within: String,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.tenant, self.within)
    }
}

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let mut parts = text.splitn(3, '/');
        let (Some(account), Some(region), Some(within)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoPlace);
        };
        let tenant =
            Tenant { account: account.parse().map_err(|_| NoPlace)?, region: region.parse().map_err(|_| NoPlace)? };
        Ok(Self { tenant, within: within.to_owned() })
    }
}

impl TryFrom<String> for Place {
    type Error = NoPlace;

    fn try_from(text: String) -> Result<Self, NoPlace> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

/// What was given as a place is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it must be what the last page gave: ACCOUNT/REGION/…")]
pub(crate) struct NoPlace;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written_whatever_the_client_id() {
        for within in ["a", "", "a/b/c", "ü\n"] {
            let place: Place = format!("222222222222/eu-central-1/{within}").parse().unwrap();
            assert_eq!(place.within, within);
            assert_eq!(place.to_string().parse(), Ok(place));
        }
        for text in ["", "2/3", "222222222222/eu-central-1", "22/eu-central-1/a", "222222222222/-/a"] {
            assert_eq!(text.parse::<Place>(), Err(NoPlace), "{text}");
        }
    }

    #[test]
    fn a_scope_has_what_it_names() {
        let tenant: fn(&str, &str) -> Tenant =
            |account, region| Tenant { account: account.parse().unwrap(), region: region.parse().unwrap() };
        let here = tenant("222222222222", "eu-central-1");
        let (account, region) = (Some(here.account), Some(here.region));
        for (scope, others) in [
            (Scope { account, region }, [false, false, false]),
            (Scope { account, region: None }, [true, false, false]),
            (Scope { account: None, region }, [false, true, false]),
            (Scope::default(), [true, true, true]),
        ] {
            assert!(scope.has(here));
            let elsewhere =
                [("222222222222", "us-east-1"), ("333333333333", "eu-central-1"), ("333333333333", "us-east-1")];
            assert_eq!(elsewhere.map(|(account, region)| scope.has(tenant(account, region))), others, "{scope:?}");
        }
    }
}
