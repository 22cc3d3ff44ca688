//! From a leaf to the CAs that may have signed it, in time that does not grow with their number.

use std::{collections::HashMap, fmt, sync::Arc};

use parking_lot::RwLock;
use tidegate_ids::CaCertificateId;

use crate::{CaCertificate, PublicKey, X509};

/// Most CAs with one subject that one look-up offers, hence most signatures that one handshake checks.
///
/// AWS: an account and region may hold up to 10 CA certificates with the same subject and public key. More than this in
/// all accounts together matters only to leaves that do not name their issuer's key.
pub const CANDIDATES_MAX: usize = 32;

/// One CA as the index keeps it, with what its owner attached.
pub struct Issuer<T> {
    ca_certificate_id: CaCertificateId,
    public_key: PublicKey,
    value: T,
}

impl<T> Issuer<T> {
    /// The CA's id.
    pub fn ca_certificate_id(&self) -> CaCertificateId {
        self.ca_certificate_id
    }

    /// The CA's key.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// What was attached when it was inserted.
    pub fn value(&self) -> &T {
        &self.value
    }
}

/// A concurrent map from raw DER issuer names, and key identifiers where both sides have one, to CAs.
///
/// Look-up, insertion and removal are O(1) in the number of CAs; readers share a lock that writers hold for one map operation.
/// The same CA certificate in several accounts is one entry: its value says whose it is.
pub struct IssuerIndex<T> {
    by_subject: RwLock<HashMap<Box<[u8]>, SameSubject<T>>>,
}

type Found<T> = Vec<Arc<Issuer<T>>>;

/// The CAs that may have signed a certificate.
#[derive(Debug)]
pub struct Ranked<T> {
    /// At most [`CANDIDATES_MAX`].
    pub candidates: Vec<Arc<Issuer<T>>>,
    /// There are more.
    pub left_out: bool,
}

/// The CAs of one subject.
struct SameSubject<T> {
    by_key_id: HashMap<Box<[u8]>, Vec<Arc<Issuer<T>>>>,
    without_key_id: Vec<Arc<Issuer<T>>>,
}

impl<T> IssuerIndex<T> {
    /// An empty index.
    pub fn new() -> Self {
        Self { by_subject: RwLock::new(HashMap::new()) }
    }

    /// Adds a CA, or replaces its value; the former entry is returned.
    pub fn insert(&self, ca: &CaCertificate, value: T) -> Option<Arc<Issuer<T>>> {
        let issuer =
            Arc::new(Issuer { ca_certificate_id: ca.ca_certificate_id(), public_key: ca.public_key().clone(), value });
        let mut by_subject = self.by_subject.write();
        // `entry` would copy the name each time.
        if !by_subject.contains_key(ca.subject()) {
            by_subject.insert(ca.subject().into(), SameSubject::new());
        }
        let same_subject = by_subject.get_mut(ca.subject()).expect("inserted above");
        let slot = same_subject.slot(ca.subject_key_id());
        match slot.iter_mut().find(|other| other.ca_certificate_id == issuer.ca_certificate_id) {
            Some(other) => Some(std::mem::replace(other, issuer)),
            None => {
                slot.push(issuer);
                None
            }
        }
    }

    /// Takes a CA out; `None` if it is not there.
    pub fn remove(&self, ca: &CaCertificate) -> Option<Arc<Issuer<T>>> {
        let mut by_subject = self.by_subject.write();
        let same_subject = by_subject.get_mut(ca.subject())?;
        let slot = match ca.subject_key_id() {
            Some(id) => same_subject.by_key_id.get_mut(id)?,
            None => &mut same_subject.without_key_id,
        };
        let at = slot.iter().position(|issuer| issuer.ca_certificate_id == ca.ca_certificate_id())?;
        let removed = slot.swap_remove(at);
        if let Some(id) = ca.subject_key_id()
            && slot.is_empty()
        {
            same_subject.by_key_id.remove(id);
        }
        if same_subject.by_key_id.is_empty() && same_subject.without_key_id.is_empty() {
            by_subject.remove(ca.subject());
        }
        Some(removed)
    }

    /// The entry of a CA.
    pub fn get(&self, ca: &CaCertificate) -> Option<Arc<Issuer<T>>> {
        let by_subject = self.by_subject.read();
        let same_subject = by_subject.get(ca.subject())?;
        let slot = match ca.subject_key_id() {
            Some(id) => same_subject.by_key_id.get(id)?,
            None => &same_subject.without_key_id,
        };
        slot.iter().find(|issuer| issuer.ca_certificate_id == ca.ca_certificate_id()).cloned()
    }

    /// The CAs whose subject is the certificate's issuer, at most [`CANDIDATES_MAX`]: first those with the key id that
    /// the certificate names, then those without one, then the others (the identifier is a hint, RFC 5280, 4.2.1.1).
    ///
    /// No signature is checked.
    pub fn candidates(&self, certificate: &X509) -> Vec<Arc<Issuer<T>>> {
        self.ranked(certificate, |_| Some(())).candidates
    }

    /// The CAs whose subject is the certificate's issuer and that have a `rank`: the lowest ranks, at most
    /// [`CANDIDATES_MAX`]; of equal rank, in the order of [`Self::candidates`], in which `rank` is asked, too.
    ///
    /// Whoever may register CAs of any name must not push another's out of this list: a rank that counts the CAs of each
    /// owner gives every owner a place. Walks the CAs of one subject, without a signature check.
    pub fn ranked<R: Ord>(&self, certificate: &X509, mut rank: impl FnMut(&T) -> Option<R>) -> Ranked<T> {
        let by_subject = self.by_subject.read();
        let Some(same_subject) = by_subject.get(certificate.issuer()) else {
            return Ranked { candidates: Vec::new(), left_out: false };
        };
        let mut ranked: Vec<_> = same_subject
            .in_order(certificate.authority_key_id())
            .filter_map(|issuer| Some((rank(&issuer.value)?, issuer)))
            .collect();
        let left_out = ranked.len() > CANDIDATES_MAX;
        if left_out {
            ranked.sort_by(|(one, _), (other, _)| one.cmp(other)); // stable
            ranked.truncate(CANDIDATES_MAX);
        }
        Ranked { candidates: ranked.into_iter().map(|(_, issuer)| Arc::clone(issuer)).collect(), left_out }
    }

    /// The CAs that signed the certificate: those [candidates](Self::candidates) whose key fits its signature.
    ///
    /// If CAs with the key id that the certificate names signed it, the others are not tried. Within each group all are:
    /// whoever holds a certificate can compute a second key that its ECDSA signature fits (not that key's private half), and
    /// a CA certificate with such a key must not hide the true issuer. One check per distinct key.
    pub fn signers(&self, certificate: &X509) -> Vec<Arc<Issuer<T>>> {
        let (named, others) = self.named_and_others(certificate);
        let signers = signers_among(certificate, named);
        if signers.is_empty() { signers_among(certificate, others) } else { signers }
    }

    /// The candidates with the key id that the certificate names, and the others; together at most [`CANDIDATES_MAX`].
    fn named_and_others(&self, certificate: &X509) -> (Found<T>, Found<T>) {
        let by_subject = self.by_subject.read();
        let Some(same_subject) = by_subject.get(certificate.issuer()) else { return (Vec::new(), Vec::new()) };
        let key_id = certificate.authority_key_id();
        let named = key_id.and_then(|id| same_subject.by_key_id.get(id)).into_iter().flatten();
        let named: Vec<_> = named.take(CANDIDATES_MAX).cloned().collect();
        let other_ids = same_subject.by_key_id.iter().filter(|(id, _)| Some(&***id) != key_id).map(|(_, slot)| slot);
        let others = [&same_subject.without_key_id].into_iter().chain(other_ids).flatten();
        let others = others.take(CANDIDATES_MAX - named.len()).cloned().collect();
        (named, others)
    }

    /// How many CAs there are. Walks the subjects: for metrics, not for handshakes.
    pub fn len(&self) -> usize {
        self.by_subject.read().values().map(SameSubject::len).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.by_subject.read().is_empty()
    }
}

fn signers_among<T>(certificate: &X509, mut candidates: Found<T>) -> Found<T> {
    let mut checked: Vec<(PublicKey, bool)> = Vec::new();
    candidates.retain(|candidate| {
        let key = &candidate.public_key;
        if let Some((_, signed)) = checked.iter().find(|(other, _)| other == key) {
            return *signed;
        }
        let signed = certificate.check_signed_by(key).is_ok();
        checked.push((key.clone(), signed));
        signed
    });
    candidates
}

impl<T> SameSubject<T> {
    fn new() -> Self {
        Self { by_key_id: HashMap::new(), without_key_id: Vec::new() }
    }

    fn slot(&mut self, key_id: Option<&[u8]>) -> &mut Vec<Arc<Issuer<T>>> {
        match key_id {
            Some(id) => self.by_key_id.entry(id.into()).or_default(),
            None => &mut self.without_key_id,
        }
    }

    /// First those with this key id, then those without one, then the others.
    fn in_order<'a>(&'a self, key_id: Option<&'a [u8]>) -> impl Iterator<Item = &'a Arc<Issuer<T>>> {
        let named = key_id.and_then(|id| self.by_key_id.get(id)).into_iter().flatten();
        let other_ids = self.by_key_id.iter().filter(move |(id, _)| Some(&***id) != key_id).flat_map(|(_, slot)| slot);
        named.chain(&self.without_key_id).chain(other_ids)
    }

    fn len(&self) -> usize {
        self.by_key_id.values().map(Vec::len).sum::<usize>() + self.without_key_id.len()
    }
}

impl<T> Default for IssuerIndex<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for IssuerIndex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuerIndex").field("len", &self.len()).finish()
    }
}

impl<T> fmt::Debug for Issuer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issuer").field("ca_certificate_id", &self.ca_certificate_id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
