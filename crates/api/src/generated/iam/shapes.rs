// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! Shapes that operations of iam share.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
};

pub(crate) static ACCESS_KEY_ID_TYPE: Shape =
    Shape::Text(Text::ANY.length(16, 128).pattern(r#"[\w]+"#, &Repeat(&Class(false, &[Word]), 1, u32::MAX)));

pub(crate) static ARN_TYPE: Shape = Shape::Text(Text::ANY.length(20, 2048));

pub(crate) static EXISTING_USER_NAME_TYPE: Shape = Shape::Text(
    Text::ANY.length(1, 128).pattern(r#"[\w+=,.@-]+"#, &Repeat(&Class(false, &[Word, AnyOf("+=,.@-")]), 1, u32::MAX)),
);

pub(crate) static MARKER_TYPE: Shape = Shape::Text(
    Text::ANY.length(1, 320).pattern(r#"[\u0020-\u00FF]+"#, &Repeat(&Class(false, &[Range(' ', 'ÿ')]), 1, u32::MAX)),
);

pub(crate) static MAX_ITEMS_TYPE: Shape = Shape::Integer { min: 1, max: 1000 };

pub(crate) static MAX_SIGNIN_SESSION_DURATION_TYPE: Shape = Shape::Integer { min: 3600, max: 7776000 };

pub(crate) static PATH_PREFIX_TYPE: Shape = Shape::Text(Text::ANY.length(1, 512).pattern(
    r#"\u002F[\u0021-\u007F]*"#,
    &Sequence(&[Literal('/'), Repeat(&Class(false, &[Range('!', '\u{7f}')]), 0, u32::MAX)]),
));

pub(crate) static PATH_TYPE: Shape = Shape::Text(Text::ANY.length(1, 512).pattern(
    r#"(\u002F)|(\u002F[\u0021-\u007E]+\u002F)"#,
    &Either(&[
        Literal('/'),
        Sequence(&[Literal('/'), Repeat(&Class(false, &[Range('!', '~')]), 1, u32::MAX), Literal('/')]),
    ]),
));

pub(crate) static POLICY_DESCRIPTION_TYPE: Shape = Shape::Text(Text::ANY.length(0, 1000));

pub(crate) static POLICY_DOCUMENT_TYPE: Shape = Shape::Text(Text::ANY.length(1, 131072).pattern(
    r#"[\u0009\u000A\u000D\u0020-\u00FF]+"#,
    &Repeat(&Class(false, &[Range(' ', 'ÿ'), AnyOf("\t\n\r")]), 1, u32::MAX),
));

pub(crate) static POLICY_NAME_TYPE: Shape = Shape::Text(
    Text::ANY.length(1, 128).pattern(r#"[\w+=,.@-]+"#, &Repeat(&Class(false, &[Word, AnyOf("+=,.@-")]), 1, u32::MAX)),
);

pub(crate) static POLICY_PATH_TYPE: Shape = Shape::Text(Text::ANY.length(1, 512).pattern(
    r#"((/[A-Za-z0-9\.,\+@=_-]+)*)/"#,
    &Sequence(&[
        Repeat(
            &Sequence(&[
                Literal('/'),
                Repeat(
                    &Class(false, &[Range('A', 'Z'), Range('a', 'z'), Range('0', '9'), AnyOf(".,+@=_-")]),
                    1,
                    u32::MAX,
                ),
            ]),
            0,
            u32::MAX,
        ),
        Literal('/'),
    ]),
));

pub(crate) static POLICY_SCOPE_TYPE: Shape = Shape::OneOf(&["All", "AWS", "Local"]);

pub(crate) static POLICY_USAGE_TYPE: Shape = Shape::OneOf(&["PermissionsPolicy", "PermissionsBoundary"]);

pub(crate) static POLICY_VERSION_ID_TYPE: Shape = Shape::Text(Text::ANY.pattern(
    r#"v[1-9][0-9]*(\.[A-Za-z0-9-]*)?"#,
    &Sequence(&[
        Literal('v'),
        Class(false, &[Range('1', '9')]),
        Repeat(&Class(false, &[Range('0', '9')]), 0, u32::MAX),
        Repeat(
            &Sequence(&[
                Literal('.'),
                Repeat(&Class(false, &[Range('A', 'Z'), Range('a', 'z'), Range('0', '9'), AnyOf("-")]), 0, u32::MAX),
            ]),
            0,
            1,
        ),
    ]),
));

pub(crate) static ROLE_DESCRIPTION_TYPE: Shape = Shape::Text(Text::ANY.length(0, 1000).pattern(
    r#"[\u0009\u000A\u000D\u0020-\u007E\u00A1-\u00FF]*"#,
    &Repeat(&Class(false, &[Range(' ', '~'), Range('¡', 'ÿ'), AnyOf("\t\n\r")]), 0, u32::MAX),
));

pub(crate) static ROLE_MAX_SESSION_DURATION_TYPE: Shape = Shape::Integer { min: 3600, max: 43200 };

pub(crate) static ROLE_NAME_TYPE: Shape = Shape::Text(
    Text::ANY.length(1, 64).pattern(r#"[\w+=,.@-]+"#, &Repeat(&Class(false, &[Word, AnyOf("+=,.@-")]), 1, u32::MAX)),
);

pub(crate) static STATUS_TYPE: Shape = Shape::OneOf(&["Active", "Inactive", "Expired"]);

pub(crate) static TAG: Shape =
    Shape::Structure(&[body("Key", &TAG_KEY_TYPE).required(), body("Value", &TAG_VALUE_TYPE).required()]);

pub(crate) static TAG_KEY_TYPE: Shape = Shape::Text(Text::ANY.length(1, 128).pattern(
    r#"[\p{L}\p{Z}\p{N}_.:/=+\-@]+"#,
    &Repeat(&Class(false, &[Letter, Separator, Number, AnyOf("_.:/=+-@")]), 1, u32::MAX),
));

pub(crate) static TAG_LIST_TYPE: Shape = Shape::List(List::of(&TAG).length(0, 50));

pub(crate) static TAG_VALUE_TYPE: Shape = Shape::Text(Text::ANY.length(0, 256).pattern(
    r#"[\p{L}\p{Z}\p{N}_.:/=+\-@]*"#,
    &Repeat(&Class(false, &[Letter, Separator, Number, AnyOf("_.:/=+-@")]), 0, u32::MAX),
));

pub(crate) static USER_NAME_TYPE: Shape = Shape::Text(
    Text::ANY.length(1, 64).pattern(r#"[\w+=,.@-]+"#, &Repeat(&Class(false, &[Word, AnyOf("+=,.@-")]), 1, u32::MAX)),
);

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessKey {
    #[serde(rename = "AccessKeyId", skip_serializing_if = "Option::is_none")]
    pub(crate) access_key_id: Option<String>,
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub(crate) create_date: Option<Iso8601>,
    #[serde(rename = "SecretAccessKey", skip_serializing_if = "Option::is_none")]
    pub(crate) secret_access_key: Option<String>,
    #[serde(rename = "Status", skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<tidegate_registry::AccessKeyStatus>,
    #[serde(rename = "UserName", skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessKeyLastUsed {
    #[serde(rename = "LastUsedDate", skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_date: Option<Iso8601>,
    #[serde(rename = "Region", skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
    #[serde(rename = "ServiceName", skip_serializing_if = "Option::is_none")]
    pub(crate) service_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AccessKeyMetadata {
    #[serde(rename = "AccessKeyId", skip_serializing_if = "Option::is_none")]
    pub(crate) access_key_id: Option<String>,
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub(crate) create_date: Option<Iso8601>,
    #[serde(rename = "Status", skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<tidegate_registry::AccessKeyStatus>,
    #[serde(rename = "UserName", skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttachedPermissionsBoundary {
    #[serde(rename = "PermissionsBoundaryArn", skip_serializing_if = "Option::is_none")]
    pub(crate) permissions_boundary_arn: Option<String>,
    #[serde(rename = "PermissionsBoundaryType", skip_serializing_if = "Option::is_none")]
    pub(crate) permissions_boundary_type: Option<PermissionsBoundaryAttachmentType>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AttachedPolicy {
    #[serde(rename = "PolicyArn", skip_serializing_if = "Option::is_none")]
    pub(crate) policy_arn: Option<String>,
    #[serde(rename = "PolicyName", skip_serializing_if = "Option::is_none")]
    pub(crate) policy_name: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum PermissionsBoundaryAttachmentType {
    #[serde(rename = "PermissionsBoundaryPolicy")]
    Permissionsboundarypolicy,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Policy {
    #[serde(rename = "Arn", skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
    #[serde(rename = "AttachmentCount", skip_serializing_if = "Option::is_none")]
    pub(crate) attachment_count: Option<i32>,
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub(crate) create_date: Option<Iso8601>,
    #[serde(rename = "DefaultVersionId", skip_serializing_if = "Option::is_none")]
    pub(crate) default_version_id: Option<String>,
    #[serde(rename = "Description", skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(rename = "IsAttachable", skip_serializing_if = "Option::is_none")]
    pub(crate) is_attachable: Option<bool>,
    #[serde(rename = "Path", skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(rename = "PermissionsBoundaryUsageCount", skip_serializing_if = "Option::is_none")]
    pub(crate) permissions_boundary_usage_count: Option<i32>,
    #[serde(rename = "PolicyId", skip_serializing_if = "Option::is_none")]
    pub(crate) policy_id: Option<String>,
    #[serde(rename = "PolicyName", skip_serializing_if = "Option::is_none")]
    pub(crate) policy_name: Option<String>,
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Vec<Tag>>,
    #[serde(rename = "UpdateDate", skip_serializing_if = "Option::is_none")]
    pub(crate) update_date: Option<Iso8601>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum PolicyScopeType {
    All,
    #[serde(rename = "AWS")]
    Aws,
    Local,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) enum PolicyUsageType {
    #[serde(rename = "PermissionsPolicy")]
    Permissionspolicy,
    #[serde(rename = "PermissionsBoundary")]
    Permissionsboundary,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PolicyVersion {
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub(crate) create_date: Option<Iso8601>,
    #[serde(rename = "Document", skip_serializing_if = "Option::is_none")]
    pub(crate) document: Option<String>,
    #[serde(rename = "IsDefaultVersion", skip_serializing_if = "Option::is_none")]
    pub(crate) is_default_version: Option<bool>,
    #[serde(rename = "VersionId", skip_serializing_if = "Option::is_none")]
    pub(crate) version_id: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Role {
    #[serde(rename = "Arn", skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
    #[serde(rename = "AssumeRolePolicyDocument", skip_serializing_if = "Option::is_none")]
    pub(crate) assume_role_policy_document: Option<String>,
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub(crate) create_date: Option<Iso8601>,
    #[serde(rename = "Description", skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(rename = "MaxSessionDuration", skip_serializing_if = "Option::is_none")]
    pub(crate) max_session_duration: Option<i32>,
    #[serde(rename = "MaxSigninSessionDuration", skip_serializing_if = "Option::is_none")]
    pub(crate) max_signin_session_duration: Option<i32>,
    #[serde(rename = "Path", skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(rename = "PermissionsBoundary", skip_serializing_if = "Option::is_none")]
    pub(crate) permissions_boundary: Option<AttachedPermissionsBoundary>,
    #[serde(rename = "RoleId", skip_serializing_if = "Option::is_none")]
    pub(crate) role_id: Option<String>,
    #[serde(rename = "RoleLastUsed", skip_serializing_if = "Option::is_none")]
    pub(crate) role_last_used: Option<RoleLastUsed>,
    #[serde(rename = "RoleName", skip_serializing_if = "Option::is_none")]
    pub(crate) role_name: Option<String>,
    #[serde(rename = "SourceRoleTemplate", skip_serializing_if = "Option::is_none")]
    pub(crate) source_role_template: Option<SourceRoleTemplate>,
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Vec<Tag>>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RoleLastUsed {
    #[serde(rename = "LastUsedDate", skip_serializing_if = "Option::is_none")]
    pub(crate) last_used_date: Option<Iso8601>,
    #[serde(rename = "Region", skip_serializing_if = "Option::is_none")]
    pub(crate) region: Option<String>,
}

#[derive(Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SourceRoleTemplate {
    #[serde(rename = "TemplateArn", skip_serializing_if = "Option::is_none")]
    pub(crate) template_arn: Option<String>,
    #[serde(rename = "TemplateMinorVersion", skip_serializing_if = "Option::is_none")]
    pub(crate) template_minor_version: Option<i32>,
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
pub(crate) struct User {
    #[serde(rename = "Arn", skip_serializing_if = "Option::is_none")]
    pub(crate) arn: Option<String>,
    #[serde(rename = "CreateDate", skip_serializing_if = "Option::is_none")]
    pub(crate) create_date: Option<Iso8601>,
    #[serde(rename = "PasswordLastUsed", skip_serializing_if = "Option::is_none")]
    pub(crate) password_last_used: Option<Iso8601>,
    #[serde(rename = "Path", skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    #[serde(rename = "PermissionsBoundary", skip_serializing_if = "Option::is_none")]
    pub(crate) permissions_boundary: Option<AttachedPermissionsBoundary>,
    #[serde(rename = "Tags", skip_serializing_if = "Option::is_none")]
    pub(crate) tags: Option<Vec<Tag>>,
    #[serde(rename = "UserId", skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    #[serde(rename = "UserName", skip_serializing_if = "Option::is_none")]
    pub(crate) user_name: Option<String>,
}
