use std::time::Duration;

use tidegate_ids::Arn;
use tidegate_policy::{Document, RequestContext, TrustPolicy, Trustee, keys};
use tidegate_registry::{IamError, Identity, IdentityKind, RegistryError, SessionOf, SignerKind, Verdict, may_assume};

use super::convert::{credentials, unkept};
use crate::{
    ApiError,
    authorize::{self, Need},
    call::Call,
    generated::sts::{
        assume_role::{Input, Output},
        shapes::AssumedRoleUser,
    },
};

const ACTION: &str = "sts:AssumeRole";
/// Session length when none is asked for, and the most for who has taken on a role already. AWS: API_AssumeRole.
const SECONDS_DEFAULT: u32 = 3600;
/// Most characters of a session policy. AWS: API_AssumeRole, `Policy`.
const POLICY_CHARACTERS_MAX: usize = 2048;

/// `AssumeRole`: temporary credentials of a role. AWS: API_AssumeRole of STS.
pub(crate) async fn assume_role(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    unkept(input.serial_number.as_ref().or(input.token_code.as_ref()), "MFA devices")?;
    unkept(input.tags.as_ref(), "session tags")?;
    unkept(input.transitive_tag_keys.as_ref(), "session tags")?;
    unkept(input.policy_arns.as_ref(), "managed session policies")?;
    unkept(input.provided_contexts.as_ref(), "provided contexts")?;
    unkept(input.source_identity.as_ref(), "source identities")?;
    let (role_arn, name) = role_named(&input.role_arn)?;
    let credential = &call.caller.credential;
    if matches!(credential.kind, SignerKind::Root) {
        return Err(RegistryError::from(IamError::RootAssumes).into());
    }
    let account = role_arn.account.unwrap_or(credential.account);
    // Whether there is such a role is told to nobody who may not take it on.
    let found = call.registry().directory().identity_named(account, IdentityKind::Role, &name);
    let found = found.filter(|role| role.record().is_some_and(|record| record.arn(account) == role_arn));
    let role = found.filter(|role| is_trusted(call, role, &role_arn, input.external_id.as_deref()));
    let Some((role, record)) = role.and_then(|role| role.record().map(|record| (role, record))) else {
        return Err(ApiError::access_denied(credential.arn(), ACTION, &role_arn.to_string(), Verdict::Allowed));
    };
    let seconds = session_seconds(call, &role, input.duration_seconds)?;
    if let Some(policy) = &input.policy {
        let malformed = |error| RegistryError::from(IamError::MalformedPolicyDocument(error));
        Document::parse_identity(policy, POLICY_CHARACTERS_MAX).map_err(malformed)?;
    }
    let packed = input.policy.as_ref().map(|policy| (policy.chars().count() * 100).div_ceil(POLICY_CHARACTERS_MAX));
    let session_name = input.role_session_name;
    let user = AssumedRoleUser {
        arn: Some(Arn::assumed_role(account, &record.name, &session_name).to_string()),
        assumed_role_id: Some(format!("{}:{session_name}", record.id)),
    };
    let of = SessionOf::Identity { role: true, name: record.name, id: record.id, session_name: Some(session_name) };
    let duration = Duration::from_secs(seconds.into());
    let session = call.registry().new_session(account, of, None, input.policy, duration, call.now);
    Ok(Output {
        credentials: Some(credentials(&session)),
        assumed_role_user: Some(user),
        packed_policy_size: packed.and_then(|percent| i32::try_from(percent).ok()),
        ..Output::default()
    })
}

/// The role that `text`, an ARN, names: the ARN, and the role's name.
fn role_named(text: &str) -> Result<(Arn, String), ApiError> {
    let invalid = || ApiError::from(RegistryError::from(IamError::InvalidRoleArn(text.chars().take(256).collect())));
    let arn: Arn = text.parse().map_err(|_| invalid())?;
    let name = arn.resource.strip_prefix("role/").and_then(|path| path.rsplit('/').next()).map(str::to_owned);
    let global = &*arn.service == "iam" && arn.region.is_none() && arn.account.is_some();
    match name.filter(|name| global && !name.is_empty()) {
        Some(name) => Ok((arn, name)),
        None => Err(invalid()),
    }
}

/// Whether the role's trust policy and the signer's own policies let it take the role on.
fn is_trusted(call: &Call<'_>, role: &Identity, role_arn: &Arn, external_id: Option<&str>) -> bool {
    let credential = &call.caller.credential;
    let Some((_, document)) = role.as_role() else { return false };
    let Ok(trust_policy) = TrustPolicy::parse(&document) else { return false };
    let own = credential.arn().to_string();
    let behind = match &credential.kind {
        SignerKind::Role { role_arn, .. } => Some(role_arn.to_string()),
        SignerKind::Root | SignerKind::User { .. } => None,
    };
    let arns: Vec<&str> = std::iter::once(own.as_str()).chain(behind.as_deref()).collect();
    let trustee = Trustee { account: credential.account.as_str(), arns: &arns };
    let external_id: Vec<&str> = external_id.into_iter().collect();
    let values: &[(&str, &[&str])] = &[(keys::EXTERNAL_ID, &external_id)];
    let context = RequestContext { now: call.now.wall, values };
    let trust = trust_policy.decide(ACTION, trustee, &authorize::variables(call), &context);
    let need = Need { action: ACTION.to_owned(), resource: role_arn.to_string(), known: Vec::new() };
    let verdict = authorize::verdict(call, &need, &[]);
    may_assume(trust, role_arn.account == Some(credential.account), verdict)
}

fn session_seconds(call: &Call<'_>, role: &Identity, asked: Option<i32>) -> Result<u32, ApiError> {
    let invalid = |text: &str| Err(RegistryError::from(IamError::InvalidDuration(text.to_owned())).into());
    let seconds = asked.and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(SECONDS_DEFAULT);
    let chained = matches!(call.caller.credential.kind, SignerKind::Role { .. });
    if chained && seconds > SECONDS_DEFAULT {
        return invalid(
            "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
        );
    }
    match role.as_role() {
        Some((max, _)) if seconds <= max => Ok(seconds),
        _ => invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role."),
    }
}
