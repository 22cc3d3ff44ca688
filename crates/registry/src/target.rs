//! What policies are attached to.

use tidegate_ids::{Arn, CertificateId, Resource, Tenant, ThingGroupName};

use crate::{RegistryError, own_resource::own_resource};

/// What a policy is attached to. Cognito identities would be a further kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PolicyTarget {
    /// A device certificate.
    Certificate(CertificateId),
    /// A thing group: what it allows is for connections of things in it and in all groups below it.
    ThingGroup(ThingGroupName),
}

impl PolicyTarget {
    /// The target that `text`, an ARN, names within `tenant`.
    ///
    /// AWS: `PolicyTarget`, `Principal`. Unverified: the error for another account's ARN; we answer InvalidRequest.
    pub fn parse(tenant: Tenant, text: &str) -> Result<Self, RegistryError> {
        let invalid = |why: &str| RegistryError::InvalidRequest(format!("Invalid target: {why}"));
        match own_resource(tenant, text, invalid)? {
            Some(Resource::Certificate(id)) => Ok(Self::Certificate(id)),
            Some(Resource::ThingGroup(name)) => Ok(Self::ThingGroup(name)),
            Some(
                Resource::CaCertificate(_)
                | Resource::Policy(_)
                | Resource::Thing(_)
                | Resource::ThingType(_)
                | Resource::Authorizer(_)
                | Resource::DomainConfiguration(_),
            )
            | None => Err(invalid(
                "policies are attached to certificates and thing groups: \
                     arn:aws:iot:REGION:ACCOUNT:cert/ID, arn:aws:iot:REGION:ACCOUNT:thinggroup/NAME",
            )),
        }
    }

    /// Its ARN.
    pub fn arn(&self, tenant: Tenant) -> Arn {
        match self {
            Self::Certificate(id) => Arn::certificate(tenant, *id),
            Self::ThingGroup(name) => Arn::thing_group(tenant, name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_certificate_or_a_thing_group_of_the_same_account_and_region() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let id = "ab".repeat(32);
        for (text, valid) in [
            (format!("arn:aws:iot:eu-central-1:123456789012:cert/{id}"), true),
            (format!("arn:aws:iot:eu-central-1:000000000000:cert/{id}"), false),
            (format!("arn:aws:iot:us-east-1:123456789012:cert/{id}"), false),
            (format!("arn:aws:iot:eu-central-1:123456789012:cacert/{id}"), false),
            ("arn:aws:iot:eu-central-1:123456789012:cert/xyz".into(), false),
            ("arn:aws:iot:eu-central-1:123456789012:policy/p".into(), false),
            ("arn:aws:iot:eu-central-1:123456789012:thinggroup/g".into(), true),
            ("arn:aws:iot:eu-central-1:000000000000:thinggroup/g".into(), false),
            ("arn:aws:iot:eu-central-1:123456789012:thinggroup/a.b".into(), false),
            ("arn:aws:iot:eu-central-1:123456789012:thing/t".into(), false),
            (id.clone(), false),
            (String::new(), false),
        ] {
            assert_eq!(PolicyTarget::parse(tenant, &text).is_ok(), valid, "{text}");
        }
        for target in [PolicyTarget::Certificate(id.parse().unwrap()), PolicyTarget::ThingGroup("g".parse().unwrap())] {
            assert_eq!(PolicyTarget::parse(tenant, &target.arn(tenant).to_string()).unwrap(), target);
        }
    }
}
