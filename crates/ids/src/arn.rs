//! Amazon Resource Names.

use std::{fmt, str::FromStr};

use crate::{
    AccountId, AuthorizerName, CaCertificateId, CertificateId, DomainConfigurationName, IdError, PolicyName, Region,
    Tenant, ThingGroupName, ThingName, ThingTypeName,
};

/// `arn:aws:<service>:<region>:<account>:<resource>`. Region and account may be empty, as in IAM's.
///
/// AWS: general reference, "Amazon Resource Names".
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Arn {
    /// `iot`, `iam`, `sts`, …
    pub service: Box<str>,
    /// Where it is; `None` for global services.
    pub region: Option<Region>,
    /// Whose it is; `None` where AWS leaves it out.
    pub account: Option<AccountId>,
    /// All after the fifth colon, such as `cert/1f…`.
    pub resource: Box<str>,
}

/// An AWS IoT resource that one of our ARNs names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Resource {
    /// `cert/ID`
    Certificate(CertificateId),
    /// `cacert/ID`
    CaCertificate(CaCertificateId),
    /// `policy/NAME`
    Policy(PolicyName),
    /// `thing/NAME`
    Thing(ThingName),
    /// `thingtype/NAME`
    ThingType(ThingTypeName),
    /// `thinggroup/NAME`
    ThingGroup(ThingGroupName),
    /// `authorizer/NAME`
    Authorizer(AuthorizerName),
    /// `domainconfiguration/NAME/ID`
    DomainConfiguration(DomainConfigurationName),
}

impl Arn {
    /// Longest ARN that is read, in bytes. AWS: 2 048 in most models.
    pub const BYTES_MAX: usize = 2048;

    /// The ARN of an AWS IoT `resource` such as `client/d1`.
    pub fn iot(tenant: Tenant, resource: impl Into<Box<str>>) -> Self {
        Self {
            service: "iot".into(),
            region: Some(tenant.region),
            account: Some(tenant.account),
            resource: resource.into(),
        }
    }

    /// `arn:aws:iot:REGION:ACCOUNT:cert/ID`
    pub fn certificate(tenant: Tenant, id: CertificateId) -> Self {
        Self::iot(tenant, format!("cert/{id}"))
    }

    /// `arn:aws:iot:REGION:ACCOUNT:cacert/ID`
    pub fn ca_certificate(tenant: Tenant, id: CaCertificateId) -> Self {
        Self::iot(tenant, format!("cacert/{id}"))
    }

    /// `arn:aws:iot:REGION:ACCOUNT:policy/NAME`
    pub fn policy(tenant: Tenant, name: &PolicyName) -> Self {
        Self::iot(tenant, format!("policy/{name}"))
    }

    /// `arn:aws:iot:REGION:ACCOUNT:thing/NAME`
    pub fn thing(tenant: Tenant, name: &ThingName) -> Self {
        Self::iot(tenant, format!("thing/{name}"))
    }

    /// `arn:aws:iot:REGION:ACCOUNT:thingtype/NAME`
    pub fn thing_type(tenant: Tenant, name: &ThingTypeName) -> Self {
        Self::iot(tenant, format!("thingtype/{name}"))
    }

    /// `arn:aws:iot:REGION:ACCOUNT:thinggroup/NAME`
    pub fn thing_group(tenant: Tenant, name: &ThingGroupName) -> Self {
        Self::iot(tenant, format!("thinggroup/{name}"))
    }

    /// `arn:aws:iot:REGION:ACCOUNT:authorizer/NAME`
    pub fn authorizer(tenant: Tenant, name: &AuthorizerName) -> Self {
        Self::iot(tenant, format!("authorizer/{name}"))
    }

    /// `arn:aws:iot:REGION:ACCOUNT:domainconfiguration/NAME/ID`, without `/ID` for the service's own.
    ///
    /// Decision: the id, five characters that AWS draws at random, is made of account, region and name: whoever knows the name
    /// knows the ARN, before there is a configuration.
    pub fn domain_configuration(tenant: Tenant, name: &DomainConfigurationName) -> Self {
        if name.is_reserved() {
            return Self::iot(tenant, format!("domainconfiguration/{name}"));
        }
        Self::iot(tenant, format!("domainconfiguration/{name}/{}", short_id(&format!("{tenant}/{name}"))))
    }

    /// `arn:aws:iam::ACCOUNT:root`: the principal that an account's administrator key stands for.
    pub fn root(account: AccountId) -> Self {
        Self::iam(account, "root")
    }

    /// The ARN of a `resource` of IAM, such as `user/alice`.
    pub fn iam(account: AccountId, resource: impl Into<Box<str>>) -> Self {
        Self { service: "iam".into(), region: None, account: Some(account), resource: resource.into() }
    }

    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`: somebody who has taken on a role.
    pub fn assumed_role(account: AccountId, role: &str, session: &str) -> Self {
        let resource = format!("assumed-role/{role}/{session}").into();
        Self { service: "sts".into(), region: None, account: Some(account), resource }
    }

    /// Account and region, when the ARN has both.
    pub fn tenant(&self) -> Option<Tenant> {
        Some(Tenant { account: self.account?, region: self.region? })
    }

    /// What an ARN of the service `iot` names, as far as Tidegate keeps such things.
    pub fn iot_resource(&self) -> Option<Resource> {
        let (kind, id) = self.resource.split_once('/')?;
        match (&*self.service, kind) {
            ("iot", "cert") => id.parse().ok().map(Resource::Certificate),
            ("iot", "cacert") => id.parse().ok().map(Resource::CaCertificate),
            ("iot", "policy") => id.parse().ok().map(Resource::Policy),
            ("iot", "thing") => id.parse().ok().map(Resource::Thing),
            ("iot", "thingtype") => id.parse().ok().map(Resource::ThingType),
            ("iot", "thinggroup") => id.parse().ok().map(Resource::ThingGroup),
            ("iot", "authorizer") => id.parse().ok().map(Resource::Authorizer),
            ("iot", "domainconfiguration") => {
                let name: DomainConfigurationName = id.split_once('/').map_or(id, |(name, _)| name).parse().ok()?;
                let own = Self::domain_configuration(self.tenant()?, &name);
                (own == *self).then_some(Resource::DomainConfiguration(name))
            }
            _ => None,
        }
    }
}

/// Five letters and digits made of `text`, the same every time.
fn short_id(text: &str) -> String {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    // FNV-1a: it needs to be the same on all nodes and in all versions, nothing more.
    let hash = text
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    (0..5).map(|part| char::from(ALPHABET[(hash >> (64 - 5 * (part + 1)) & 31) as usize])).collect()
}

impl FromStr for Arn {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        if text.len() > Self::BYTES_MAX {
            return Err(IdError::Arn("longer than 2048 bytes"));
        }
        let mut parts = text.splitn(6, ':');
        let mut next = || parts.next().ok_or(IdError::Arn("it has six parts joined by colons"));
        if next()? != "arn" {
            return Err(IdError::Arn("it starts with arn:"));
        }
        if next()? != "aws" {
            return Err(IdError::Arn("the partition is aws"));
        }
        let (service, region, account, resource) = (next()?, next()?, next()?, next()?);
        if service.is_empty() || resource.is_empty() {
            return Err(IdError::Arn("service and resource are not empty"));
        }
        Ok(Self {
            service: service.into(),
            region: if region.is_empty() { None } else { Some(region.parse()?) },
            account: if account.is_empty() { None } else { Some(account.parse()?) },
            resource: resource.into(),
        })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { service, region, account, resource } = self;
        let region = region.as_ref().map_or("", Region::as_str);
        let account = account.as_ref().map_or("", AccountId::as_str);
        write!(f, "arn:aws:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_survive_the_round_trip() {
        for text in [
            "arn:aws:iot:eu-central-1:123456789012:policy/p",
            "arn:aws:iam::123456789012:root",
            "arn:aws:iot:eu-central-1:123456789012:topic/a:b/c",
        ] {
            assert_eq!(text.parse::<Arn>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_arn_is_refused() {
        for text in [
            "",
            "arn",
            "arn:aws:iot:eu-central-1:123456789012",
            "arn:aws:iot:eu-central-1:12:x",
            "arn:gcp:a:::b",
            "urn:aws:a:::b",
            "arn:aws:a:::",
        ] {
            assert!(text.parse::<Arn>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_arn_names_its_resource() {
        let id = "ab".repeat(32);
        let arn: Arn = format!("arn:aws:iot:eu-central-1:123456789012:cert/{id}").parse().unwrap();
        assert_eq!(arn.iot_resource(), Some(Resource::Certificate(id.parse().unwrap())));
        let group: Arn = "arn:aws:iot:eu-central-1:123456789012:thinggroup/g".parse().unwrap();
        assert_eq!(group.iot_resource(), Some(Resource::ThingGroup("g".parse().unwrap())));
        assert_eq!(Arn::thing_group(group.tenant().unwrap(), &"g".parse().unwrap()), group);
        for nothing in ["thinggroup/a.b", "thinggroup/", "billinggroup/g", "thinggroup"] {
            let other: Arn = format!("arn:aws:iot:eu-central-1:123456789012:{nothing}").parse().unwrap();
            assert_eq!(other.iot_resource(), None, "{nothing}");
        }
    }

    #[test]
    fn the_arn_of_a_domain_configuration_follows_from_its_name() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "eu-central-1".parse().unwrap() };
        let of = |name: &str| Arn::domain_configuration(tenant, &name.parse().unwrap()).to_string();
        let prefix = "arn:aws:iot:eu-central-1:123456789012:domainconfiguration";
        assert_eq!(of("iot:Data-ATS"), format!("{prefix}/iot:Data-ATS"));
        let id = of("a").strip_prefix(&format!("{prefix}/a/")).expect("the name").to_owned();
        assert_eq!(id.len(), 5);
        assert_ne!(of("b"), format!("{prefix}/b/{id}"));
        for (text, name) in [
            (of("a"), Some("a")),
            (of("iot:Data-ATS"), Some("iot:Data-ATS")),
            (format!("{prefix}/a"), None),
            (format!("{prefix}/a/aaaaa"), None),
            (format!("{prefix}/iot:Data-ATS/{id}"), None),
            (of("a").replace("eu-central-1", "us-east-1"), None),
        ] {
            let expected = name.map(|name| Resource::DomainConfiguration(name.parse().unwrap()));
            assert_eq!(text.parse::<Arn>().unwrap().iot_resource(), expected, "{text}");
        }
    }
}
