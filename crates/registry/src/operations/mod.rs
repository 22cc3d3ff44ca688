//! One file and one method of [`Registry`](crate::Registry) for each AWS operation, named as the operation.

mod accept_certificate_transfer;
mod accounts;
mod attach_policy;
mod cancel_certificate_transfer;
mod create_certificate_from_csr;
mod create_keys_and_certificate;
mod create_policy;
mod create_policy_version;
mod delete_ca_certificate;
mod delete_certificate;
mod delete_policy;
mod delete_policy_version;
mod delete_registration_code;
mod describe_ca_certificate;
mod describe_certificate;
mod detach_policy;
mod get_policy;
mod get_policy_version;
mod get_registration_code;
mod issuers;
mod list_attached_policies;
mod list_ca_certificates;
mod list_certificates;
mod list_certificates_by_ca;
mod list_outgoing_certificates;
mod list_policies;
mod list_policy_versions;
mod list_targets_for_policy;
mod register_ca_certificate;
mod register_certificate;
mod register_certificate_without_ca;
mod reject_certificate_transfer;
mod server_certificates;
mod set_default_policy_version;
mod settings;
mod transfer_certificate;
mod update_ca_certificate;
mod update_certificate;

pub(crate) use accounts::secret_place;
pub use accounts::{AccessKeySummary, Account, CreatedAccessKey};
pub use create_keys_and_certificate::CreatedKeysAndCertificate;
pub use create_policy::CreatedPolicyVersion;
pub use describe_ca_certificate::CaCertificate;
pub use describe_certificate::DeviceCertificate;
pub use get_policy_version::PolicyVersion;
pub use issuers::CreatedCertificate;
pub(crate) use issuers::Issuers;
pub use list_ca_certificates::CaCertificateSummary;
pub use list_certificates::CertificateSummary;
pub use list_outgoing_certificates::OutgoingCertificate;
pub use list_policy_versions::PolicyVersionSummary;
pub use register_ca_certificate::RegisterCaCertificate;
pub use register_certificate::RegisterCertificate;
pub(crate) use register_certificate::{insert_certificate, insert_unheard_of, new_record, rewritable_part};
pub use server_certificates::{NewServerCertificate, ServerCertificate};
pub use update_ca_certificate::UpdateCaCertificate;

use crate::{RegistryError, Tag};

/// Most tags of a resource. AWS: 50.
const TAGS_MAX: usize = 50;

/// Refuses tags outside AWS's bounds.
///
/// AWS: `Tag`: key 1-128 characters, value up to 256; no key twice.
fn check_tags(tags: &[Tag]) -> Result<(), RegistryError> {
    let invalid = |why: &str| Err(RegistryError::InvalidRequest(why.into()));
    if tags.len() > TAGS_MAX {
        return invalid("a resource has at most 50 tags");
    }
    let mut keys: Vec<&str> = tags.iter().map(|tag| &*tag.key).collect();
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        return invalid("a tag key occurs more than once");
    }
    if tags.iter().any(|tag| !(1..=128).contains(&tag.key.chars().count()) || tag.value.chars().count() > 256) {
        return invalid("a tag has a key of 1 to 128 characters and a value of up to 256");
    }
    Ok(())
}
