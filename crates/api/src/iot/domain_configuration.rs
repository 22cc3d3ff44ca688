//! What the operations on domain configurations share: members of their inputs, read and judged.

use tidegate_registry::{AuthorizerConfig, SecurityPolicy};

use crate::{ApiError, generated::iot::shapes};

/// Of `authorizerConfig`: nobody may name another authorizer unless it says so.
pub(super) fn authorizer_config(
    config: Option<shapes::AuthorizerConfig>,
) -> Result<Option<AuthorizerConfig>, ApiError> {
    let Some(shapes::AuthorizerConfig { allow_authorizer_override, default_authorizer_name }) = config else {
        return Ok(None);
    };
    let name = default_authorizer_name.map(|name| name.parse()).transpose();
    let default_authorizer_name =
        name.map_err(|error: tidegate_ids::IdError| ApiError::invalid_request(error.to_string()))?;
    let allow_authorizer_override = allow_authorizer_override.unwrap_or(false);
    Ok(Some(AuthorizerConfig { default_authorizer_name, allow_authorizer_override }))
}

/// Of `tlsConfig`: one of the names that AWS documents.
pub(super) fn security_policy(config: Option<shapes::TlsConfig>) -> Result<Option<SecurityPolicy>, ApiError> {
    let name = config.and_then(|config| config.security_policy);
    let parsed = name.map(|name| name.parse::<SecurityPolicy>()).transpose();
    parsed.map_err(|error| ApiError::invalid_request(format!("Invalid securityPolicy: {error}")))
}

/// Only devices' data has endpoints. AWS: CreateDomainConfiguration: "AWS IoT Core currently supports only the DATA service type".
pub(super) fn only_data(service_type: Option<shapes::ServiceType>) -> Result<(), ApiError> {
    match service_type {
        None | Some(shapes::ServiceType::Data) => Ok(()),
        Some(shapes::ServiceType::CredentialProvider | shapes::ServiceType::Jobs) => {
            Err(ApiError::invalid_request("serviceType is DATA: no other is supported"))
        }
    }
}

/// Refuses what the broker would not do: stapling answers of OCSP, and asking a function about client certificates.
pub(super) fn only_served(
    server: Option<&shapes::ServerCertificateConfig>,
    client: Option<&shapes::ClientCertificateConfig>,
) -> Result<(), ApiError> {
    let stapling = server.is_some_and(|config| {
        config.enable_ocsp_check == Some(true)
            || config.ocsp_lambda_arn.is_some()
            || config.ocsp_authorized_responder_arn.is_some()
    });
    if stapling {
        let why = "Tidegate does not staple OCSP responses: serverCertificateConfig may say enableOCSPCheck=false only";
        return Err(ApiError::invalid_request(why));
    }
    if client.and_then(|config| config.client_certificate_callback_arn.as_deref()).is_some_and(|arn| !arn.is_empty()) {
        let why = "Tidegate asks no function about client certificates: leave out clientCertificateCallbackArn";
        return Err(ApiError::invalid_request(why));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_not_be_done_is_refused() {
        let server = |enable, lambda: Option<&str>, responder: Option<&str>| shapes::ServerCertificateConfig {
            enable_ocsp_check: enable,
            ocsp_lambda_arn: lambda.map(str::to_owned),
            ocsp_authorized_responder_arn: responder.map(str::to_owned),
        };
        let client = |arn: Option<&str>| shapes::ClientCertificateConfig {
            client_certificate_callback_arn: arn.map(str::to_owned),
        };
        for (server, client, valid) in [
            (None, None, true),
            (Some(server(None, None, None)), None, true),
            (Some(server(Some(false), None, None)), None, true),
            (Some(server(Some(true), None, None)), None, false),
            (Some(server(None, Some("arn"), None)), None, false),
            (Some(server(Some(false), None, Some("arn"))), None, false),
            (None, Some(client(None)), true),
            (None, Some(client(Some(""))), true),
            (None, Some(client(Some("arn"))), false),
        ] {
            assert_eq!(only_served(server.as_ref(), client.as_ref()).is_ok(), valid);
        }
    }

    #[test]
    fn security_policies_are_those_of_the_guide() {
        let config = |name: &str| Some(shapes::TlsConfig { security_policy: Some(name.to_owned()) });
        for (config, expected) in [
            (None, Some(None)),
            (Some(shapes::TlsConfig::default()), Some(None)),
            (config("IoTSecurityPolicy_TLS13_1_3_2022_10"), Some(Some(SecurityPolicy::Tls13_1_3_2022_10))),
            (config("iotsecuritypolicy_tls13_1_3_2022_10"), None),
            (config(""), None),
        ] {
            assert_eq!(security_policy(config).ok(), expected);
        }
    }
}
