//! AWS: API_UpdateCACertificate.

use tidegate_ids::{CaCertificateId, Now, Tenant};
use tidegate_kv::Transaction;

use super::describe_ca_certificate::read_ca_certificate;
use crate::{
    AutoRegistrationStatus, CaCertificateRecord, CaStatus, RegistrationConfig, Registry, RegistryError,
    tables::CA_CERTIFICATES,
};

/// What UpdateCACertificate asks for; `None` leaves things as they are.
#[derive(Debug, Clone, Default)]
pub struct UpdateCaCertificate {
    /// Whether it registers anything.
    pub new_status: Option<CaStatus>,
    /// Whether it registers unknown leaves at their first CONNECT.
    pub new_auto_registration: Option<AutoRegistrationStatus>,
    /// The provisioning template.
    pub registration_config: Option<RegistrationConfig>,
    /// Forget the provisioning template. AWS: `removeAutoRegistration`.
    pub remove_registration_config: bool,
}

impl Registry {
    /// Changes what a CA certificate does from now on. Certificates that it registered before are not touched.
    ///
    /// # Errors
    /// `CaCertificateNotFound`, `InvalidRequest` for the template.
    pub async fn update_ca_certificate(
        &self,
        tenant: Tenant,
        ca_certificate_id: CaCertificateId,
        input: UpdateCaCertificate,
        now: Now,
    ) -> Result<(), RegistryError> {
        if let Some(problem) = input.registration_config.as_ref().and_then(RegistrationConfig::problem) {
            return Err(RegistryError::InvalidRequest(problem.into()));
        }
        if input.registration_config.is_some() && input.remove_registration_config {
            let why = "registrationConfig and removeAutoRegistration exclude each other";
            return Err(RegistryError::InvalidRequest(why.into()));
        }
        let input = &input;
        let generation_id = &self.generation_id();
        self.change(|read| async move {
            let row = read_ca_certificate(&read, tenant, ca_certificate_id).await?;
            let mut ca = updated(&row.value, input);
            let mut transaction = Transaction::new();
            if ca != row.value {
                ca.modified = now.wall;
                ca.customer_version = ca.customer_version.saturating_add(1);
                ca.generation_id = generation_id.clone();
                CA_CERTIFICATES.replace(&mut transaction, &(tenant, ca_certificate_id), row.revision, &ca);
            }
            Ok((transaction, ()))
        })
        .await
    }
}

/// The record after the update.
fn updated(record: &CaCertificateRecord, input: &UpdateCaCertificate) -> CaCertificateRecord {
    let mut record = record.clone();
    record.status = input.new_status.unwrap_or(record.status);
    record.auto_registration = input.new_auto_registration.unwrap_or(record.auto_registration);
    if input.remove_registration_config {
        record.registration_config = None;
    } else if input.registration_config.is_some() {
        record.registration_config.clone_from(&input.registration_config);
    }
    record
}
