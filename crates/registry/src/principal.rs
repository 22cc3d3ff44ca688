//! What things are attached to.

use tidegate_ids::{Arn, CertificateId, Resource, Tenant};

use crate::{RegistryError, own_resource::own_resource};

/// What can be attached to a thing. Cognito identities would be a further kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ThingPrincipal {
    /// A device certificate.
    Certificate(CertificateId),
}

impl ThingPrincipal {
    /// The principal that `text`, an ARN, names within `tenant`.
    ///
    /// AWS: `Principal`. Unverified: the error for another account's ARN; we answer InvalidRequest.
    pub fn parse(tenant: Tenant, text: &str) -> Result<Self, RegistryError> {
        let invalid = |why: &str| RegistryError::InvalidRequest(format!("Invalid principal: {why}"));
        match own_resource(tenant, text, invalid)? {
            Some(Resource::Certificate(id)) => Ok(Self::Certificate(id)),
            Some(_) | None => Err(invalid("things are attached to certificates: arn:aws:iot:REGION:ACCOUNT:cert/ID")),
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
    fn a_principal_is_a_certificate_of_the_same_account_and_region() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let id = "ab".repeat(32);
        for (text, valid) in [
            (format!("arn:aws:iot:eu-central-1:123456789012:cert/{id}"), true),
            (format!("arn:aws:iot:eu-central-1:000000000000:cert/{id}"), false),
            (format!("arn:aws:iot:us-east-1:123456789012:cert/{id}"), false),
            (format!("arn:aws:iot:eu-central-1:123456789012:cacert/{id}"), false),
            ("arn:aws:iot:eu-central-1:123456789012:thing/t".into(), false),
            (id.clone(), false),
            (String::new(), false),
        ] {
            assert_eq!(ThingPrincipal::parse(tenant, &text).is_ok(), valid, "{text}");
        }
        let principal = ThingPrincipal::Certificate(id.parse().unwrap());
        assert_eq!(ThingPrincipal::parse(tenant, &principal.arn(tenant).to_string()).unwrap(), principal);
    }
}
