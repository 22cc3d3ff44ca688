use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_policy::{Document, LintWarning};
use tidegate_registry::RegistryError;

use crate::{
    ApiError,
    call::Call,
    constraint::{Member, TEXT, body},
};

static INPUT: &[Member] = &[body("policyDocument", &TEXT).required()];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    policy_document: String,
}

/// `POST /tidegate/lint-policy`: what is probably not meant in a policy document, which need not be stored.
pub(super) async fn tidegate_lint_policy(call: &Call<'_>) -> Result<Value, ApiError> {
    let input: Input = call.input(INPUT).await?;
    let document =
        Document::parse(&input.policy_document).map_err(|error| RegistryError::MalformedPolicy(error.to_string()))?;
    Ok(json!({ "warnings": warnings(&document.lint(Some(call.tenant()))) }))
}

/// The warnings as answers have them.
pub(super) fn warnings(found: &[LintWarning]) -> Value {
    let row = |warning: &LintWarning| {
        json!({
            "statement": warning.statement, "sid": warning.sid, "rule": warning.rule.name(), "text": warning.text,
        })
    };
    found.iter().map(row).collect()
}
