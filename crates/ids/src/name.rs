//! Names that people and SDKs choose.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{IdError, account::text_type};

/// Name of a policy: 1-128 characters of `[\w+=,.@-]`.
///
/// AWS: pattern of `PolicyName`; `\w` is taken as ASCII.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PolicyName(Box<str>);

impl PolicyName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PolicyName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-".contains(&b);
        if (1..=128).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::PolicyName)
        }
    }
}

/// A name that the registry gives: 1-128 characters of `[a-zA-Z0-9:_-]`.
macro_rules! registry_name {
    ($(#[$doc:meta])* $name:ident, $error:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                let legal = |b: u8| b.is_ascii_alphanumeric() || b":_-".contains(&b);
                if (1..=128).contains(&text.len()) && text.bytes().all(legal) {
                    Ok(Self(text.into()))
                } else {
                    Err(IdError::$error)
                }
            }
        }

        text_type!($name);
    };
}

registry_name!(
    /// Name of a thing: 1-128 characters of `[a-zA-Z0-9:_-]`. Never changed.
    ///
    /// AWS: pattern of `ThingName`.
    ThingName,
    ThingName
);
registry_name!(
    /// Name of a thing type: 1-128 characters of `[a-zA-Z0-9:_-]`. Never changed.
    ///
    /// AWS: pattern of `ThingTypeName`.
    ThingTypeName,
    ThingTypeName
);
registry_name!(
    /// Name of a thing group: 1-128 characters of `[a-zA-Z0-9:_-]`. Never changed.
    ///
    /// AWS: pattern of `ThingGroupName`.
    ThingGroupName,
    ThingGroupName
);

/// Name of a custom authorizer: 1-128 characters of `[\w=,@-]`. Never changed.
///
/// AWS: pattern of `AuthorizerName`; `\w` is taken as ASCII.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AuthorizerName(Box<str>);

impl AuthorizerName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AuthorizerName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"_=,@-".contains(&b);
        if (1..=128).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::AuthorizerName)
        }
    }
}

/// Name of a domain configuration: 1-128 characters of `[\w.:-]`. Never changed.
///
/// AWS: pattern of `ReservedDomainConfigurationName`; `\w` is taken as ASCII. Names with a colon, such as `iot:Data-ATS`, are the
/// service's own.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DomainConfigurationName(Box<str>);

impl DomainConfigurationName {
    /// The configuration of an account's endpoint.
    pub const DATA_ATS: &'static str = "iot:Data-ATS";

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the configuration of an account's endpoint.
    pub fn data_ats() -> Self {
        Self(Self::DATA_ATS.into())
    }

    /// Whether it is one of the service's own.
    pub fn is_reserved(&self) -> bool {
        self.0.contains(':')
    }
}

impl FromStr for DomainConfigurationName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"_.:-".contains(&b);
        if (1..=128).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::DomainConfigurationName)
        }
    }
}

/// Name of a named shadow of a thing: 1-64 characters of `[$a-zA-Z0-9:_-]`.
///
/// AWS: pattern of `ShadowName`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ShadowName(Box<str>);

impl ShadowName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ShadowName {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b"$:_-".contains(&b);
        if (1..=64).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::ShadowName)
        }
    }
}

/// Id of an access key: 16-128 word characters, such as `AKIAIOSFODNN7EXAMPLE`.
///
/// AWS: pattern `[\w]*` of `accessKeyIdType`, length 16-128.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccessKeyId(Box<str>);

impl AccessKeyId {
    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccessKeyId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
        if (16..=128).contains(&text.len()) && text.bytes().all(legal) {
            Ok(Self(text.into()))
        } else {
            Err(IdError::AccessKey)
        }
    }
}

text_type!(PolicyName);
text_type!(AuthorizerName);
text_type!(DomainConfigurationName);
text_type!(AccessKeyId);
text_type!(ShadowName);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_names_follow_the_pattern() {
        for (text, valid) in [
            ("p", true),
            ("Allow+all=of,it.@-_9", true),
            (&"p".repeat(128), true),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("é", false),
            (&"p".repeat(129), false),
        ] {
            assert_eq!(text.parse::<PolicyName>().is_ok(), valid, "{text}");
        }
    }

    #[test]
    fn authorizer_names_follow_the_pattern() {
        for (text, valid) in [
            ("a", true),
            ("My_authorizer=1,@-", true),
            (&"a".repeat(128), true),
            (&"a".repeat(129), false),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("a.b", false),
            ("a+b", false),
            ("é", false),
        ] {
            assert_eq!(text.parse::<AuthorizerName>().is_ok(), valid, "{text}");
        }
    }

    #[test]
    fn domain_configuration_names_follow_the_pattern() {
        for (text, valid, reserved) in [
            ("a", true, false),
            ("My_domain-1.example", true, false),
            (DomainConfigurationName::DATA_ATS, true, true),
            (&"a".repeat(128), true, false),
            (&"a".repeat(129), false, false),
            ("", false, false),
            ("a b", false, false),
            ("a/b", false, false),
            ("a@b", false, false),
            ("é", false, false),
        ] {
            let parsed = text.parse::<DomainConfigurationName>();
            assert_eq!(parsed.is_ok(), valid, "{text}");
            assert_eq!(parsed.is_ok_and(|name| name.is_reserved()), reserved, "{text}");
        }
    }

    #[test]
    fn shadow_names_follow_the_pattern() {
        for (text, valid) in [
            ("s", true),
            ("$a:b_-9", true),
            (&"s".repeat(64), true),
            (&"s".repeat(65), false),
            ("", false),
            ("a/b", false),
        ] {
            assert_eq!(text.parse::<ShadowName>().is_ok(), valid, "{text}");
        }
    }

    #[test]
    fn names_of_things_follow_the_pattern() {
        for (text, valid) in [
            ("t", true),
            ("Light:bulb_1-a", true),
            (&"t".repeat(128), true),
            ("", false),
            ("a b", false),
            ("a/b", false),
            ("a.b", false),
            ("é", false),
            (&"t".repeat(129), false),
        ] {
            assert_eq!(text.parse::<ThingName>().is_ok(), valid, "{text}");
            assert_eq!(text.parse::<ThingTypeName>().is_ok(), valid, "{text}");
            assert_eq!(text.parse::<ThingGroupName>().is_ok(), valid, "{text}");
        }
    }

    #[test]
    fn access_key_ids_follow_the_pattern() {
        for (text, valid) in [("AKIAIOSFODNN7EXAMPLE", true), ("short", false), ("AKIAIOSFODNN7EXAMPL/", false)] {
            assert_eq!(text.parse::<AccessKeyId>().is_ok(), valid, "{text}");
        }
    }
}
