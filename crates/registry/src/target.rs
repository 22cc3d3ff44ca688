//! What policies are attached to.

use tidegate_ids::{Arn, CertificateId, Resource, Tenant};

use crate::RegistryError;

/// What a policy is attached to. Thing groups and Cognito identities will be further kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PolicyTarget {
    /// A device certificate.
    Certificate(CertificateId),
}

impl PolicyTarget {
    /// The target that `text`, an ARN, names within `tenant`.
    ///
    /// AWS: `PolicyTarget`, `Principal`. Unverified: the error for another account's ARN; we answer InvalidRequest.
    pub fn parse(tenant: Tenant, text: &str) -> Result<Self, RegistryError> {
        let invalid = |why: &str| RegistryError::InvalidRequest(format!("Invalid target: {why}"));
        let arn: Arn = text.parse().map_err(|error: tidegate_ids::IdError| invalid(&error.to_string()))?;
        if arn.tenant() != Some(tenant) {
            return Err(invalid("it belongs to another account or region"));
        }
        match arn.iot_resource() {
            Some(Resource::Certificate(id)) => Ok(Self::Certificate(id)),
            Some(Resource::CaCertificate(_) | Resource::Policy(_) | Resource::Thing(_) | Resource::ThingType(_))
            | Some(Resource::ThingGroup(_))
            | None => Err(invalid("policies are attached to certificates: arn:aws:iot:REGION:ACCOUNT:cert/ID")),
        }
    }

    /// Its ARN.
    pub fn arn(&self, tenant: Tenant) -> Arn {
        match *self {
            Self::Certificate(id) => Arn::certificate(tenant, id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_certificate_of_the_same_account_and_region() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let id = "ab".repeat(32);
        for (text, valid) in [
            (format!("arn:aws:iot:eu-central-1:123456789012:cert/{id}"), true),
            (format!("arn:aws:iot:eu-central-1:000000000000:cert/{id}"), false),
            (format!("arn:aws:iot:us-east-1:123456789012:cert/{id}"), false),
            (format!("arn:aws:iot:eu-central-1:123456789012:cacert/{id}"), false),
            ("arn:aws:iot:eu-central-1:123456789012:cert/xyz".into(), false),
            ("arn:aws:iot:eu-central-1:123456789012:policy/p".into(), false),
            (id.clone(), false),
            (String::new(), false),
        ] {
            assert_eq!(PolicyTarget::parse(tenant, &text).is_ok(), valid, "{text}");
        }
        let target = PolicyTarget::Certificate(id.parse().unwrap());
        assert_eq!(PolicyTarget::parse(tenant, &target.arn(tenant).to_string()).unwrap(), target);
    }
}
