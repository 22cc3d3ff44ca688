//! What the operations about policies and their decisions share.

use tidegate_ids::{PolicyName, Tenant};
use tidegate_policy::Document;
use tidegate_registry::{CreatedPolicyVersion, POLICIES_PER_TARGET_MAX, PolicyTarget};

use crate::ApiError;

/// Whom a request is about, if it says so.
///
/// AWS: `principal` of GetEffectivePolicies and TestAuthorization is an ARN, or a Cognito identity `REGION:ID`. Tidegate has no
/// identities but certificates.
pub(super) fn optional_principal(
    tenant: Tenant,
    text: Option<&str>,
    cognito_pool: Option<&str>,
) -> Result<Option<PolicyTarget>, ApiError> {
    let cognito = text.is_some_and(|text| !text.starts_with("arn:") && text.contains(':'));
    if cognito_pool.is_some() || cognito {
        let text = "There are no Cognito identities here: name a certificate by its ARN as the principal";
        return Err(ApiError::invalid_request(text));
    }
    Ok(text.map(|text| PolicyTarget::parse(tenant, text)).transpose()?)
}

/// At most as many as a principal may have; `member` names them in the refusal.
pub(super) fn policy_names(member: &str, names: Option<Vec<String>>) -> Result<Vec<PolicyName>, ApiError> {
    let names = names.unwrap_or_default();
    if names.len() > POLICIES_PER_TARGET_MAX {
        let text = format!("{member}: at most {POLICIES_PER_TARGET_MAX} policies, as many as a principal may have");
        return Err(ApiError::limit_exceeded(text));
    }
    let parse = |name: String| {
        name.parse().map_err(|error: tidegate_ids::IdError| ApiError::invalid_request(format!("{member}: {error}")))
    };
    names.into_iter().map(parse).collect()
}

/// One line of the log for each thing in a new policy that is probably not meant. The policy is stored all the same.
pub(super) fn warn_about(tenant: Tenant, created: &CreatedPolicyVersion) {
    let Ok(document) = Document::parse(&created.document) else { return };
    for warning in document.lint(Some(tenant)) {
        tracing::warn!(
            event_type = "PolicyLint",
            account_id = %tenant.account,
            region = %tenant.region,
            policy_name = %created.name,
            policy_version_id = %created.version,
            statement = warning.statement,
            sid = warning.sid.as_deref(),
            rule = warning.rule.name(),
            details = warning.text,
            "a policy has a statement that is probably not meant so"
        );
    }
}
