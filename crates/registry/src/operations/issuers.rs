//! The broker's own two CAs: one issues device certificates, one the server certificates that clients check.

use tidegate_ids::{Arn, CertificateId, Now, Tenant};
use tidegate_kv::{Store, Transaction};
use tidegate_pki::{
    CaCertificate, ClientLeaf, PrivateKey,
    issue::{DEVICE_NOT_AFTER, IssuingCa, Validity},
    seal::MasterKey,
};

use super::register_certificate::{insert_certificate, new_record};
use crate::{
    CertificateMode, CertificateStatus, Registry, RegistryError,
    records::{IssuerRecord, Sealed},
    tables::ISSUERS,
};

/// Organization in the broker's own CA certificates.
const ORGANIZATION: &str = "Tidegate";
/// How far a new CA certificate reaches back, for clients whose clocks are late.
const BACKDATED: std::time::Duration = std::time::Duration::from_secs(3600);

/// The broker's own CAs, keys opened.
#[derive(Debug)]
pub(crate) struct Issuers {
    /// Issues for CreateKeysAndCertificate and CreateCertificateFromCsr.
    pub(crate) device: IssuingCa,
    /// Issues what the listeners show.
    pub(crate) server: IssuingCa,
}

/// A device certificate that the broker issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedCertificate {
    /// SHA-256 of its DER.
    pub certificate_id: CertificateId,
    /// Its ARN.
    pub arn: Arn,
    /// The certificate, in PEM.
    pub pem: String,
}

impl Issuers {
    /// Opens the CAs in the store; makes them at first start.
    pub(crate) async fn open(store: &dyn Store, master_key: &MasterKey, now: Now) -> Result<Self, RegistryError> {
        Ok(Self {
            device: issuer(store, master_key, "device", "Tidegate Device CA", now).await?,
            server: issuer(store, master_key, "server", "Tidegate Server CA", now).await?,
        })
    }
}

/// The CA stored under `purpose`, made if there is none.
async fn issuer(
    store: &dyn Store,
    master_key: &MasterKey,
    purpose: &str,
    common_name: &str,
    now: Now,
) -> Result<IssuingCa, RegistryError> {
    let internal = |error: tidegate_pki::PkiError| RegistryError::Internal(error.into());
    let place = &format!("{}/{purpose}", ISSUERS.name());
    let key = &purpose.to_owned();
    let (record, _) = tidegate_kv::commit_with(store, |read| async move {
        let mut transaction = Transaction::new();
        if let Some(row) = ISSUERS.get(&read, key).await? {
            return Ok::<_, RegistryError>((transaction, row.value));
        }
        let validity = Validity { not_before: now.wall - BACKDATED, not_after: DEVICE_NOT_AFTER };
        let private_key = PrivateKey::generate_p256().map_err(internal)?;
        let ca = IssuingCa::self_signed(common_name, ORGANIZATION, private_key, validity).map_err(internal)?;
        let record = IssuerRecord {
            pem: ca.certificate().pem(),
            key: Sealed(master_key.seal(place.as_bytes(), ca.key().pkcs8_der())),
            created: now.wall,
        };
        ISSUERS.insert(&mut transaction, key, &record);
        Ok((transaction, record))
    })
    .await?;
    let certificate = CaCertificate::from_pem(&record.pem).map_err(internal)?;
    let pkcs8 = master_key.open(place.as_bytes(), &record.key.0).map_err(internal)?;
    IssuingCa::new(certificate, PrivateKey::from_pkcs8_der(&pkcs8).map_err(internal)?).map_err(internal)
}

impl Registry {
    /// The certificate, in PEM, of the CA that issues the broker's own server certificates: what clients trust.
    pub fn server_ca_pem(&self) -> String {
        self.issuers().server.certificate().pem()
    }

    /// Registers a certificate that the broker has just issued.
    pub(super) async fn insert_issued(
        &self,
        tenant: Tenant,
        leaf: ClientLeaf,
        set_as_active: bool,
        now: Now,
    ) -> Result<CreatedCertificate, RegistryError> {
        let status = if set_as_active { CertificateStatus::Active } else { CertificateStatus::Inactive };
        let (leaf, generation_id) = (&leaf, self.generation_id());
        let record = &new_record(leaf, status, CertificateMode::Default, None, generation_id, now);
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            insert_certificate(&read, &mut transaction, tenant, leaf, record).await?;
            Ok((transaction, ()))
        })
        .await?;
        let certificate_id = leaf.certificate_id();
        Ok(CreatedCertificate {
            certificate_id,
            arn: Arn::certificate(tenant, certificate_id),
            pem: record.pem.clone(),
        })
    }
}
