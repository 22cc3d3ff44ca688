//! Registered CAs: which signed a leaf, and what each of their accounts wants done with it.

use std::{collections::HashMap, sync::Arc};

use parking_lot::{Mutex, RwLock};
use tidegate_ids::{AccountId, CaCertificateId, CertificateId, Tenant};
use tidegate_pki::{CANDIDATES_MAX, CaCertificate, ClientLeaf, Issuer, IssuerIndex, PublicKey};

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

/// The CAs that signed a leaf, of those that were asked for, in each of their accounts.
#[derive(Debug)]
pub(crate) struct Signers {
    pub(crate) found: Vec<Signer>,
    /// There are more CAs with the issuer's name than one look tries: the true one may be among the others.
    pub(crate) left_out: bool,
    /// Why none is found.
    pub(crate) why_none: NoSigner,
}

impl Issuers {
    /// The CAs that signed this leaf, in the accounts that `wanted` accepts.
    ///
    /// One signature check (15-120 µs) per distinct key of such CAs with the issuer's name, at most
    /// [`CANDIDATES_MAX`](tidegate_pki::CANDIDATES_MAX), and none that was made for this leaf a moment ago. Each account's first
    /// CAs are tried before anybody's tenth, so that no account hides another's CA behind many of the same name. All of them
    /// are tried: a CA certificate can be made whose key fits an ECDSA signature that it never made.
    pub(crate) fn signers(&self, leaf: &ClientLeaf, wanted: impl Fn(&CaOwner) -> bool) -> Signers {
        let mut held: HashMap<AccountId, usize> = HashMap::new();
        let ranked = self.index.ranked(leaf, |owners| {
            let place = |owner: &CaOwner| {
                let held = held.entry(owner.tenant.account).or_default();
                *held += 1;
                *held
            };
            owners.iter().filter(|owner| wanted(owner)).map(place).min()
        });
        let why_none = if ranked.candidates.is_empty() { NoSigner::UnknownName } else { NoSigner::OtherKey };
        let signed_by = self.checked.signed_by(leaf, &ranked.candidates);
        let of = |ca: &Ca| {
            let id = ca.ca_certificate_id();
            ca.value().iter().filter(|owner| wanted(owner)).map(|owner| (id, *owner)).collect::<Vec<_>>()
        };
        Signers { found: signed_by.iter().flat_map(of).collect(), left_out: ranked.left_out, why_none }
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

/// Which CAs signed the leaves that were checked last, and which did not, so that the CONNECT after a handshake does not
/// check again.
///
/// Leaf and CA are named by the digests of their DER, so an entry can never become false.
struct Checked(Box<[Mutex<Option<Verdicts>>]>);

/// About one leaf.
#[derive(Clone)]
struct Verdicts {
    leaf: CertificateId,
    signed: Vec<(CaCertificateId, bool)>,
}

impl Checked {
    /// Leaves remembered; one that falls on another's place replaces it.
    const PLACES: usize = 2048;
    /// CAs remembered for one leaf.
    const VERDICTS_MAX: usize = 2 * CANDIDATES_MAX;

    fn new() -> Self {
        Self((0..Self::PLACES).map(|_| Mutex::new(None)).collect())
    }

    /// Those of `candidates` whose key signed the leaf.
    fn signed_by(&self, leaf: &ClientLeaf, candidates: &[Ca]) -> Vec<Ca> {
        let mut verdicts = self.recall(leaf.certificate_id());
        let recalled = verdicts.signed.len();
        let mut by_key: HashMap<&PublicKey, bool> = HashMap::new();
        let mut signers = Vec::new();
        for ca in candidates {
            let id = ca.ca_certificate_id();
            let known = verdicts.signed.iter().find(|(other, _)| *other == id).map(|(_, signed)| *signed);
            let signed = known.unwrap_or_else(|| {
                let check = || leaf.check_signed_by(ca.public_key()).is_ok();
                let signed = *by_key.entry(ca.public_key()).or_insert_with(check);
                verdicts.signed.push((id, signed));
                signed
            });
            if signed {
                signers.push(Arc::clone(ca));
            }
        }
        // A leaf that nobody signed is a stranger's: it takes no place from the others.
        if verdicts.signed.len() > recalled && verdicts.signed.iter().any(|(_, signed)| *signed) {
            verdicts.signed.truncate(Self::VERDICTS_MAX);
            *self.place(leaf.certificate_id()).lock() = Some(verdicts);
        }
        signers
    }

    fn recall(&self, leaf: CertificateId) -> Verdicts {
        let place = self.place(leaf).lock();
        place
            .as_ref()
            .filter(|verdicts| verdicts.leaf == leaf)
            .cloned()
            .unwrap_or(Verdicts { leaf, signed: Vec::new() })
    }

    fn place(&self, leaf: CertificateId) -> &Mutex<Option<Verdicts>> {
        let [a, b, ..] = *leaf.as_bytes();
        &self.0[usize::from(u16::from_be_bytes([a, b])) % Self::PLACES]
    }
}
