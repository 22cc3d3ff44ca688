//! AWS: API_RegisterCACertificate.

use tidegate_ids::{CaCertificateId, Now, RegistrationCode, Tenant, Timestamp};
use tidegate_kv::{Direction, Snapshot, Transaction};
use tidegate_pki::{CaCertificate, NameAttribute, X509, pem, sha256};

use super::register_certificate::read_ca;
use crate::{
    AutoRegistrationStatus, CaCertificateRecord, CaStatus, CertificateMode, CertificateProblem, RegistrationConfig,
    Registry, RegistryError, SAME_SUBJECT_CAS_MAX, Tag, Validity,
    records::OwnerRecord,
    tables::{CA_CERTIFICATES, CA_OWNERS, CAS_BY_CREATION, CAS_BY_SUBJECT, REGISTRATION_CODES},
};

/// What RegisterCACertificate asks for.
#[derive(Debug, Clone, Default)]
pub struct RegisterCaCertificate {
    /// The CA certificate, in PEM.
    pub ca_certificate_pem: String,
    /// Proof that the caller holds the CA's key: a certificate that it signed, whose common name is the registration
    /// code. Required in DEFAULT mode, forbidden in SNI_ONLY.
    pub verification_certificate_pem: Option<String>,
    /// DEFAULT when `None`.
    pub mode: Option<CertificateMode>,
    /// ACTIVE at once.
    pub set_as_active: bool,
    /// Register unknown leaves at their first CONNECT.
    pub allow_auto_registration: bool,
    /// The provisioning template.
    pub registration_config: Option<RegistrationConfig>,
    /// Labels.
    pub tags: Vec<Tag>,
}

impl Registry {
    /// Registers a CA certificate: INACTIVE and without auto-registration, unless asked otherwise.
    ///
    /// # Errors
    /// `CertificateInvalid`, `RegistrationCodeMismatch`, `CaCertificateExists`, `CaCertificateNotAcceptable`,
    /// `TooManyCasOfOneSubject`, `InvalidRequest` for template and tags.
    pub async fn register_ca_certificate(
        &self,
        tenant: Tenant,
        input: RegisterCaCertificate,
        now: Now,
    ) -> Result<CaCertificateId, RegistryError> {
        if let Some(problem) = input.registration_config.as_ref().and_then(RegistrationConfig::problem) {
            return Err(RegistryError::InvalidRequest(problem.into()));
        }
        crate::tags::check_tags(&input.tags)?;
        let ca = &read_ca("caCertificate", &input.ca_certificate_pem)?;
        let mode = input.mode.unwrap_or(CertificateMode::Default);
        let verification = &verification(mode, input.verification_certificate_pem.as_deref())?;
        let not_a_ca = |why: tidegate_pki::PkiError| CertificateProblem::NotACa(why.to_string());
        ca.check_registrable(now.wall).map_err(not_a_ca).map_err(RegistryError::CertificateInvalid)?;
        let record = &self.new_ca_record(ca, mode, input, now);
        let id = ca.ca_certificate_id();
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            if let Some(verification) = verification {
                let code = REGISTRATION_CODES.get(&read, &tenant).await?;
                check_verification(verification, ca, code.as_ref().map(|row| row.value.code), now.wall)?;
                REGISTRATION_CODES.require_as_read(&mut transaction, &tenant, code.as_ref());
            }
            if CA_CERTIFICATES.get(&read, &(tenant, id)).await?.is_some() {
                return Err(RegistryError::CaCertificateExists(tenant, id));
            }
            require_acceptable(&read, &mut transaction, tenant, ca, mode).await?;
            CA_CERTIFICATES.insert(&mut transaction, &(tenant, id), record);
            CAS_BY_CREATION.put(&mut transaction, &(tenant, record.created, id), &());
            CAS_BY_SUBJECT.put(&mut transaction, &(tenant, sha256(ca.subject()), id), &());
            CA_OWNERS.put(&mut transaction, &(id, tenant.region, tenant.account), &OwnerRecord { mode });
            Ok((transaction, ()))
        })
        .await?;
        Ok(id)
    }

    fn new_ca_record(
        &self,
        ca: &CaCertificate,
        mode: CertificateMode,
        input: RegisterCaCertificate,
        now: Now,
    ) -> CaCertificateRecord {
        use {AutoRegistrationStatus::*, CaStatus::*};
        CaCertificateRecord {
            status: if input.set_as_active { Active } else { Inactive },
            auto_registration: if input.allow_auto_registration { Enable } else { Disable },
            mode,
            pem: ca.pem(),
            subject_digest: CaCertificateId::from_bytes(sha256(ca.subject())).to_string(),
            validity: Validity { not_before: ca.not_before(), not_after: ca.not_after() },
            registration_config: input.registration_config,
            created: now.wall,
            modified: now.wall,
            customer_version: 1,
            generation_id: self.generation_id(),
            tags: input.tags,
        }
    }
}

/// The verification certificate, where the mode wants one.
///
/// AWS: API_RegisterCACertificate, `certificateMode`.
fn verification(mode: CertificateMode, pem: Option<&str>) -> Result<Option<X509>, RegistryError> {
    let unreadable = |why: tidegate_pki::PkiError| {
        let what = "verificationCertificate";
        RegistryError::CertificateInvalid(CertificateProblem::Unreadable { what, why: why.to_string() })
    };
    match (mode, pem) {
        (CertificateMode::Default, Some(pem)) => {
            let der = pem::one_certificate(pem).map_err(unreadable)?;
            X509::parse(&der).map_err(unreadable).map(Some)
        }
        (CertificateMode::SniOnly, None) => Ok(None),
        (CertificateMode::Default, None) => {
            Err(RegistryError::CertificateInvalid(CertificateProblem::VerificationCertificateMissing))
        }
        (CertificateMode::SniOnly, Some(_)) => {
            Err(RegistryError::CertificateInvalid(CertificateProblem::VerificationCertificateUnexpected))
        }
    }
}

/// Whether the verification certificate proves that its sender holds the CA's key, and means this account.
///
/// AWS: developer guide, "Register a CA certificate in DEFAULT mode". Unverified: which error comes first when the
/// signature and the code are both wrong; we look at the signature first.
fn check_verification(
    verification: &X509,
    ca: &CaCertificate,
    code: Option<RegistrationCode>,
    now: Timestamp,
) -> Result<(), RegistryError> {
    let invalid = |problem| Err(RegistryError::CertificateInvalid(problem));
    if verification.check_issued_by(ca).is_err() {
        return invalid(CertificateProblem::VerificationNotSignedByCa);
    }
    if verification.check_dates(now).is_err() {
        return invalid(CertificateProblem::VerificationCertificateExpired);
    }
    let attributes = verification.attributes();
    let named = attributes.subject(NameAttribute::CommonName).first().and_then(|name| name.parse().ok());
    match code {
        Some(code) if named == Some(code) => Ok(()),
        Some(_) | None => Err(RegistryError::RegistrationCodeMismatch),
    }
}

/// Refuses a CA that another account of the region holds in DEFAULT mode, and one too many of the same subject.
///
/// AWS: developer guide, "Manage your CA certificates": in DEFAULT mode one account of a region, in SNI_ONLY any number
/// (beside the one, too).
async fn require_acceptable(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    ca: &CaCertificate,
    mode: CertificateMode,
) -> Result<(), RegistryError> {
    if mode == CertificateMode::Default {
        let owners = CA_OWNERS.under(&(ca.ca_certificate_id(), tenant.region));
        let mut taken = false;
        CA_OWNERS.each(read, owners.clone(), |row| taken |= row.value.mode == CertificateMode::Default).await?;
        if taken {
            return Err(RegistryError::CaCertificateNotAcceptable);
        }
        CA_OWNERS.require_unchanged(transaction, owners, read);
    }
    let same_subject = CAS_BY_SUBJECT.under(&(tenant, sha256(ca.subject())));
    let held = CAS_BY_SUBJECT.scan(read, &same_subject, SAME_SUBJECT_CAS_MAX, Direction::Ascending).await?;
    if held.len() >= SAME_SUBJECT_CAS_MAX {
        return Err(RegistryError::TooManyCasOfOneSubject);
    }
    CAS_BY_SUBJECT.require_unchanged(transaction, same_subject, read);
    Ok(())
}

/// The subject's part of the key in the index of subjects.
pub(super) fn subject_key(record: &CaCertificateRecord) -> Result<[u8; 32], RegistryError> {
    let digest: Result<CaCertificateId, _> = record.subject_digest.parse();
    digest.map(|digest| *digest.as_bytes()).map_err(|error| RegistryError::Internal(error.into()))
}
