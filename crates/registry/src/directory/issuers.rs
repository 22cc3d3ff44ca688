//! Registered CAs: which signed a leaf, and what each of their accounts wants done with it.

use std::{collections::HashMap, sync::Arc};

use parking_lot::{Mutex, RwLock};
use tidegate_ids::{CaCertificateId, CertificateId, Tenant};
use tidegate_pki::{CaCertificate, ClientLeaf, Issuer, IssuerIndex};

use crate::{AutoRegistrationStatus, CaCertificateRecord, CaStatus, CertificateMode};

/// One account's row of a CA certificate, without the certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CaOwner {
    pub(crate) tenant: Tenant,
    pub(crate) mode: CertificateMode,
    pub(crate) status: CaStatus,
    pub(crate) auto_registration: AutoRegistrationStatus,
}

impl CaOwner {
    pub(crate) fn new(tenant: Tenant, record: &CaCertificateRecord) -> Self {
        Self { tenant, mode: record.mode, status: record.status, auto_registration: record.auto_registration }
    }

    /// Whether it registers an unknown leaf at its CONNECT.
    pub(crate) fn registers(&self) -> bool {
        match (self.status, self.auto_registration) {
            (CaStatus::Active, AutoRegistrationStatus::Enable) => true,
            (CaStatus::Active, AutoRegistrationStatus::Disable) | (CaStatus::Inactive, _) => false,
        }
    }
}

/// A CA in the index, with its accounts.
type Ca = Arc<Issuer<Arc<[CaOwner]>>>;

/// A CA that signed a leaf, in one account.
pub(crate) type Signer = (CaCertificateId, CaOwner);

/// Why no registered CA signed a leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoSigner {
    /// None has the name of its issuer.
    UnknownName,
    /// Those with the name have other keys.
    OtherKey,
}

pub(crate) struct Issuers {
    index: IssuerIndex<Arc<[CaOwner]>>,
    /// For removal, which knows the id alone.
    by_id: RwLock<HashMap<CaCertificateId, Arc<CaCertificate>>>,
    checked: Checked,
}

impl Default for Issuers {
    fn default() -> Self {
        Self { index: IssuerIndex::new(), by_id: RwLock::default(), checked: Checked::new() }
    }
}

impl Issuers {
    /// The accounts and CAs that signed this leaf. At least one, or the reason why there is none.
    ///
    /// One signature check (15-120 µs) per distinct key of CAs with the issuer's name; none, if this leaf was checked a
    /// moment ago.
    pub(crate) fn signers(&self, leaf: &ClientLeaf) -> Result<Vec<Signer>, NoSigner> {
        let signers = match self.checked_before(leaf) {
            Some(signers) => signers,
            None => self.index.signers(leaf),
        };
        let Some(first) = signers.first() else {
            let named = !self.index.candidates(leaf).is_empty();
            return Err(if named { NoSigner::OtherKey } else { NoSigner::UnknownName });
        };
        self.checked.note(leaf.certificate_id(), first.ca_certificate_id());
        let of = |ca: &Ca| {
            let id = ca.ca_certificate_id();
            ca.value().iter().map(move |owner| (id, *owner)).collect::<Vec<_>>()
        };
        Ok(signers.iter().flat_map(of).collect())
    }

    /// The CAs with the key that is known to have signed this leaf.
    fn checked_before(&self, leaf: &ClientLeaf) -> Option<Vec<Ca>> {
        let signer = self.checked.signer(leaf.certificate_id())?;
        let mut candidates = self.index.candidates(leaf);
        let key = candidates.iter().find(|ca| ca.ca_certificate_id() == signer)?.public_key().clone();
        candidates.retain(|ca| *ca.public_key() == key);
        Some(candidates)
    }

    /// The CA is registered, or changed. Returns its former state in this account.
    pub(super) fn put(&self, ca: CaCertificate, owner: CaOwner) -> Option<CaOwner> {
        let mut owners = self.index.get(&ca).map_or_else(Vec::new, |entry| entry.value().to_vec());
        let former = match owners.iter_mut().find(|other| other.tenant == owner.tenant) {
            Some(other) => Some(std::mem::replace(other, owner)),
            None => {
                owners.push(owner);
                None
            }
        };
        self.index.insert(&ca, owners.into());
        self.by_id.write().entry(ca.ca_certificate_id()).or_insert_with(|| Arc::new(ca));
        former
    }

    /// The account no longer has the CA. Returns whether it had.
    pub(super) fn remove(&self, tenant: Tenant, id: CaCertificateId) -> bool {
        let mut by_id = self.by_id.write();
        let Some(ca) = by_id.get(&id).cloned() else { return false };
        let Some(entry) = self.index.get(&ca) else { return false };
        let left: Arc<[CaOwner]> = entry.value().iter().filter(|owner| owner.tenant != tenant).copied().collect();
        let removed = left.len() < entry.value().len();
        if left.is_empty() {
            self.index.remove(&ca);
            by_id.remove(&id);
        } else {
            self.index.insert(&ca, left);
        }
        removed
    }

    /// CAs of accounts that are not kept.
    pub(super) fn absent(&self, keep: impl Fn(Tenant, CaCertificateId) -> bool) -> Vec<(Tenant, CaCertificateId)> {
        let by_id = self.by_id.read();
        let mut absent = Vec::new();
        for (id, ca) in by_id.iter() {
            let Some(entry) = self.index.get(ca) else { continue };
            let tenants = entry.value().iter().map(|owner| owner.tenant).filter(|tenant| !keep(*tenant, *id));
            absent.extend(tenants.map(|tenant| (tenant, *id)));
        }
        absent
    }

    pub(super) fn len(&self) -> usize {
        self.by_id.read().len()
    }
}

/// Which CA signed the leaves that were checked last, so that the CONNECT after a handshake does not check again.
///
/// Leaf and CA are named by the digests of their DER, so an entry can never become false.
struct Checked(Box<[Mutex<Option<SignedBy>>]>);

/// A leaf, and a CA that signed it.
type SignedBy = (CertificateId, CaCertificateId);

impl Checked {
    /// Leaves remembered; one that falls on another's place replaces it.
    const PLACES: usize = 2048;

    fn new() -> Self {
        Self((0..Self::PLACES).map(|_| Mutex::new(None)).collect())
    }

    fn place(&self, leaf: CertificateId) -> &Mutex<Option<SignedBy>> {
        let [a, b, ..] = *leaf.as_bytes();
        &self.0[usize::from(u16::from_be_bytes([a, b])) % Self::PLACES]
    }

    fn signer(&self, leaf: CertificateId) -> Option<CaCertificateId> {
        self.place(leaf).lock().filter(|(id, _)| *id == leaf).map(|(_, signer)| signer)
    }

    fn note(&self, leaf: CertificateId, signer: CaCertificateId) {
        *self.place(leaf).lock() = Some((leaf, signer));
    }
}
