//! What operations of IAM share on their way in and out.

use tidegate_ids::{AccessKeyId, PolicyName};
use tidegate_registry::{
    IamError, IdentityDetail, IdentityRecord, ManagedPolicy, PageRequest, RegistryError, SignerKind,
};

use crate::{
    ApiError,
    call::Call,
    generated::iam::shapes::{AttachedPolicy, Policy, Role, User},
    wire::percent_encoded,
};

/// A user as IAM shows it.
pub(super) fn user(call: &Call<'_>, record: IdentityRecord) -> User {
    User {
        arn: Some(record.arn(call.tenant().account).to_string()),
        path: Some(record.path),
        user_name: Some(record.name),
        user_id: Some(record.id),
        create_date: Some(record.created.into()),
        ..User::default()
    }
}

/// The account's root, as GetUser shows it to itself; for others who are no user it is an error.
///
/// Unverified: what AWS answers as `UserName` and `CreateDate`, which the model requires.
pub(super) fn root(call: &Call<'_>) -> Result<User, ApiError> {
    let credential = &call.caller.credential;
    match credential.kind {
        SignerKind::Root => Ok(User {
            arn: Some(credential.arn().to_string()),
            path: Some("/".into()),
            user_name: Some(credential.account.to_string()),
            user_id: Some(credential.user_id().to_owned()),
            create_date: Some(call.now.wall.into()),
            ..User::default()
        }),
        SignerKind::User { .. } | SignerKind::Role { .. } => Err(RegistryError::from(IamError::UserNameNeeded).into()),
    }
}

/// A role as IAM shows it.
pub(super) fn role(call: &Call<'_>, record: IdentityRecord) -> Role {
    let arn = Some(record.arn(call.tenant().account).to_string());
    let mut role = Role {
        arn,
        path: Some(record.path),
        role_name: Some(record.name),
        role_id: Some(record.id),
        create_date: Some(record.created.into()),
        ..Role::default()
    };
    if let IdentityDetail::Role { trust_policy, description, max_session_seconds } = record.detail {
        role.assume_role_policy_document = Some(percent_encoded(&trust_policy));
        role.description = description;
        role.max_session_duration = i32::try_from(max_session_seconds).ok();
    }
    role
}

/// A managed policy as IAM shows it; listings leave the description out.
pub(super) fn managed(policy: ManagedPolicy, described: bool) -> Policy {
    Policy {
        policy_name: Some(policy.name),
        policy_id: Some(policy.id),
        arn: Some(policy.arn),
        path: Some(policy.path),
        default_version_id: Some(policy.version),
        attachment_count: i32::try_from(policy.attachments).ok(),
        permissions_boundary_usage_count: Some(0),
        is_attachable: Some(true),
        description: policy.description.filter(|_| described),
        create_date: Some(policy.created.into()),
        update_date: Some(policy.updated.into()),
        ..Policy::default()
    }
}

/// The managed policies of a user or role whose path begins so.
pub(super) fn attached(record: &IdentityRecord, path_prefix: Option<&str>) -> Vec<AttachedPolicy> {
    let path = |arn: &str| {
        let resource = arn.split_once(":policy").map_or("", |(_, path)| path);
        resource.rsplit_once('/').map_or("/".to_owned(), |(path, _)| format!("{path}/"))
    };
    let below = |arn: &str| path_prefix.is_none_or(|prefix| path(arn).starts_with(prefix));
    let attached = record.attached().filter(|policy| below(&policy.arn));
    attached.map(|policy| AttachedPolicy { policy_name: Some(policy.name), policy_arn: Some(policy.arn) }).collect()
}

/// The name of the user who signs; `None` for root and roles.
pub(super) fn own_name(call: &Call<'_>) -> Option<String> {
    match &call.caller.credential.kind {
        SignerKind::User { name, .. } => Some(name.to_string()),
        SignerKind::Root | SignerKind::Role { .. } => None,
    }
}

/// Whose access keys are meant: the named user's, or those of who signs; `None` is root.
pub(super) fn key_owner(call: &Call<'_>, user_name: Option<String>) -> Result<Option<String>, ApiError> {
    match (user_name.or_else(|| own_name(call)), &call.caller.credential.kind) {
        (Some(name), _) => Ok(Some(name)),
        (None, SignerKind::Root) => Ok(None),
        (None, SignerKind::User { .. } | SignerKind::Role { .. }) => {
            Err(RegistryError::from(IamError::UserNameNeeded).into())
        }
    }
}

pub(super) fn key_id(text: &str) -> Result<AccessKeyId, ApiError> {
    text.parse().map_err(|error: tidegate_ids::IdError| ApiError::new("ValidationError", 400, error.to_string()))
}

pub(super) fn policy_name(text: &str) -> Result<PolicyName, ApiError> {
    text.parse().map_err(|error: tidegate_ids::IdError| ApiError::new("ValidationError", 400, error.to_string()))
}

/// AWS: `MaxItems` up to 1 000, of which "IAM might return fewer results"; ours are at most 250 a page.
pub(super) fn page(max_items: Option<i32>, marker: Option<String>) -> PageRequest {
    let size = max_items.and_then(|items| u32::try_from(items).ok()).unwrap_or(100);
    PageRequest { size: Some(size.clamp(1, PageRequest::SIZE_MAX as u32)), marker, ascending: true }
}

/// A marker that is none, in IAM's words.
pub(super) fn marker(error: RegistryError) -> RegistryError {
    match error {
        RegistryError::InvalidMarker => IamError::InvalidMarker.into(),
        other => other,
    }
}

/// Refuses what is asked for and not kept, rather than forget it.
pub(super) fn unkept<T>(given: Option<&T>, what: &'static str) -> Result<(), ApiError> {
    match given {
        None => Ok(()),
        Some(_) => Err(RegistryError::from(IamError::Unkept(what)).into()),
    }
}
