//! AWS: API_RegisterCertificate.

use tidegate_ids::{CaCertificateId, CertificateId, Now, Tenant};
use tidegate_kv::{Direction, Expected, Revision, Snapshot, Transaction, Versioned};
use tidegate_pki::{CaCertificate, ClientLeaf, SignatureAlgorithm, sha256};

use crate::{
    CaCertificateRecord, CaStatus, CertificateMode, CertificateProblem, CertificateStatus, DeviceCertificateRecord,
    GenerationId, Registry, RegistryError, SAME_SUBJECT_CAS_MAX, Validity,
    records::OwnerRecord,
    tables::{
        CA_CERTIFICATES, CAS_BY_SUBJECT, CERTIFICATE_OWNERS, CERTIFICATES, CERTIFICATES_BY_CA,
        CERTIFICATES_BY_CREATION, CERTIFICATES_BY_SIGNED_PART,
    },
};

/// What RegisterCertificate asks for.
#[derive(Debug, Clone, Default)]
pub struct RegisterCertificate {
    /// The device certificate, in PEM.
    pub certificate_pem: String,
    /// The CA that signed it, in PEM; needed when several registered CAs have its subject.
    pub ca_certificate_pem: Option<String>,
    /// Its status; INACTIVE without this and the next.
    pub status: Option<CertificateStatus>,
    /// Deprecated by AWS: ACTIVE. `status` wins.
    pub set_as_active: bool,
}

impl Registry {
    /// Registers a device certificate that a registered, ACTIVE CA of the account signed.
    ///
    /// Its dates are not looked at: they count when it connects.
    ///
    /// # Errors
    /// `CertificateInvalid`, `StatusNotRegistrable`, `CaNotRegistered`, `CaInactive`, `CaAmbiguous`,
    /// `CertificateExists`, `CertificateNotAcceptable`.
    pub async fn register_certificate(
        &self,
        tenant: Tenant,
        input: RegisterCertificate,
        now: Now,
    ) -> Result<CertificateId, RegistryError> {
        let leaf = &read_leaf(&input.certificate_pem)?;
        let named = &input.ca_certificate_pem.as_deref().map(|pem| read_ca("caCertificatePem", pem)).transpose()?;
        let status = CertificateStatus::at_registration(input.status, input.set_as_active)
            .map_err(RegistryError::StatusNotRegistrable)?;
        let generation_id = &self.generation_id();
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            let (ca_id, ca) = signer(&read, tenant, leaf, named.as_ref()).await?;
            if ca.value.status != CaStatus::Active {
                return Err(RegistryError::CaInactive(ca_id));
            }
            CA_CERTIFICATES.require(&mut transaction, &(tenant, ca_id), Expected::Revision(ca.revision));
            let signed_by = Some(ca_id);
            let record = new_record(leaf, status, ca.value.mode, signed_by, generation_id.clone(), now);
            insert_certificate(&read, &mut transaction, tenant, leaf, &record).await?;
            Ok((transaction, ()))
        })
        .await?;
        Ok(leaf.certificate_id())
    }
}

/// The device certificate in a request.
pub(super) fn read_leaf(pem: &str) -> Result<ClientLeaf, RegistryError> {
    let what = "certificatePem";
    let unreadable = |why: String| RegistryError::CertificateInvalid(CertificateProblem::Unreadable { what, why });
    let leaf = ClientLeaf::from_pem(pem).map_err(|error| unreadable(error.to_string()))?;
    let algorithm = |why: String| RegistryError::CertificateInvalid(CertificateProblem::Algorithm(why));
    leaf.check_algorithms().map_err(|error| algorithm(error.to_string()))?;
    Ok(leaf)
}

/// A CA certificate in a request, whose member is `what`.
pub(super) fn read_ca(what: &'static str, pem: &str) -> Result<CaCertificate, RegistryError> {
    CaCertificate::from_pem(pem).map_err(|error| {
        RegistryError::CertificateInvalid(CertificateProblem::Unreadable { what, why: error.to_string() })
    })
}

/// The registered CA that signed `leaf`: the one that the caller named, or the only one with its issuer's name.
async fn signer(
    read: &Snapshot,
    tenant: Tenant,
    leaf: &ClientLeaf,
    named: Option<&CaCertificate>,
) -> Result<(CaCertificateId, Versioned<CaCertificateRecord>), RegistryError> {
    if let Some(ca) = named {
        let id = ca.ca_certificate_id();
        let row = CA_CERTIFICATES.get(read, &(tenant, id)).await?.ok_or(RegistryError::CaNotRegistered)?;
        let not_signed = |_| RegistryError::CertificateInvalid(CertificateProblem::NotSignedByCa);
        leaf.check_issued_by(ca).map_err(not_signed)?;
        return Ok((id, row));
    }
    let of_issuer = CAS_BY_SUBJECT.under(&(tenant, sha256(leaf.issuer())));
    let limit = SAME_SUBJECT_CAS_MAX;
    let found = CAS_BY_SUBJECT.scan(read, &of_issuer, limit, Direction::Ascending).await?;
    let id = match &found[..] {
        [] => return Err(RegistryError::CaNotRegistered),
        [only] => only.key.2,
        [_, _, ..] => return Err(RegistryError::CaAmbiguous),
    };
    let row = CA_CERTIFICATES.get(read, &(tenant, id)).await?.ok_or(RegistryError::CaNotRegistered)?;
    let ca = CaCertificate::from_pem(&row.value.pem).map_err(|error| RegistryError::Internal(error.into()))?;
    leaf.check_issued_by(&ca).map_err(|_| RegistryError::CaNotRegistered)?;
    Ok((id, row))
}

/// The row of a certificate that is registered now.
pub(crate) fn new_record(
    leaf: &ClientLeaf,
    status: CertificateStatus,
    mode: CertificateMode,
    ca_certificate_id: Option<CaCertificateId>,
    generation_id: GenerationId,
    now: Now,
) -> DeviceCertificateRecord {
    DeviceCertificateRecord {
        status,
        mode,
        ca_certificate_id,
        previous_owned_by: None,
        transfer: None,
        pem: leaf.pem(),
        validity: Validity { not_before: leaf.not_before(), not_after: leaf.not_after() },
        created: now.wall,
        modified: now.wall,
        customer_version: 1,
        generation_id,
    }
}

/// What all forms of a certificate share whose signature anybody can rewrite: with ECDSA, (r, s) into (r, n - s).
///
/// `None` for RSA: its signatures cannot be rewritten without the issuer's key.
pub(crate) fn rewritable_part(leaf: &ClientLeaf) -> Option<[u8; 32]> {
    match leaf.signature_algorithm() {
        SignatureAlgorithm::Ecdsa(_) => Some(leaf.signed_part_sha256()),
        SignatureAlgorithm::RsaPkcs1(_) | SignatureAlgorithm::RsaPss(..) | SignatureAlgorithm::Unaccepted(_) => None,
    }
}

/// Adds a certificate's row and its index rows. In DEFAULT mode no other account of the region may hold it so.
///
/// Another form of a certificate (see [`rewritable_part`]) counts as the certificate: `CertificateExists` names the one that
/// is registered. Unverified: AWS, which knows certificates by their ids alone, may take it.
///
/// # Errors
/// `CertificateExists`, `CertificateNotAcceptable`.
pub(crate) async fn insert_certificate(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    leaf: &ClientLeaf,
    record: &DeviceCertificateRecord,
) -> Result<(), RegistryError> {
    let id = leaf.certificate_id();
    if CERTIFICATES.get(read, &(tenant, id)).await?.is_some() {
        return Err(RegistryError::CertificateExists(tenant, id));
    }
    if record.mode == CertificateMode::Default {
        let owners = CERTIFICATE_OWNERS.under(&(id, tenant.region));
        let mut taken = false;
        CERTIFICATE_OWNERS
            .each(read, owners.clone(), |row| taken |= row.value.mode == CertificateMode::Default)
            .await?;
        if taken {
            return Err(RegistryError::CertificateNotAcceptable);
        }
        CERTIFICATE_OWNERS.require_unchanged(transaction, owners, read);
    }
    if let Some(part) = rewritable_part(leaf) {
        require_no_other_form(read, transaction, tenant, part, record.mode).await?;
    }
    CERTIFICATES.require(transaction, &(tenant, id), Expected::Absent);
    put_certificate(transaction, tenant, leaf, record);
    Ok(())
}

/// Adds a certificate's row and its index rows, that nobody of the region has in any form, if nothing that concerns it was
/// written after `shown`: up to there, the directory knows of no owner. Reads nothing.
pub(crate) fn insert_unheard_of(
    transaction: &mut Transaction,
    tenant: Tenant,
    leaf: &ClientLeaf,
    record: &DeviceCertificateRecord,
    shown: Revision,
) {
    let id = leaf.certificate_id();
    CERTIFICATE_OWNERS.require_unchanged_since(transaction, CERTIFICATE_OWNERS.under(&(id, tenant.region)), shown);
    if let Some(part) = rewritable_part(leaf) {
        let forms = CERTIFICATES_BY_SIGNED_PART.under(&(part, tenant.region));
        CERTIFICATES_BY_SIGNED_PART.require_unchanged_since(transaction, forms, shown);
    }
    put_certificate(transaction, tenant, leaf, record);
}

/// A certificate's row and its index rows. The caller requires that the account has neither.
pub(super) fn put_certificate(
    transaction: &mut Transaction,
    tenant: Tenant,
    leaf: &ClientLeaf,
    record: &DeviceCertificateRecord,
) {
    let id = leaf.certificate_id();
    let owner = OwnerRecord { mode: record.mode };
    if let Some(part) = rewritable_part(leaf) {
        let key = (part, tenant.region, tenant.account, id);
        CERTIFICATES_BY_SIGNED_PART.put(transaction, &key, &owner);
    }
    CERTIFICATES.put(transaction, &(tenant, id), record);
    CERTIFICATES_BY_CREATION.put(transaction, &(tenant, record.created, id), &());
    if let Some(ca) = record.ca_certificate_id {
        CERTIFICATES_BY_CA.put(transaction, &(tenant, ca, record.created, id), &());
    }
    CERTIFICATE_OWNERS.put(transaction, &(id, tenant.region, tenant.account), &owner);
}

/// Refuses a certificate that the account holds in another form, or that another account of the region holds so in
/// DEFAULT mode, as it would be refused in that form.
async fn require_no_other_form(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    part: [u8; 32],
    mode: CertificateMode,
) -> Result<(), RegistryError> {
    let range = match mode {
        CertificateMode::Default => CERTIFICATES_BY_SIGNED_PART.under(&(part, tenant.region)),
        CertificateMode::SniOnly => CERTIFICATES_BY_SIGNED_PART.under(&(part, tenant.region, tenant.account)),
    };
    let (mut own, mut taken) = (None, false);
    CERTIFICATES_BY_SIGNED_PART
        .each(read, range.clone(), |row| match row.key {
            (_, _, account, id) if account == tenant.account => own = Some(id),
            _ => taken |= row.value.mode == CertificateMode::Default,
        })
        .await?;
    if let Some(id) = own {
        return Err(RegistryError::CertificateExists(tenant, id));
    }
    if taken && mode == CertificateMode::Default {
        return Err(RegistryError::CertificateNotAcceptable);
    }
    CERTIFICATES_BY_SIGNED_PART.require_unchanged(transaction, range, read);
    Ok(())
}
