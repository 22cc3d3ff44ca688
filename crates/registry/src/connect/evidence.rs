//! What the registry knows about a refused certificate, for whoever asks why.

use tidegate_ids::{CaCertificateId, CertificateId, Tenant};
use tidegate_pki::ClientLeaf;

use crate::{
    AutoRegistrationStatus, CaStatus, CertificateStatus, Directory,
    directory::{CaOwner, NoSigner},
};

/// What is registered of a certificate and its issuer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Its status in the account that is meant, or else in the first that has it.
    pub status: Option<CertificateStatus>,
    /// Its issuer.
    pub issuer: IssuerEvidence,
}

/// Which registered CA stands behind a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerEvidence {
    /// This one signed it.
    SignedBy {
        /// Which.
        id: CaCertificateId,
        /// ACTIVE or INACTIVE.
        status: CaStatus,
        /// Whether it registers what it signed.
        auto_registration: AutoRegistrationStatus,
    },
    /// CAs have the issuer's name, and none of those that were tried has signed it.
    OtherKey,
    /// No CA has the issuer's name.
    UnknownName,
}

impl Directory {
    /// What is registered of `leaf` and its issuer, with `tenant`'s rows first. A signature check at most, remembered for a while.
    pub fn evidence(&self, leaf: &ClientLeaf, tenant: Option<Tenant>) -> Evidence {
        let owners = self.certificates.owners(leaf.certificate_id());
        let own = owners.iter().find(|owner| Some(owner.tenant) == tenant);
        let status = own.or(owners.first()).map(|owner| owner.status);
        let signers = self.issuers.signers(leaf, |_| true);
        let meant = |(_, ca): &&(CaCertificateId, CaOwner)| Some(ca.tenant) == tenant;
        let issuer = match signers.found.iter().find(meant).or(signers.found.first()) {
            Some((id, ca)) => {
                IssuerEvidence::SignedBy { id: *id, status: ca.status, auto_registration: ca.auto_registration }
            }
            None => match signers.why_none {
                NoSigner::OtherKey => IssuerEvidence::OtherKey,
                NoSigner::UnknownName => IssuerEvidence::UnknownName,
            },
        };
        Evidence { status, issuer }
    }

    /// Whether the thing that a connection stands for is in a thing group, or in one below it.
    pub fn is_in_group(&self, tenant: Tenant, certificate_id: CertificateId, client_id: &str, group: &str) -> bool {
        let Ok(group) = group.parse() else { return false };
        let Some(slot) = self.groups.known_slot(tenant, &group) else { return false };
        let Some(thing) = self.bound_thing(tenant, certificate_id, client_id) else { return false };
        self.groups.has(slot, &self.things.groups(tenant, &thing.name))
    }
}
