// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Shapes that operations of iot share.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
};

pub(crate) static ACM_CERTIFICATE_ARN: Shape = Shape::Text(Text::ANY.length(1, 2048).pattern(r#"arn:aws(-cn|-us-gov|-iso-b|-iso)?:acm:[a-z]{2}-(gov-|iso-|isob-)?[a-z]{4,9}-\d{1}:\d{12}:certificate/[a-zA-Z0-9/-]+"#, &Sequence(&[Literal('a'), Literal('r'), Literal('n'), Literal(':'), Literal('a'), Literal('w'), Literal('s'), Repeat(&Either(&[Sequence(&[Literal('-'), Literal('c'), Literal('n')]), Sequence(&[Literal('-'), Literal('u'), Literal('s'), Literal('-'), Literal('g'), Literal('o'), Literal('v')]), Sequence(&[Literal('-'), Literal('i'), Literal('s'), Literal('o'), Literal('-'), Literal('b')]), Sequence(&[Literal('-'), Literal('i'), Literal('s'), Literal('o')])]), 0, 1), Literal(':'), Literal('a'), Literal('c'), Literal('m'), Literal(':'), Repeat(&Class(false, &[Range('a', 'z')]), 2, 2), Literal('-'), Repeat(&Either(&[Sequence(&[Literal('g'), Literal('o'), Literal('v'), Literal('-')]), Sequence(&[Literal('i'), Literal('s'), Literal('o'), Literal('-')]), Sequence(&[Literal('i'), Literal('s'), Literal('o'), Literal('b'), Literal('-')])]), 0, 1), Repeat(&Class(false, &[Range('a', 'z')]), 4, 9), Literal('-'), Repeat(&Class(false, &[Range('0', '9')]), 1, 1), Literal(':'), Repeat(&Class(false, &[Range('0', '9')]), 12, 12), Literal(':'), Literal('c'), Literal('e'), Literal('r'), Literal('t'), Literal('i'), Literal('f'), Literal('i'), Literal('c'), Literal('a'), Literal('t'), Literal('e'), Literal('/'), Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf("/-")]), 1, u32::MAX)])));

pub(crate) static ACTION_TYPE: Shape = Shape::OneOf(&["PUBLISH", "SUBSCRIBE", "RECEIVE", "CONNECT"]);

pub(crate) static APPLICATION_PROTOCOL: Shape = Shape::OneOf(&["SECURE_MQTT", "MQTT_WSS", "HTTPS", "DEFAULT"]);

pub(crate) static ATTRIBUTES: Shape = Shape::Map { key: &ATTRIBUTE_NAME, value: &ATTRIBUTE_VALUE };

pub(crate) static ATTRIBUTE_NAME: Shape = Shape::Text(Text::ANY.length(0, 128).pattern(
    r#"[a-zA-Z0-9_.,@/:#-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf("_.,@/:#-")]), 1, u32::MAX),
));

pub(crate) static ATTRIBUTE_PAYLOAD: Shape =
    Shape::Structure(&[body("attributes", &ATTRIBUTES), body("merge", &BOOLEAN)]);

pub(crate) static ATTRIBUTE_VALUE: Shape = Shape::Text(Text::ANY.length(0, 800).pattern(
    r#"[a-zA-Z0-9_.,@/:#=\[\]-]*"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf("_.,@/:#=[]-")]), 0, u32::MAX),
));

pub(crate) static AUTHENTICATION_TYPE: Shape =
    Shape::OneOf(&["CUSTOM_AUTH_X509", "CUSTOM_AUTH", "AWS_X509", "AWS_SIGV4", "DEFAULT"]);

pub(crate) static AUTHORIZER_CONFIG: Shape =
    Shape::Structure(&[body("allowAuthorizerOverride", &BOOLEAN), body("defaultAuthorizerName", &AUTHORIZER_NAME)]);

pub(crate) static AUTHORIZER_FUNCTION_ARN: Shape = Shape::Text(Text::ANY.length(0, 2048));

pub(crate) static AUTHORIZER_NAME: Shape = Shape::Text(
    Text::ANY.length(1, 128).pattern(r#"[\w=,@-]+"#, &Repeat(&Class(false, &[Word, AnyOf("=,@-")]), 1, u32::MAX)),
);

pub(crate) static AUTHORIZER_STATUS: Shape = Shape::OneOf(&["ACTIVE", "INACTIVE"]);

pub(crate) static AUTH_INFO: Shape =
    Shape::Structure(&[body("actionType", &ACTION_TYPE), body("resources", &RESOURCES).required()]);

pub(crate) static AUTH_INFOS: Shape = Shape::List(List::of(&AUTH_INFO).length(1, 10));

pub(crate) static AUTO_REGISTRATION_STATUS: Shape = Shape::OneOf(&["ENABLE", "DISABLE"]);

pub(crate) static AWS_ACCOUNT_ID: Shape =
    Shape::Text(Text::ANY.length(12, 12).pattern(r#"[0-9]+"#, &Repeat(&Class(false, &[Range('0', '9')]), 1, u32::MAX)));

pub(crate) static BILLING_GROUP_NAME: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[a-zA-Z0-9:_-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf(":_-")]), 1, u32::MAX),
));

pub(crate) static CA_CERTIFICATE_STATUS: Shape = Shape::OneOf(&["ACTIVE", "INACTIVE"]);

pub(crate) static CERTIFICATE_ID: Shape = Shape::Text(Text::ANY.length(64, 64).pattern(
    r#"(0x)?[a-fA-F0-9]+"#,
    &Sequence(&[
        Repeat(&Sequence(&[Literal('0'), Literal('x')]), 0, 1),
        Repeat(&Class(false, &[Range('a', 'f'), Range('A', 'F'), Range('0', '9')]), 1, u32::MAX),
    ]),
));

pub(crate) static CERTIFICATE_MODE: Shape = Shape::OneOf(&["DEFAULT", "SNI_ONLY"]);

pub(crate) static CERTIFICATE_PEM: Shape = Shape::Text(Text::ANY.length(1, 65536));

pub(crate) static CERTIFICATE_SIGNING_REQUEST: Shape = Shape::Text(Text::ANY.length(1, 4096));

pub(crate) static CERTIFICATE_STATUS: Shape =
    Shape::OneOf(&["ACTIVE", "INACTIVE", "REVOKED", "PENDING_TRANSFER", "REGISTER_INACTIVE", "PENDING_ACTIVATION"]);

pub(crate) static CLIENT_CERTIFICATE_CALLBACK_ARN: Shape = Shape::Text(Text::ANY.length(0, 2048));

pub(crate) static CLIENT_CERTIFICATE_CONFIG: Shape =
    Shape::Structure(&[body("clientCertificateCallbackArn", &CLIENT_CERTIFICATE_CALLBACK_ARN)]);

pub(crate) static CONFIGURATION: Shape = Shape::Structure(&[body("Enabled", &BOOLEAN)]);

pub(crate) static CONNECTION_ATTRIBUTE_NAME: Shape = Shape::Text(Text::ANY.length(0, 128).pattern(
    r#"[a-zA-Z0-9:.]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf(":.")]), 1, u32::MAX),
));

pub(crate) static DOMAIN_CONFIGURATION_NAME: Shape = Shape::Text(
    Text::ANY.length(1, 128).pattern(r#"[\w.-]+"#, &Repeat(&Class(false, &[Word, AnyOf(".-")]), 1, u32::MAX)),
);

pub(crate) static DOMAIN_CONFIGURATION_STATUS: Shape = Shape::OneOf(&["ENABLED", "DISABLED"]);

pub(crate) static DOMAIN_NAME: Shape = Shape::Text(Text::ANY.length(1, 253));

pub(crate) static ENDPOINT_TYPE: Shape = Shape::Text(Text::ANY.length(0, 128));

pub(crate) static EVENT_CONFIGURATIONS: Shape = Shape::Map { key: &EVENT_TYPE, value: &CONFIGURATION };

pub(crate) static EVENT_TYPE: Shape = Shape::OneOf(&[
    "THING",
    "THING_GROUP",
    "THING_TYPE",
    "THING_GROUP_MEMBERSHIP",
    "THING_GROUP_HIERARCHY",
    "THING_TYPE_ASSOCIATION",
    "JOB",
    "JOB_EXECUTION",
    "POLICY",
    "CERTIFICATE",
    "CA_CERTIFICATE",
]);

pub(crate) static HTTP_CONTEXT: Shape =
    Shape::Structure(&[body("headers", &HTTP_HEADERS), body("queryString", &HTTP_QUERY_STRING)]);

pub(crate) static HTTP_HEADERS: Shape = Shape::Map { key: &HTTP_HEADER_NAME, value: &HTTP_HEADER_VALUE };

pub(crate) static HTTP_HEADER_NAME: Shape = Shape::Text(Text::ANY.length(1, 8192));

pub(crate) static HTTP_HEADER_VALUE: Shape = Shape::Text(Text::ANY.length(1, 8192));

pub(crate) static HTTP_QUERY_STRING: Shape = Shape::Text(Text::ANY.length(1, 4096));

pub(crate) static KEY_NAME: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[a-zA-Z0-9:_-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf(":_-")]), 1, u32::MAX),
));

pub(crate) static KEY_VALUE: Shape = Shape::Text(Text::ANY.length(0, 5120));

pub(crate) static LOG_DESTINATION: Shape = Shape::Text(Text::ANY.length(1, 512).pattern(
    r#"^[.\-_/#A-Za-z0-9]+$"#,
    &Repeat(&Class(false, &[Range('A', 'Z'), Range('a', 'z'), Range('0', '9'), AnyOf(".-_/#")]), 1, u32::MAX),
));

pub(crate) static LOG_EVENT_CONFIGURATION: Shape = Shape::Structure(&[
    body("eventType", &LOG_EVENT_TYPE).required(),
    body("logDestination", &LOG_DESTINATION),
    body("logLevel", &LOG_LEVEL),
]);

pub(crate) static LOG_EVENT_CONFIGURATIONS: Shape = Shape::List(List::of(&LOG_EVENT_CONFIGURATION));

pub(crate) static LOG_EVENT_TYPE: Shape = Shape::Text(Text::ANY.length(1, 512));

pub(crate) static LOG_LEVEL: Shape = Shape::OneOf(&["DEBUG", "INFO", "ERROR", "WARN", "DISABLED"]);

pub(crate) static LOG_TARGET: Shape =
    Shape::Structure(&[body("targetName", &TEXT), body("targetType", &LOG_TARGET_TYPE).required()]);

pub(crate) static LOG_TARGET_TYPE: Shape =
    Shape::OneOf(&["DEFAULT", "THING_GROUP", "CLIENT_ID", "SOURCE_IP", "PRINCIPAL_ID"]);

pub(crate) static MARKER: Shape = Shape::Text(Text::ANY.length(0, 1024).pattern(
    r#"[A-Za-z0-9+/]+={0,2}"#,
    &Sequence(&[
        Repeat(&Class(false, &[Range('A', 'Z'), Range('a', 'z'), Range('0', '9'), AnyOf("+/")]), 1, u32::MAX),
        Repeat(&Literal('='), 0, 2),
    ]),
));

pub(crate) static MESSAGE: Shape = Shape::Text(Text::ANY.length(0, 128));

pub(crate) static MQTT5_CONFIGURATION: Shape =
    Shape::Structure(&[body("propagatingAttributes", &PROPAGATING_ATTRIBUTE_LIST)]);

pub(crate) static MQTT_CLIENT_ID: Shape = Shape::Text(Text::ANY.length(1, 65535));

pub(crate) static MQTT_CONTEXT: Shape =
    Shape::Structure(&[body("clientId", &MQTT_CLIENT_ID), body("password", &BLOB), body("username", &MQTT_USERNAME)]);

pub(crate) static MQTT_USERNAME: Shape = Shape::Text(Text::ANY.length(1, 65535));

pub(crate) static OCSP_LAMBDA_ARN: Shape = Shape::Text(Text::ANY.length(0, 140));

pub(crate) static OPTIONAL_VERSION: Shape = Shape::Integer { min: i64::MIN, max: i64::MAX };

pub(crate) static PAGE_SIZE: Shape = Shape::Integer { min: 1, max: 250 };

pub(crate) static POLICY_DOCUMENT: Shape = Shape::Text(Text::ANY.length(0, 404600));

pub(crate) static POLICY_NAME: Shape = Shape::Text(
    Text::ANY.length(1, 128).pattern(r#"[\w+=,.@-]+"#, &Repeat(&Class(false, &[Word, AnyOf("+=,.@-")]), 1, u32::MAX)),
);

pub(crate) static POLICY_NAMES: Shape = Shape::List(List::of(&POLICY_NAME));

pub(crate) static POLICY_VERSION_ID: Shape =
    Shape::Text(Text::ANY.pattern(r#"[0-9]+"#, &Repeat(&Class(false, &[Range('0', '9')]), 1, u32::MAX)));

pub(crate) static PROPAGATING_ATTRIBUTE: Shape = Shape::Structure(&[
    body("connectionAttribute", &CONNECTION_ATTRIBUTE_NAME),
    body("thingAttribute", &ATTRIBUTE_NAME),
    body("userPropertyKey", &USER_PROPERTY_KEY_NAME),
]);

pub(crate) static PROPAGATING_ATTRIBUTE_LIST: Shape = Shape::List(List::of(&PROPAGATING_ATTRIBUTE));

pub(crate) static PUBLIC_KEY_MAP: Shape = Shape::Map { key: &KEY_NAME, value: &KEY_VALUE };

pub(crate) static REGISTRATION_CONFIG: Shape = Shape::Structure(&[
    body("roleArn", &ROLE_ARN),
    body("templateBody", &TEMPLATE_BODY),
    body("templateName", &TEMPLATE_NAME),
]);

pub(crate) static REGISTRY_MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 250 };

pub(crate) static RESERVED_DOMAIN_CONFIGURATION_NAME: Shape = Shape::Text(
    Text::ANY.length(1, 128).pattern(r#"[\w.:-]+"#, &Repeat(&Class(false, &[Word, AnyOf(".:-")]), 1, u32::MAX)),
);

pub(crate) static RESOURCE: Shape = Shape::Text(Text::ANY.length(0, 2048));

pub(crate) static RESOURCES: Shape = Shape::List(List::of(&RESOURCE));

pub(crate) static ROLE_ARN: Shape = Shape::Text(Text::ANY.length(20, 2048));

pub(crate) static SEARCHABLE_ATTRIBUTES: Shape = Shape::List(List::of(&ATTRIBUTE_NAME));

pub(crate) static SECURITY_POLICY: Shape = Shape::Text(Text::ANY.length(0, 128));

pub(crate) static SERVER_CERTIFICATE_ARNS: Shape = Shape::List(List::of(&ACM_CERTIFICATE_ARN).length(0, 1));

pub(crate) static SERVER_CERTIFICATE_CONFIG: Shape = Shape::Structure(&[
    body("enableOCSPCheck", &BOOLEAN),
    body("ocspAuthorizedResponderArn", &ACM_CERTIFICATE_ARN),
    body("ocspLambdaArn", &OCSP_LAMBDA_ARN),
]);

pub(crate) static SERVER_NAME: Shape = Shape::Text(Text::ANY.length(1, 253));

pub(crate) static SERVICE_TYPE: Shape = Shape::OneOf(&["DATA", "CREDENTIAL_PROVIDER", "JOBS"]);

pub(crate) static SKYFALL_MAX_RESULTS: Shape = Shape::Integer { min: 1, max: 250 };

pub(crate) static TAG: Shape = Shape::Structure(&[body("Key", &TAG_KEY).required(), body("Value", &TAG_VALUE)]);

pub(crate) static TAG_KEY: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$"#,
    &Repeat(&Class(false, &[Letter, Separator, Number, AnyOf("_.:/=+-@")]), 0, u32::MAX),
));

pub(crate) static TAG_KEY_LIST: Shape = Shape::List(List::of(&TAG_KEY));

pub(crate) static TAG_LIST: Shape = Shape::List(List::of(&TAG));

pub(crate) static TAG_VALUE: Shape = Shape::Text(Text::ANY.length(0, 256));

pub(crate) static TEMPLATE_BODY: Shape = Shape::Text(Text::ANY.length(0, 10240));

pub(crate) static TEMPLATE_NAME: Shape = Shape::Text(Text::ANY.length(1, 36).pattern(
    r#"^[0-9A-Za-z_-]+$"#,
    &Repeat(&Class(false, &[Range('0', '9'), Range('A', 'Z'), Range('a', 'z'), AnyOf("_-")]), 1, u32::MAX),
));

pub(crate) static THING_GROUP_DESCRIPTION: Shape = Shape::Text(
    Text::ANY
        .length(0, 2028)
        .pattern(r#"[\p{Graph}\x20]*"#, &Repeat(&Class(false, &[Range('!', '~'), AnyOf(" ")]), 0, u32::MAX)),
);

pub(crate) static THING_GROUP_LIST: Shape = Shape::List(List::of(&THING_GROUP_NAME));

pub(crate) static THING_GROUP_NAME: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[a-zA-Z0-9:_-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf(":_-")]), 1, u32::MAX),
));

pub(crate) static THING_GROUP_PROPERTIES: Shape = Shape::Structure(&[
    body("attributePayload", &ATTRIBUTE_PAYLOAD),
    body("thingGroupDescription", &THING_GROUP_DESCRIPTION),
]);

pub(crate) static THING_NAME: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[a-zA-Z0-9:_-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf(":_-")]), 1, u32::MAX),
));

pub(crate) static THING_PRINCIPAL_TYPE: Shape = Shape::OneOf(&["EXCLUSIVE_THING", "NON_EXCLUSIVE_THING"]);

pub(crate) static THING_TYPE_DESCRIPTION: Shape = Shape::Text(
    Text::ANY
        .length(0, 2028)
        .pattern(r#"[\p{Graph}\x20]*"#, &Repeat(&Class(false, &[Range('!', '~'), AnyOf(" ")]), 0, u32::MAX)),
);

pub(crate) static THING_TYPE_NAME: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[a-zA-Z0-9:_-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf(":_-")]), 1, u32::MAX),
));

pub(crate) static THING_TYPE_PROPERTIES: Shape = Shape::Structure(&[
    body("mqtt5Configuration", &MQTT5_CONFIGURATION),
    body("searchableAttributes", &SEARCHABLE_ATTRIBUTES),
    body("thingTypeDescription", &THING_TYPE_DESCRIPTION),
]);

pub(crate) static TLS_CONFIG: Shape = Shape::Structure(&[body("securityPolicy", &SECURITY_POLICY)]);

pub(crate) static TLS_CONTEXT: Shape = Shape::Structure(&[body("serverName", &SERVER_NAME)]);

pub(crate) static TOKEN: Shape = Shape::Text(Text::ANY.length(1, 6144));

pub(crate) static TOKEN_KEY_NAME: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[a-zA-Z0-9_-]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf("_-")]), 1, u32::MAX),
));

pub(crate) static TOKEN_SIGNATURE: Shape = Shape::Text(Text::ANY.length(1, 2560).pattern(
    r#"[A-Za-z0-9+/]+={0,2}"#,
    &Sequence(&[
        Repeat(&Class(false, &[Range('A', 'Z'), Range('a', 'z'), Range('0', '9'), AnyOf("+/")]), 1, u32::MAX),
        Repeat(&Literal('='), 0, 2),
    ]),
));

pub(crate) static USER_PROPERTY_KEY_NAME: Shape = Shape::Text(Text::ANY.length(0, 128).pattern(
    r#"[a-zA-Z0-9:$.]+"#,
    &Repeat(&Class(false, &[Range('a', 'z'), Range('A', 'Z'), Range('0', '9'), AnyOf(":$.")]), 1, u32::MAX),
));

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum ActionType {
    #[serde(rename = "PUBLISH")]
    Publish,
    #[serde(rename = "SUBSCRIBE")]
    Subscribe,
    #[serde(rename = "RECEIVE")]
    Receive,
    #[serde(rename = "CONNECT")]
    Connect,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Allowed {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policies: Option<Vec<Policy>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttributePayload {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<std::collections::BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) merge: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum AuthDecision {
    #[serde(rename = "ALLOWED")]
    Allowed,
    #[serde(rename = "EXPLICIT_DENY")]
    ExplicitDeny,
    #[serde(rename = "IMPLICIT_DENY")]
    ImplicitDeny,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthInfo {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) action_type: Option<ActionType>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) resources: Option<Vec<String>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allowed: Option<Allowed>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_decision: Option<AuthDecision>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auth_info: Option<AuthInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) denied: Option<Denied>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) missing_context_values: Option<Vec<String>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizerConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) allow_authorizer_override: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default_authorizer_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizerDescription {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_function_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enable_caching_for_http: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) signing_disabled: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<tidegate_registry::AuthorizerStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_key_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) token_signing_public_keys: Option<std::collections::BTreeMap<String, String>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AuthorizerSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) authorizer_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CaCertificate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<tidegate_registry::CaStatus>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CaCertificateDescription {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) auto_registration_status: Option<tidegate_registry::AutoRegistrationStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_mode: Option<tidegate_registry::CertificateMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_pem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer_version: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owned_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<tidegate_registry::CaStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validity: Option<CertificateValidity>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Certificate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_mode: Option<tidegate_registry::CertificateMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<tidegate_registry::CertificateStatus>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CertificateDescription {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ca_certificate_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_mode: Option<tidegate_registry::CertificateMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_pem: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) customer_version: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generation_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) last_modified_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) owned_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) previous_owned_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<tidegate_registry::CertificateStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_data: Option<TransferData>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) validity: Option<CertificateValidity>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CertificateValidity {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_after: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_before: Option<EpochSeconds>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClientCertificateConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_certificate_callback_arn: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Configuration {
    #[serde(rename = "Enabled", skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Denied {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) explicit_deny: Option<ExplicitDeny>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) implicit_deny: Option<ImplicitDeny>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DomainConfigurationSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_configuration_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_configuration_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) service_type: Option<ServiceType>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum DynamicGroupStatus {
    #[serde(rename = "ACTIVE")]
    Active,
    #[serde(rename = "BUILDING")]
    Building,
    #[serde(rename = "REBUILDING")]
    Rebuilding,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EffectivePolicy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_document: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplicitDeny {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policies: Option<Vec<Policy>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct GroupNameAndArn {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) group_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct HttpContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) headers: Option<std::collections::BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) query_string: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ImplicitDeny {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policies: Option<Vec<Policy>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KeyPair {
    #[serde(rename = "PrivateKey", skip_serializing_if = "Option::is_none")]
    pub(crate) private_key: Option<String>,
    #[serde(rename = "PublicKey", skip_serializing_if = "Option::is_none")]
    pub(crate) public_key: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogEventConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) event_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_destination: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_level: Option<tidegate_logs::LogLevel>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogTarget {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target_type: Option<tidegate_logs::TargetType>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogTargetConfiguration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_level: Option<tidegate_logs::LogLevel>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) log_target: Option<LogTarget>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Mqtt5Configuration {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) propagating_attributes: Option<Vec<PropagatingAttribute>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct MqttContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) password: Option<crate::wire::Blob>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) username: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct OutgoingCertificate {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) certificate_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transferred_to: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Policy {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) policy_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyVersion {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) create_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) is_default_version: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version_id: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PrincipalThingObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_principal_type: Option<tidegate_registry::ThingPrincipalType>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PropagatingAttribute {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection_attribute: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_attribute: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_property_key: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RegistrationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template_body: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) template_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerCertificateConfig {
    #[serde(rename = "enableOCSPCheck", skip_serializing_if = "Option::is_none")]
    pub(crate) enable_ocsp_check: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ocsp_authorized_responder_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ocsp_lambda_arn: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum ServerCertificateStatus {
    #[serde(rename = "INVALID")]
    Invalid,
    #[serde(rename = "VALID")]
    Valid,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerCertificateSummary {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_certificate_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_certificate_status: Option<ServerCertificateStatus>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_certificate_status_detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum ServiceType {
    #[serde(rename = "DATA")]
    Data,
    #[serde(rename = "CREDENTIAL_PROVIDER")]
    CredentialProvider,
    #[serde(rename = "JOBS")]
    Jobs,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tag {
    #[serde(rename = "Key", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    #[serde(rename = "Value", skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThingAttribute {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attributes: Option<std::collections::BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) version: Option<i64>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThingGroupMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) parent_group_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) root_to_parent_thing_groups: Option<Vec<GroupNameAndArn>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThingGroupProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attribute_payload: Option<AttributePayload>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_group_description: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThingPrincipalObject {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) principal: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_principal_type: Option<tidegate_registry::ThingPrincipalType>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThingTypeDefinition {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_metadata: Option<ThingTypeMetadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_properties: Option<ThingTypeProperties>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThingTypeMetadata {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) creation_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deprecated: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) deprecation_date: Option<EpochSeconds>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ThingTypeProperties {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mqtt5_configuration: Option<Mqtt5Configuration>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) searchable_attributes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thing_type_description: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TlsConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) security_policy: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TlsContext {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) server_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TransferData {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) accept_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reject_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reject_reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_date: Option<EpochSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_message: Option<String>,
}
