//! The CONNECT itself.

use tidegate_ids::{CaCertificateId, Now, Tenant};
use tidegate_kv::{Expected, KeyRange, Revision, Transaction};
use tidegate_pki::ClientLeaf;

use super::{
    Admission, Admitted, CertificateRegistered, EndpointRequired, Limits, Presented, Refusal, Refused,
    decide::{self, Known},
};
use crate::{
    CertificateStatus, FaultPoints, Registry, RegistryError,
    directory::{CaOwner, Owner, Signer},
    operations::{insert_certificate, insert_unheard_of, new_record},
    tables::{CA_CERTIFICATES, CERTIFICATES},
};

impl Registry {
    /// Decides about a CONNECT. Called for every one, resumed TLS sessions included, before anything else of it counts.
    ///
    /// A known certificate is judged from memory, without a wait. An unknown leaf that an ACTIVE, auto-registering CA signed is
    /// stored as PENDING_ACTIVATION; the row is durable when this returns `Registered`. Of simultaneous first CONNECTs of one
    /// leaf one registers it; the others find it registered. A store that fails refuses.
    ///
    /// The caller publishes the event before it closes the connection.
    pub async fn connect(&self, presented: Presented<'_>, now: Now) -> Result<Admission, Refused> {
        self.connect_within(presented, Limits::default(), now).await
    }

    /// As [`Self::connect`], within the limits of the listener's profile.
    pub async fn connect_within(
        &self,
        presented: Presented<'_>,
        limits: Limits,
        now: Now,
    ) -> Result<Admission, Refused> {
        let leaf = presented.leaf;
        let shown = self.seen(); // before anything is read
        let owners = self.propagated().certificates.owners(leaf.certificate_id());
        let mut signers = Vec::new();
        let outcome = self.judge(presented, &owners, shown, &mut signers, limits, now).await;
        outcome.map_err(|reason| {
            let tenant = decide::concerned(presented.server_name, &owners, &signers);
            let refused = Refused { tenant, certificate_id: leaf.certificate_id(), reason };
            self.retold(refused, leaf, presented.server_name)
        })
    }

    /// As [`Self::connect`]; leaves the CAs that signed an unknown leaf in `signers`.
    async fn judge(
        &self,
        presented: Presented<'_>,
        owners: &[Owner],
        shown: Revision,
        signers: &mut Vec<Signer>,
        limits: Limits,
        now: Now,
    ) -> Result<Admission, Refusal> {
        let Presented { leaf, server_name, .. } = presented;
        decide::judge_leaf(leaf, now.wall)?;
        match decide::known(owners, server_name) {
            Known::By(owner) => return self.admit(presented, owner, now),
            Known::Ambiguous => return Err(Refusal::EndpointRequired(EndpointRequired::SeveralOwners)),
            Known::Unknown => {}
        }
        let elsewhere = |refusal| decide::known_elsewhere(owners, server_name, refusal);
        let issuers = &self.propagated().issuers;
        // What others hold must not matter to the account that the client means: they may register any CA in SNI_ONLY mode.
        *signers = issuers.signers(leaf, |ca| decide::is_meant(ca, server_name)).found;
        let forms = if signers.is_empty() { Vec::new() } else { self.propagated().other_forms(leaf) };
        if let Some((id, _)) = forms.iter().find(|(_, owner)| decide::owns_as_meant(owner, server_name)) {
            return Err(Refusal::OtherForm(*id));
        }
        if !signers.iter().any(|(_, ca)| ca.registers()) {
            // Only for the reason.
            let anybodys = issuers.signers(leaf, |_| true);
            signers.extend(anybodys.found);
            if signers.is_empty() {
                return Err(elsewhere(decide::unsigned(leaf, anybodys.why_none)));
            }
        }
        let registrar = decide::registrar(signers, server_name, presented.registers_without_sni);
        let (ca, owner) = registrar.map_err(elsewhere)?;
        if !self.registrations().take(owner.tenant, limits, now.monotonic) {
            return Err(Refusal::Throttled);
        }
        let unheard_of = (owners.is_empty() && forms.is_empty()).then_some(shown);
        let outcome = self.register(presented, (ca, owner), unheard_of, now).await;
        if !matches!(outcome, Ok(Admission::Registered(_))) && limits.auto_registrations_per_second.is_some() {
            self.registrations().give_back(owner.tenant);
        }
        outcome
    }

    /// A certificate that the account owns.
    fn admit(&self, presented: Presented<'_>, owner: Owner, now: Now) -> Result<Admission, Refusal> {
        let certificate_id = presented.leaf.certificate_id();
        if decide::judge_status(owner.status)? {
            let grants = self.propagated().grants(owner.tenant, certificate_id);
            // It may have been deleted since the status was read, or be known to the rows alone.
            let grants = grants.ok_or(Refusal::Inactive)?;
            return Ok(Admission::Active(Admitted { tenant: owner.tenant, certificate_id, grants }));
        }
        // Only a CA's registration makes this status today.
        let ca_certificate_id = owner.ca_certificate_id.ok_or(Refusal::Inactive)?;
        let event = event(presented, owner.tenant, ca_certificate_id, now);
        Ok(Admission::PendingActivation(CertificateRegistered { registered: Some(owner.registered), ..event }))
    }

    /// Stores an unknown leaf, unless somebody was faster. `unheard_of`: up to when nobody is known to have it.
    async fn register(
        &self,
        presented: Presented<'_>,
        (ca_certificate_id, ca): Signer,
        unheard_of: Option<Revision>,
        now: Now,
    ) -> Result<Admission, Refusal> {
        if let Some(shown) = unheard_of {
            let registered = self.register_from_memory(presented, (ca_certificate_id, ca), shown, now).await;
            if registered.map_err(unavailable)? {
                return Ok(self.registered(presented, ca.tenant, ca_certificate_id, now));
            }
        }
        self.register_from_rows(presented, ca.tenant, ca_certificate_id, now).await
    }

    /// Stores a leaf that the directory has never heard of, without reading a row. `false`: what it knows of the leaf or its
    /// CA was written again since, so the rows must decide.
    async fn register_from_memory(
        &self,
        presented: Presented<'_>,
        (ca_certificate_id, ca): Signer,
        shown: Revision,
        now: Now,
    ) -> Result<bool, RegistryError> {
        let (leaf, tenant) = (presented.leaf, ca.tenant);
        let status = CertificateStatus::PendingActivation;
        let record = new_record(leaf, status, ca.mode, Some(ca_certificate_id), self.generation_id(), now);
        let mut transaction = Transaction::new();
        let its_row = KeyRange::only(&(tenant, ca_certificate_id));
        CA_CERTIFICATES.require_unchanged_since(&mut transaction, its_row, shown);
        insert_unheard_of(&mut transaction, tenant, leaf, &record, shown);
        self.commit(transaction).await
    }

    /// The certificate is stored now, by this CONNECT.
    fn registered(&self, presented: Presented<'_>, tenant: Tenant, ca: CaCertificateId, now: Now) -> Admission {
        self.faults().reached(<dyn FaultPoints>::REGISTERED);
        Admission::Registered(event(presented, tenant, ca, now))
    }

    /// As [`Self::register`], from what the rows say: they decide, not the memory that brought us here.
    async fn register_from_rows(
        &self,
        presented: Presented<'_>,
        tenant: Tenant,
        ca_certificate_id: CaCertificateId,
        now: Now,
    ) -> Result<Admission, Refusal> {
        let leaf = presented.leaf;
        let generation_id = &self.generation_id();
        let outcome = self
            .change(|read| async move {
                let mut transaction = Transaction::new();
                if let Some(row) = CERTIFICATES.get(&read, &(tenant, leaf.certificate_id())).await? {
                    return Ok((transaction, Outcome::Known(Owner::new(tenant, &row.value))));
                }
                let ca = CA_CERTIFICATES.get(&read, &(tenant, ca_certificate_id)).await?;
                let Some(ca) = ca else { return Ok((transaction, Outcome::Refused(no_ca(leaf)))) };
                let signer = [(ca_certificate_id, CaOwner::new(tenant, &ca.value))];
                if let Err(refusal) = decide::registrar(&signer, presented.server_name, true) {
                    return Ok((transaction, Outcome::Refused(refusal)));
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
                    // Not by this id: that was looked up above.
                    Err(RegistryError::CertificateExists(_, form)) => {
                        Ok((Transaction::new(), Outcome::Refused(Refusal::OtherForm(form))))
                    }
                    Err(error) => Err(error),
                }
            })
            .await;
        match outcome.map_err(unavailable)? {
            Outcome::Registered => Ok(self.registered(presented, tenant, ca_certificate_id, now)),
            Outcome::Known(owner) => match decide::known(&[owner], presented.server_name) {
                Known::By(owner) => self.admit(presented, owner, now),
                Known::Unknown | Known::Ambiguous => Err(Refusal::EndpointRequired(EndpointRequired::SniOnly)),
            },
            Outcome::Refused(why) => Err(why),
        }
    }
}

/// What the rows say about an unknown leaf.
enum Outcome {
    Registered,
    Known(Owner),
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

/// A store that fails refuses.
fn unavailable(error: RegistryError) -> Refusal {
    Refusal::Unavailable(error_chain(&error))
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
