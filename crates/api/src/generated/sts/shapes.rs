// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Shapes that operations of sts share.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
};

pub(crate) static ARN_TYPE: Shape = Shape::Text(Text::ANY.length(20, 2048).pattern(
    r#"[\u0009\u000A\u000D\u0020-\u007E\u0085\u00A0-\uD7FF\uE000-\uFFFD\u10000-\u10FFFF]+"#,
    &Repeat(
        &Class(
            false,
            &[
                Range(' ', '~'),
                Range('\u{a0}', '\u{d7ff}'),
                Range('\u{e000}', '�'),
                Range('0', 'ჿ'),
                AnyOf("\t\n\r\u{85}ကFF"),
            ],
        ),
        1,
        u32::MAX,
    ),
));

pub(crate) static CONTEXT_ASSERTION_TYPE: Shape = Shape::Text(Text::ANY.length(4, 3072));

pub(crate) static DURATION_SECONDS_TYPE: Shape = Shape::Integer { min: 900, max: 129600 };

pub(crate) static EXTERNAL_ID_TYPE: Shape = Shape::Text(
    Text::ANY
        .length(2, 1224)
        .pattern(r#"[\w+=,.@:\/-]*"#, &Repeat(&Class(false, &[Word, AnyOf("+=,.@:/-")]), 0, u32::MAX)),
);

pub(crate) static MINIMUM_SESSION_TOKEN_SIZE_TYPE: Shape = Shape::Integer { min: 0, max: 4096 };

pub(crate) static POLICY_DESCRIPTOR_LIST_TYPE: Shape = Shape::List(List::of(&POLICY_DESCRIPTOR_TYPE));

pub(crate) static POLICY_DESCRIPTOR_TYPE: Shape = Shape::Structure(&[body("arn", &ARN_TYPE)]);

pub(crate) static PROVIDED_CONTEXT: Shape =
    Shape::Structure(&[body("ContextAssertion", &CONTEXT_ASSERTION_TYPE), body("ProviderArn", &ARN_TYPE)]);

pub(crate) static PROVIDED_CONTEXTS_LIST_TYPE: Shape = Shape::List(List::of(&PROVIDED_CONTEXT).length(1, 5));

pub(crate) static ROLE_DURATION_SECONDS_TYPE: Shape = Shape::Integer { min: 900, max: 43200 };

pub(crate) static ROLE_SESSION_NAME_TYPE: Shape = Shape::Text(
    Text::ANY.length(2, 64).pattern(r#"[\w+=,.@-]*"#, &Repeat(&Class(false, &[Word, AnyOf("+=,.@-")]), 0, u32::MAX)),
);

pub(crate) static SERIAL_NUMBER_TYPE: Shape = Shape::Text(
    Text::ANY
        .length(9, 256)
        .pattern(r#"[\w+=/:,.@-]*"#, &Repeat(&Class(false, &[Word, AnyOf("+=/:,.@-")]), 0, u32::MAX)),
);

pub(crate) static SOURCE_IDENTITY_TYPE: Shape = Shape::Text(
    Text::ANY.length(2, 256).pattern(r#"[\w+=,.@-]*"#, &Repeat(&Class(false, &[Word, AnyOf("+=,.@-")]), 0, u32::MAX)),
);

pub(crate) static TAG: Shape =
    Shape::Structure(&[body("Key", &TAG_KEY_TYPE).required(), body("Value", &TAG_VALUE_TYPE).required()]);

pub(crate) static TAG_KEY_LIST_TYPE: Shape = Shape::List(List::of(&TAG_KEY_TYPE).length(0, 50));

pub(crate) static TAG_KEY_TYPE: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"#,
    &Repeat(&Class(false, &[Letter, Separator, Number, AnyOf("_.:/=+-@")]), 1, u32::MAX),
));

pub(crate) static TAG_LIST_TYPE: Shape = Shape::List(List::of(&TAG).length(0, 50));

pub(crate) static TAG_VALUE_TYPE: Shape = Shape::Text(Text::ANY.length(0, 256).pattern(
    r#"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"#,
    &Repeat(&Class(false, &[Letter, Separator, Number, AnyOf("_.:/=+-@")]), 0, u32::MAX),
));

pub(crate) static TOKEN_CODE_TYPE: Shape =
    Shape::Text(Text::ANY.length(6, 6).pattern(r#"[\d]*"#, &Repeat(&Class(false, &[Range('0', '9')]), 0, u32::MAX)));

pub(crate) static UNRESTRICTED_SESSION_POLICY_DOCUMENT_TYPE: Shape =
    Shape::Text(Text::ANY.length(1, u64::MAX).pattern(
        r#"[\u0009\u000A\u000D\u0020-\u00FF]+"#,
        &Repeat(&Class(false, &[Range(' ', 'ÿ'), AnyOf("\t\n\r")]), 1, u32::MAX),
    ));

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssumedRoleUser {
    #[serde(rename = "Arn", skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
    #[serde(rename = "AssumedRoleId", skip_serializing_if = "Option::is_none")]
    pub(crate) assumed_role_id: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Credentials {
    #[serde(rename = "AccessKeyId", skip_serializing_if = "Option::is_none")]
    pub(crate) access_key_id: Option<String>,
    #[serde(rename = "Expiration", skip_serializing_if = "Option::is_none")]
    pub(crate) expiration: Option<Iso8601>,
    #[serde(rename = "SecretAccessKey", skip_serializing_if = "Option::is_none")]
    pub(crate) secret_access_key: Option<String>,
    #[serde(rename = "SessionToken", skip_serializing_if = "Option::is_none")]
    pub(crate) session_token: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyDescriptorType {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ProvidedContext {
    #[serde(rename = "ContextAssertion", skip_serializing_if = "Option::is_none")]
    pub(crate) context_assertion: Option<String>,
    #[serde(rename = "ProviderArn", skip_serializing_if = "Option::is_none")]
    pub(crate) provider_arn: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Tag {
    #[serde(rename = "Key", skip_serializing_if = "Option::is_none")]
    pub(crate) key: Option<String>,
    #[serde(rename = "Value", skip_serializing_if = "Option::is_none")]
    pub(crate) value: Option<String>,
}
