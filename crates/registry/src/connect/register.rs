//! The CONNECT itself.

use tidegate_ids::{CaCertificateId, Now, Tenant};
use tidegate_kv::{Expected, Transaction};
use tidegate_pki::ClientLeaf;

use super::{
    Admission, Admitted, CertificateRegistered, EndpointRequired, Presented, Refusal, Refused, ServerName,
    decide::{self, Known},
};
use crate::{
    AutoRegistrationStatus, CaStatus, CertificateMode, CertificateStatus, DeviceCertificateRecord, FaultPoints,
    Registry, RegistryError,
    directory::{Owner, Signer},
    operations::{insert_certificate, new_record},
    tables::{CA_CERTIFICATES, CERTIFICATES},
};

impl Registry {
    /// Decides about a CONNECT. Called for every one, resumed TLS sessions included, before anything else of it counts.
    ///
    /// A known certificate is judged from memory, without a wait. An unknown leaf that an ACTIVE, auto-registering CA signed is
    /// stored as PENDING_ACTIVATION; the row is durable when this returns `Registered`. Of simultaneous first CONNECTs of one
    /// leaf one registers it; the others find it registered. A database that cannot be reached refuses.
    ///
    /// The caller publishes the event before it closes the connection.
    pub async fn connect(&self, presented: Presented<'_>, now: Now) -> Result<Admission, Refused> {
        let leaf = presented.leaf;
        let owners = self.directory().certificates.owners(leaf.certificate_id());
        let refused = |reason: Refusal, signers: &[Signer]| Refused {
            tenant: decide::concerned(presented.server_name, &owners, signers),
            ca_certificate_id: decide::ca_of(&reason).or_else(|| owners.first().and_then(|o| o.ca_certificate_id)),
            certificate_id: leaf.certificate_id(),
            reason,
        };
        decide::judge_leaf(leaf, now.wall).map_err(|reason| refused(reason, &[]))?;
        match decide::known(&owners, presented.server_name) {
            Known::By(owner) => self.admit(presented, owner, now).map_err(|reason| refused(reason, &[])),
            Known::Ambiguous => Err(refused(Refusal::EndpointRequired(EndpointRequired::SeveralOwners), &[])),
            Known::Unknown => {
                let signers = match self.directory().issuers.signers(leaf) {
                    Ok(signers) => signers,
                    Err(why) => {
                        let reason = decide::unsigned(leaf, why);
                        let reason = decide::known_elsewhere(&owners, presented.server_name, reason);
                        return Err(refused(reason, &[]));
                    }
                };
                let (ca, owner) = decide::registrar(&signers, presented.server_name, presented.registers_without_sni)
                    .map_err(|reason| {
                    let reason = decide::known_elsewhere(&owners, presented.server_name, reason);
                    refused(reason, &signers)
                })?;
                let registered = self.register(presented, owner.tenant, ca, now).await;
                registered.map_err(|reason| refused(reason, &signers))
            }
        }
    }

    /// A certificate that the account owns.
    fn admit(&self, presented: Presented<'_>, owner: Owner, now: Now) -> Result<Admission, Refusal> {
        let certificate_id = presented.leaf.certificate_id();
        if decide::judge_status(owner.status)? {
            let grants = self.directory().grants(owner.tenant, certificate_id);
            // It may have been deleted since the status was read.
            let grants = grants.ok_or(Refusal::Inactive)?;
            return Ok(Admission::Active(Admitted { tenant: owner.tenant, certificate_id, grants }));
        }
        // Only a CA's registration makes this status today.
        let ca_certificate_id = owner.ca_certificate_id.ok_or(Refusal::Inactive)?;
        let event = event(presented, owner.tenant, ca_certificate_id, now);
        Ok(Admission::PendingActivation(CertificateRegistered { registered: Some(owner.registered), ..event }))
    }

    /// Stores an unknown leaf, unless somebody was faster: the rows decide, not the memory that brought us here.
    async fn register(
        &self,
        presented: Presented<'_>,
        tenant: Tenant,
        ca_certificate_id: CaCertificateId,
        now: Now,
    ) -> Result<Admission, Refusal> {
        let leaf = presented.leaf;
        let generation_id = &self.generation_id();
        let outcome = self
            .commit(|read| async move {
                let mut transaction = Transaction::new();
                if let Some(row) = CERTIFICATES.get(&read, &(tenant, leaf.certificate_id())).await? {
                    return Ok((transaction, Outcome::Known(Box::new(row.value))));
                }
                let ca = CA_CERTIFICATES.get(&read, &(tenant, ca_certificate_id)).await?;
                let Some(ca) = ca else { return Ok((transaction, Outcome::Refused(no_ca(leaf)))) };
                match (ca.value.status, ca.value.auto_registration) {
                    (CaStatus::Active, AutoRegistrationStatus::Enable) => {}
                    (CaStatus::Active, AutoRegistrationStatus::Disable) => {
                        let refusal = Refusal::AutoRegistrationDisabled(ca_certificate_id);
                        return Ok((transaction, Outcome::Refused(refusal)));
                    }
                    (CaStatus::Inactive, _) => {
                        return Ok((transaction, Outcome::Refused(Refusal::CaInactive(ca_certificate_id))));
                    }
                }
                let status = CertificateStatus::PendingActivation;
                let signed_by = Some(ca_certificate_id);
                let record = new_record(leaf, status, ca.value.mode, signed_by, generation_id.clone(), now);
                CA_CERTIFICATES.require(
                    &mut transaction,
                    &(tenant, ca_certificate_id),
                    Expected::Revision(ca.revision),
                );
                match insert_certificate(&read, &mut transaction, tenant, leaf, &record).await {
                    Ok(()) => Ok((transaction, Outcome::Registered)),
                    Err(RegistryError::CertificateNotAcceptable) => {
                        Ok((Transaction::new(), Outcome::Refused(Refusal::OtherAccount)))
                    }
                    Err(error) => Err(error),
                }
            })
            .await;
        match outcome.map_err(|error| Refusal::Unavailable(error_chain(&error)))?.0 {
            Outcome::Registered => {
                self.faults().reached(<dyn FaultPoints>::REGISTERED);
                Ok(Admission::Registered(event(presented, tenant, ca_certificate_id, now)))
            }
            Outcome::Known(record) => self.admit_known(presented, tenant, &record, now).await,
            Outcome::Refused(refusal) => Err(refusal),
        }
    }

    /// A certificate whose row memory did not show yet.
    async fn admit_known(
        &self,
        presented: Presented<'_>,
        tenant: Tenant,
        record: &DeviceCertificateRecord,
        now: Now,
    ) -> Result<Admission, Refusal> {
        if record.mode == CertificateMode::SniOnly && !matches!(presented.server_name, ServerName::Endpoint(_)) {
            return Err(Refusal::EndpointRequired(EndpointRequired::SniOnly));
        }
        self.show().await.map_err(|error| Refusal::Unavailable(error_chain(&error)))?;
        self.admit(presented, Owner::new(tenant, record), now)
    }
}

/// What the rows say about an unknown leaf.
enum Outcome {
    Registered,
    Known(Box<DeviceCertificateRecord>),
    Refused(Refusal),
}

fn no_ca(leaf: &ClientLeaf) -> Refusal {
    Refusal::NoIssuer { issuer: leaf.issuer_text() }
}

/// The event of this CONNECT, as of a first registration.
fn event(presented: Presented<'_>, tenant: Tenant, ca: CaCertificateId, now: Now) -> CertificateRegistered {
    CertificateRegistered {
        tenant,
        certificate_id: presented.leaf.certificate_id(),
        ca_certificate_id: ca,
        client_id: presented.client_id.into(),
        timestamp: now.wall,
        status: CertificateStatus::PendingActivation,
        registered: None,
    }
}

/// An error with its causes, for the log.
fn error_chain(error: &RegistryError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
