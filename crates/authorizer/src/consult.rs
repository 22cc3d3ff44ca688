//! One question: check the signature, ask the function, read its answer.

use base64::{Engine, engine::general_purpose::STANDARD};
use tidegate_ids::Tenant;
use tidegate_pki::PublicKey;

use crate::{
    BadAnswer, Bounds, FunctionError, Functions, NoAuthorizer, Permit, Presented, SIGNATURE_KEY, answer, event::event,
};

/// What of an authorizer decides about a question.
#[derive(Debug, Clone, Copy)]
pub struct Questioned<'a> {
    /// Whose it is.
    pub tenant: Tenant,
    /// The function that answers.
    pub function_arn: &'a str,
    /// Where the token is.
    pub token_key_name: Option<&'a str>,
    /// The keys that tokens are signed with, in PEM; one of them is enough.
    pub public_keys: &'a [&'a str],
    /// Whether signatures are not looked at.
    pub signing_disabled: bool,
}

/// Why a client is not let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// No authorizer is asked.
    #[error(transparent)]
    NoAuthorizer(#[from] NoAuthorizer),
    /// The account has no authorizer of this name, or it is INACTIVE.
    #[error("{0}")]
    NotFound(String),
    /// Something is missing that the authorizer needs, or cannot be read.
    #[error("{0}")]
    Parameter(String),
    /// None of the authorizer's keys signed the token.
    #[error("none of the authorizer's keys made the signature of the token")]
    Signature,
    /// The function did not answer.
    #[error(transparent)]
    Function(#[from] FunctionError),
    /// It answered what cannot be used.
    #[error("the function's answer cannot be used: {0}")]
    Answer(#[from] BadAnswer),
    /// It says that the client is nobody.
    #[error("the function says that the client is not authenticated")]
    NotAuthenticated,
}

impl Refusal {
    /// AWS's reason. AWS: developer guide, "CloudWatch AWS IoT log entries", "Connection.AuthNError".
    ///
    /// Unverified: which of them an answer has that cannot be used.
    pub fn authn_error(&self) -> &'static str {
        match self {
            Self::NoAuthorizer(NoAuthorizer::Unnamed) | Self::NotAuthenticated => "NOT_AUTHENTICATED",
            Self::NoAuthorizer(NoAuthorizer::Override) | Self::NotFound(_) => "CUSTOM_AUTHORIZER_NOT_FOUND",
            Self::Parameter(_) => "CUSTOM_AUTHORIZER_PARAMETER_INVALID",
            Self::Signature => "SECURITY_TOKEN_SIGNATURE_MISMATCH",
            Self::Function(_) | Self::Answer(_) => "CUSTOM_AUTHORIZER_LAMBDA_EXECUTION_ERROR",
        }
    }
}

/// Asks an authorizer about a client. `token` and `signature` are looked for in what it presents when they are `None`.
///
/// # Errors
/// See [`Refusal`].
pub async fn consult(
    functions: &dyn Functions,
    questioned: Questioned<'_>,
    presented: &Presented,
    (token, signature): (Option<String>, Option<String>),
    connection_id: &str,
    bounds: Bounds,
) -> Result<Permit, Refusal> {
    let token = token.or_else(|| presented.parameter(questioned.token_key_name?));
    let signature = signature.or_else(|| presented.parameter(SIGNATURE_KEY));
    if !questioned.signing_disabled {
        check_signature(&questioned, token.as_deref(), signature.as_deref())?;
    }
    let event = event(presented, token.as_deref(), !questioned.signing_disabled, connection_id);
    let answer = functions.invoke(questioned.tenant, questioned.function_arn, event).await?;
    answer::read(&answer, bounds)?.ok_or(Refusal::NotAuthenticated)
}

/// Refuses a token that none of the keys signed: RSASSA-PKCS1-v1_5 with SHA-256, in Base64.
///
/// AWS: developer guide, "Signing the token".
fn check_signature(questioned: &Questioned<'_>, token: Option<&str>, signature: Option<&str>) -> Result<(), Refusal> {
    let missing = |what: String| Refusal::Parameter(what);
    let token = token.filter(|token| !token.is_empty()).ok_or_else(|| {
        let key = questioned.token_key_name.unwrap_or_default();
        missing(format!("the client sends no token, as the parameter or header {key}"))
    })?;
    let signature = signature
        .ok_or_else(|| missing(format!("the client sends no signature, as the parameter or header {SIGNATURE_KEY}")))?;
    let signature = STANDARD.decode(signature).map_err(|_| missing("the signature is no Base64".into()))?;
    let made_it =
        |pem: &&&str| PublicKey::from_pem(pem).is_ok_and(|key| key.verifies_rsa_sha256(token.as_bytes(), &signature));
    questioned.public_keys.iter().find(made_it).map(|_| ()).ok_or(Refusal::Signature)
}
