//! What the TLS handshake asks, before anything is known about SNI, address or CONNECT.

use tidegate_ids::Timestamp;
use tidegate_pki::ClientLeaf;

use super::{Refusal, Refused, decide};
use crate::{
    Directory,
    directory::{Owner, Signer},
};

impl Directory {
    /// Whether a handshake with this leaf may go on to the proof of possession: it is within its dates, and known to some
    /// account or signed by a registered CA.
    ///
    /// One signature check for an unknown leaf, none for a known one: its id is the digest of its every byte.
    pub fn check_leaf(&self, leaf: &ClientLeaf, now: Timestamp) -> Result<(), Refused> {
        let owners = self.certificates.owners(leaf.certificate_id());
        decide::judge_leaf(leaf, now).map_err(|reason| refused(leaf, reason, &owners, &[]))?;
        if owners.is_empty() {
            let signers = self.issuers.signers(leaf);
            signers.map_err(|why| refused(leaf, decide::unsigned(leaf, why), &owners, &[]))?;
        }
        Ok(())
    }

    /// Whether a client that has proven possession may send its CONNECT: some account would admit it or register it.
    ///
    /// Which account it means is known only then; [`Registry::connect`](crate::Registry::connect) decides. From memory.
    pub fn check_status(&self, leaf: &ClientLeaf, now: Timestamp) -> Result<(), Refused> {
        let owners = self.certificates.owners(leaf.certificate_id());
        decide::judge_leaf(leaf, now).map_err(|reason| refused(leaf, reason, &owners, &[]))?;
        let mut reason = None;
        for owner in &owners {
            match decide::judge_status(owner.status) {
                Ok(_) => return Ok(()),
                Err(refusal) => reason = reason.or(Some(refusal)),
            }
        }
        let signers = self.issuers.signers(leaf);
        // Another account may register it by the endpoint in SNI, or the account of its issuer.
        let elsewhere = |(_, ca): &&Signer| ca.registers() && !owners.iter().any(|owner| owner.tenant == ca.tenant);
        match (&signers, reason) {
            (Ok(signers), _) if signers.iter().any(|signer| elsewhere(&signer)) => Ok(()),
            (Ok(signers), Some(reason)) => Err(refused(leaf, reason, &owners, signers)),
            (Err(_), Some(reason)) => Err(refused(leaf, reason, &owners, &[])),
            (Ok(signers), None) => Err(refused(leaf, decide::nobody_registers(signers), &owners, signers)),
            (Err(why), None) => Err(refused(leaf, decide::unsigned(leaf, *why), &owners, &[])),
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
