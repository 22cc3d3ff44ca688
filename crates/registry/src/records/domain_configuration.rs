//! Domain configurations: under which name devices reach an account, and what they may speak there.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use tidegate_ids::{AuthorizerName, DomainConfigurationName, Tenant, Timestamp};

use super::Tag;
use crate::UnknownWord;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// AWS's word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word),+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;

            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                const EXPECTED: &str = words!(@list $($word),+);
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(UnknownWord { expected: EXPECTED }),
                }
            }
        }
    };
    (@list $first:literal $(, $more:literal)*) => { concat!($first $(, ", ", $more)*) };
}

words!(
    /// Whose a domain name is. AWS: `DomainType`.
    DomainType {
        /// The account's own endpoint.
        Endpoint = "ENDPOINT",
        /// One that the service made up.
        AwsManaged = "AWS_MANAGED",
        /// One that the account brought.
        CustomerManaged = "CUSTOMER_MANAGED",
    }
);

words!(
    /// Whether a domain name is answered. AWS: `DomainConfigurationStatus`.
    DomainConfigurationStatus {
        /// It is.
        Enabled = "ENABLED",
        /// Who asks for it is refused.
        Disabled = "DISABLED",
    }
);

words!(
    /// How clients prove who they are. AWS: `AuthenticationType`.
    AuthenticationType {
        /// By a certificate, and what a custom authorizer says of it and of what else they present.
        CustomAuthX509 = "CUSTOM_AUTH_X509",
        /// By what a custom authorizer says of what they present.
        CustomAuth = "CUSTOM_AUTH",
        /// By a certificate.
        AwsX509 = "AWS_X509",
        /// By signing the request that begins a WebSocket.
        AwsSigv4 = "AWS_SIGV4",
        /// Port and application protocol tell.
        Default = "DEFAULT",
    }
);

words!(
    /// What is spoken. AWS: `ApplicationProtocol`.
    ApplicationProtocol {
        /// MQTT over TLS.
        SecureMqtt = "SECURE_MQTT",
        /// MQTT over WebSocket.
        MqttWss = "MQTT_WSS",
        /// Publishing by HTTPS.
        Https = "HTTPS",
        /// Port and application protocol tell.
        Default = "DEFAULT",
    }
);

words!(
    /// Which versions and cipher suites of TLS are spoken.
    ///
    /// AWS: developer guide, "Transport security", "TLS security policies".
    SecurityPolicy {
        /// TLS 1.3.
        Tls13_1_3_2022_10 = "IoTSecurityPolicy_TLS13_1_3_2022_10",
        /// TLS 1.2 and 1.3: the default.
        Tls13_1_2_2022_10 = "IoTSecurityPolicy_TLS13_1_2_2022_10",
        /// TLS 1.2.
        Tls12_1_2_2022_10 = "IoTSecurityPolicy_TLS12_1_2_2022_10",
        /// TLS 1.0 to 1.2 at AWS.
        Tls12_1_0_2016_01 = "IoTSecurityPolicy_TLS12_1_0_2016_01",
        /// TLS 1.0 to 1.2 at AWS.
        Tls12_1_0_2015_01 = "IoTSecurityPolicy_TLS12_1_0_2015_01",
    }
);

/// Which custom authorizers are asked about clients of a domain. AWS: `AuthorizerConfig`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizerConfig {
    /// The one that is asked when a client names none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_authorizer_name: Option<AuthorizerName>,
    /// Whether a client may name another one.
    pub allow_authorizer_override: bool,
}

/// A domain configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainConfigurationRecord {
    /// In small letters, and never changed; empty for the account's endpoint, whose name follows from the broker's configuration.
    pub domain_name: String,
    /// Whose the domain name is. Never changed.
    pub domain_type: DomainType,
    /// Whether it is answered.
    pub status: DomainConfigurationStatus,
    /// When that was last changed; `None` for an account's endpoint, which is always there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status_changed: Option<Timestamp>,
    /// The certificate that the account chose; `None`: the broker issues one. Never changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_certificate_arn: Option<String>,
    /// Which custom authorizers are asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorizer_config: Option<AuthorizerConfig>,
    /// Which TLS is spoken.
    pub security_policy: SecurityPolicy,
    /// How clients prove who they are.
    pub authentication_type: AuthenticationType,
    /// What is spoken.
    pub application_protocol: ApplicationProtocol,
    /// Labels.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<Tag>,
}

impl DomainConfigurationRecord {
    /// What an account's endpoint is like until somebody changes it.
    pub(crate) fn endpoint() -> Self {
        Self {
            domain_name: String::new(),
            domain_type: DomainType::Endpoint,
            status: DomainConfigurationStatus::Enabled,
            status_changed: None,
            server_certificate_arn: None,
            authorizer_config: None,
            security_policy: SecurityPolicy::Tls13_1_2_2022_10,
            authentication_type: AuthenticationType::Default,
            application_protocol: ApplicationProtocol::Default,
            tags: Vec::new(),
        }
    }

    /// What the row of its server certificate is stored under; `None` for an account's endpoint, which shows the broker's own.
    pub(crate) fn server_certificate(&self) -> Option<String> {
        match (&self.server_certificate_arn, self.domain_type) {
            (Some(arn), _) => Some(arn.clone()),
            (None, DomainType::AwsManaged | DomainType::CustomerManaged) => Some(issued_for(&self.domain_name)),
            (None, DomainType::Endpoint) => None,
        }
    }
}

/// What the row of a certificate that the broker issues for a domain name is stored under.
pub(crate) fn issued_for(domain_name: &str) -> String {
    format!("{ISSUED}{domain_name}")
}

const ISSUED: &str = "domain/";

/// Whether what a server certificate is stored under says that the broker issued it for a domain configuration.
pub fn is_issued_for_domain(stored_as: &str) -> bool {
    stored_as.starts_with(ISSUED)
}

/// Whose a domain name is: the value of the index by name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DomainNameRecord {
    pub(crate) tenant: Tenant,
    pub(crate) name: DomainConfigurationName,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_written() {
        for policy in SecurityPolicy::ALL {
            assert_eq!(policy.as_str().parse(), Ok(*policy));
            assert_eq!(serde_json::to_value(policy).unwrap(), policy.as_str());
        }
        for authentication in AuthenticationType::ALL {
            assert_eq!(authentication.as_str().parse(), Ok(*authentication));
        }
        assert_eq!("enabled".parse::<DomainConfigurationStatus>().unwrap_err().expected, "ENABLED, DISABLED",);
        assert!("IoTSecurityPolicy_TLS14_1_3_2030_01".parse::<SecurityPolicy>().is_err());
    }
}
