//! What the message path asks, in memory: never the store, never an await.
//!
//! Kept by the change feed alone (see [`Feed`]): one task at a time applies committed transactions in their order, so
//! what is here is always the state after some commit. Readers take short locks of one shard or one map.
//!
//! Memory: about 190 bytes for a device certificate (measured with 400 000), 60 more if its issuer signed with ECDSA, the DER and some 500 bytes for a CA certificate, 255 for a thing,
//! 100 for each of its attributes, 220 for its attachment, some 200 for a thing group, the text
//! of each policy's document in force. Policies are compiled once for each distinct set that connected certificates have, alone or with their things' groups,
//! and forgotten with the last of them.

mod access_keys;
mod apply;
mod authorizers;
mod certificates;
mod connection;
mod domains;
mod endpoints;
mod enrichments;
mod feed;
mod forms;
mod grants;
mod groups;
mod identities;
mod issuers;
mod policies;
mod propagation;
mod rows;
mod snapshot;
mod things;
mod transfers;

pub(crate) use certificates::Owner;
pub(crate) use endpoints::endpoint_prefix;
pub(crate) use feed::Feed;
pub(crate) use issuers::{CaOwner, NoSigner, Signer, Signers};

pub use access_keys::SecretAccessKey;
pub use connection::ConnectionGrants;
pub use domains::{Domain, StoredCertificate};
pub use grants::Grants;
pub use identities::Identity;
pub use propagation::Propagated;
pub use things::{BoundThing, ThingState};

use std::{fmt, sync::Arc};

use tidegate_ids::{AccessKeyId, AccountId, AuthorizerName, CertificateId, Tenant, Timestamp};
use tidegate_pki::{ClientLeaf, seal::MasterKey};

use self::{
    access_keys::AccessKeys, authorizers::Authorizers, certificates::Certificates, domains::Domains,
    endpoints::Endpoints, enrichments::Enrichments, forms::Forms, groups::Groups, identities::Identities,
    issuers::Issuers, policies::Policies, things::Things,
};
use crate::{
    Authorizer, CertificateStatus, Credential, CredentialRefused, IdentityKind, RegistryChange, Settings,
    iam::{IdentityKey, identity_key},
    operations::rewritable_part,
};

/// Told of changes. It must not block.
type Listener = Box<dyn Fn(&RegistryChange) + Send + Sync>;

/// Accounts, access keys, users, roles, CA certificates, device certificates, policies, things and thing groups, as of some commit.
pub struct Directory {
    endpoints: Endpoints,
    access_keys: AccessKeys,
    identities: Identities,
    pub(crate) issuers: Issuers,
    pub(crate) certificates: Certificates,
    forms: Forms,
    policies: Arc<Policies>,
    pub(crate) things: Things,
    pub(crate) groups: Groups,
    enrichments: Enrichments,
    authorizers: Authorizers,
    domains: Domains,
}

impl Directory {
    pub(crate) fn new(settings: &Settings, master_key: Arc<MasterKey>) -> Self {
        Self {
            endpoints: Endpoints::new(settings.endpoint_domain.clone()),
            access_keys: AccessKeys::new(Arc::clone(&master_key)),
            identities: Identities::default(),
            issuers: Issuers::default(),
            certificates: Certificates::new(),
            forms: Forms::new(),
            policies: Arc::default(),
            things: Things::new(),
            groups: Groups::new(),
            enrichments: Enrichments::default(),
            authorizers: Authorizers::default(),
            domains: Domains::new(&settings.host_names, master_key),
        }
    }

    /// Who signs with this access key and session token, as claimed, and the secret that proves it.
    ///
    /// A few microseconds. A secret that does not open (another master key) is none.
    ///
    /// # Errors
    /// `Unknown`; `Expired`, which only who holds a token of this broker is told.
    pub fn credential(
        &self,
        access_key_id: &str,
        session_token: Option<&str>,
        now: Timestamp,
    ) -> Result<(Credential, SecretAccessKey), CredentialRefused> {
        let id: AccessKeyId = access_key_id.parse().map_err(|_| CredentialRefused::Unknown)?;
        let found = match session_token {
            None => self.access_keys.get(&id).and_then(|(account, user, secret)| {
                let credential = match user {
                    None => Credential::root(account, id),
                    Some(user) => {
                        let identity = self.identity(&identity_key(account, IdentityKind::User, &user))?;
                        Credential::user(account, id, identity)?
                    }
                };
                Some((credential, secret))
            }),
            Some(text) => {
                let token = self.access_keys.open_token(text).filter(|token| token.key == id);
                let token = token.ok_or(CredentialRefused::Unknown)?;
                if token.expires <= now {
                    return Err(CredentialRefused::Expired);
                }
                let secret = SecretAccessKey::new(token.secret.as_bytes());
                let credential = Credential::session(token, self);
                credential.filter(|credential| credential.is_in_force(self, now)).map(|credential| (credential, secret))
            }
        };
        found.ok_or(CredentialRefused::Unknown)
    }

    /// The account of an access key, and its user; `None`: the root. Not of sessions' keys.
    pub fn access_key_owner(&self, id: &AccessKeyId) -> Option<(AccountId, Option<String>)> {
        self.access_keys.owner(id)
    }

    /// Whether signatures with this key are accepted; of sessions' keys nothing is known here.
    pub(crate) fn access_key_is_active(&self, id: &AccessKeyId) -> bool {
        self.access_keys.is_active(id)
    }

    pub(crate) fn identity(&self, key: &IdentityKey) -> Option<Arc<Identity>> {
        self.identities.get(key)
    }

    /// The account and region whose endpoint `server_name` is, in any case; `None` when it is no account's.
    pub fn tenant_of_endpoint(&self, server_name: &str) -> Option<Tenant> {
        self.endpoints.tenant(server_name)
    }

    /// The domain configuration of `server_name`, in any case, whatever its status: one that an account made, or that of an account's
    /// endpoint if it was ever changed. From memory; the cost does not depend on how many there are.
    pub fn domain(&self, server_name: &str) -> Option<Domain> {
        match self.tenant_of_endpoint(server_name) {
            Some(tenant) => self.domains.endpoint(tenant),
            None => self.domains.by_domain_name(&server_name.to_ascii_lowercase()),
        }
    }

    /// Whether `server_name` has the form of an account's endpoint and is nobody's: a wildcard certificate may cover it, and still
    /// nobody is meant.
    pub fn is_nobodys_endpoint(&self, server_name: &str) -> bool {
        self.endpoints.has_form(server_name)
            && !self.domains.is_own(&server_name.to_ascii_lowercase())
            && self.tenant_of_server_name(server_name).is_none()
    }

    /// The account and region that `server_name`, in any case, stands for: by its endpoint or by a domain configuration.
    pub fn tenant_of_server_name(&self, server_name: &str) -> Option<Tenant> {
        let configured = || Some(self.domain(server_name)?.configuration.tenant);
        self.tenant_of_endpoint(server_name).or_else(configured)
    }

    /// What a certificate's policies allow, now and after each change; `None` when the account has no such certificate.
    ///
    /// The same object for all connections of the certificate. It allows nothing while the certificate is not ACTIVE.
    pub fn grants(&self, tenant: Tenant, certificate_id: CertificateId) -> Option<Arc<Grants>> {
        self.certificates.grants(tenant, certificate_id, &self.policies)
    }

    /// The thing that a connection of this certificate stands for under this client id: the certificate's exclusive thing, or else
    /// the thing of that name, attached or not.
    ///
    /// O(log n) in the certificate's things. AWS: developer guide, "Associating an AWS IoT thing to an MQTT client connection", "Thing
    /// policy variables". To hear of changes, use [`ConnectionGrants`].
    pub fn bound_thing(&self, tenant: Tenant, certificate_id: CertificateId, client_id: &str) -> Option<BoundThing> {
        self.things.bound(tenant, certificate_id, client_id.parse().ok().as_ref())
    }

    /// The account's custom authorizer of this name, whatever its status.
    pub fn authorizer(&self, tenant: Tenant, name: &AuthorizerName) -> Option<Arc<Authorizer>> {
        self.authorizers.get(tenant, name)
    }

    /// The custom authorizer that the account asks about clients that name none, whatever its status.
    pub fn default_authorizer(&self, tenant: Tenant) -> Option<Arc<Authorizer>> {
        self.authorizers.default_of(tenant)
    }

    /// The status of a certificate of this account.
    pub fn certificate_status(&self, tenant: Tenant, certificate_id: CertificateId) -> Option<CertificateStatus> {
        self.certificates.owners(certificate_id).into_iter().find(|o| o.tenant == tenant).map(|o| o.status)
    }

    /// The registered certificates that are `leaf` in another form, each with an account that owns it.
    pub(crate) fn other_forms(&self, leaf: &ClientLeaf) -> Vec<(CertificateId, Owner)> {
        let Some(part) = rewritable_part(leaf) else { return Vec::new() };
        let others = self.forms.of(&part).into_iter().filter(|id| *id != leaf.certificate_id());
        others.flat_map(|id| self.certificates.owners(id).into_iter().map(move |owner| (id, owner))).collect()
    }

    /// How many device certificates, CA certificates and policies there are: for metrics.
    pub fn counts(&self) -> Counts {
        Counts {
            certificates: self.certificates.len(),
            ca_certificates: self.issuers.len(),
            policies: self.policies.len(),
            things: self.things.len(),
            thing_groups: self.groups.len(),
        }
    }
}

/// How much the directory holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Device certificates; one in two accounts counts twice.
    pub certificates: usize,
    /// CA certificates; one in two accounts counts once.
    pub ca_certificates: usize,
    /// Policies.
    pub policies: usize,
    /// Things.
    pub things: usize,
    /// Thing groups.
    pub thing_groups: usize,
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
