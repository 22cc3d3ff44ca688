//! What the TLS handshake asks, before anything is known about SNI, address or CONNECT.

use tidegate_ids::{CertificateId, Timestamp};
use tidegate_pki::ClientLeaf;

use super::{Refusal, Refused, decide};
use crate::{
    CertificateMode, Directory,
    directory::{Owner, Signer, Signers},
};

impl Directory {
    /// Whether a handshake with this leaf may go on to the proof of possession: it is within its dates, and known to some
    /// account or signed by a registered CA (or there are too many of that name to tell; CONNECT then tells).
    ///
    /// One signature check for an unknown leaf, none for a known one: its id is the digest of its every byte.
    pub fn check_leaf(&self, leaf: &ClientLeaf, now: Timestamp) -> Result<(), Refused> {
        let owners = self.certificates.owners(leaf.certificate_id());
        decide::judge_leaf(leaf, now).map_err(|reason| refused(leaf, reason, &owners, &[]))?;
        if owners.is_empty() {
            let signers = self.issuers.signers(leaf, |_| true);
            if signers.found.is_empty() && !signers.left_out {
                return Err(refused(leaf, decide::unsigned(leaf, signers.why_none), &owners, &[]));
            }
        }
        Ok(())
    }

    /// Whether a client that has proven possession may send its CONNECT: some account would admit it or register it.
    ///
    /// Which account it means is known only then; [`Registry::connect`](crate::Registry::connect) decides. From memory.
    pub fn check_status(&self, leaf: &ClientLeaf, now: Timestamp) -> Result<(), Refused> {
        let owners = self.certificates.owners(leaf.certificate_id());
        decide::judge_leaf(leaf, now).map_err(|reason| refused(leaf, reason, &owners, &[]))?;
        if owners.iter().any(|owner| decide::judge_status(owner.status).is_ok()) {
            return Ok(());
        }
        let signers = self.issuers.signers(leaf, |_| true);
        let forms = self.other_forms(leaf);
        // Another account may register it by the endpoint in SNI, or the account of its issuer.
        let holds = |tenant| {
            owners.iter().any(|owner| owner.tenant == tenant) || forms.iter().any(|(_, owner)| owner.tenant == tenant)
        };
        if signers.left_out || signers.found.iter().any(|(_, ca)| ca.registers() && !holds(ca.tenant)) {
            return Ok(());
        }
        Err(refused(leaf, self.nowhere(leaf, &owners, &forms, &signers), &owners, &signers.found))
    }

    /// Why no account admits or registers the leaf: first in the words of an account that has it in DEFAULT mode, for anybody may
    /// have it in SNI_ONLY.
    fn nowhere(
        &self,
        leaf: &ClientLeaf,
        owners: &[Owner],
        forms: &[(CertificateId, Owner)],
        signers: &Signers,
    ) -> Refusal {
        let proven = owners.iter().find(|owner| owner.mode == CertificateMode::Default);
        if let Some(Err(reason)) = proven.map(|owner| decide::judge_status(owner.status)) {
            return reason;
        }
        let of_signers =
            |(_, owner): &&(CertificateId, Owner)| signers.found.iter().any(|(_, ca)| ca.tenant == owner.tenant);
        if let Some((id, _)) = forms.iter().find(of_signers) {
            return Refusal::OtherForm(*id);
        }
        match owners.first().map(|owner| decide::judge_status(owner.status)) {
            Some(Err(reason)) => reason,
            Some(Ok(_)) | None if signers.found.is_empty() => decide::unsigned(leaf, signers.why_none),
            Some(Ok(_)) | None => decide::nobody_registers(&signers.found),
        }
    }
}

fn refused(leaf: &ClientLeaf, reason: Refusal, owners: &[Owner], signers: &[Signer]) -> Refused {
    Refused {
        tenant: decide::concerned(super::ServerName::Absent, owners, signers),
        certificate_id: leaf.certificate_id(),
        reason,
    }
}
