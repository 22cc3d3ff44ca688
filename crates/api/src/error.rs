//! Failures in AWS's words: the only place that knows its error names and HTTP statuses.
//!
//! AWS: the service models, kept in `tests/data/aws` as golden data; the names of signature errors are those that all
//! services share ("Common Error Types").

use std::borrow::Cow;

use tidegate_ids::Arn;
use tidegate_kv::StoreError;
use tidegate_logs::LogsError;
use tidegate_registry::{CredentialRefused, IamError, Refuser, RegistryError, StatusChangeRefused, Verdict};
use tidegate_sigv4::SigV4Error;

use crate::service::{Protocol, Refusal};

/// Most characters of a path or an operation's name that an answer repeats.
const ASKED_CHARS_MAX: usize = 256;

/// An answer that is an error: name, HTTP status, and the sentence for the caller.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub(crate) name: Cow<'static, str>,
    pub(crate) status: u16,
    pub(crate) message: String,
    /// `resourceId` and `resourceArn` of ResourceAlreadyExistsException.
    pub(crate) resource: Option<(String, String)>,
}

impl ApiError {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>, status: u16, message: impl Into<String>) -> Self {
        Self { name: name.into(), status, message: message.into(), resource: None }
    }

    /// The error by which an operation says that a request is wrong.
    pub(crate) fn refused(refusal: Refusal, message: impl Into<String>) -> Self {
        Self::new(refusal.name, refusal.status, message)
    }

    /// `InvalidRequestException` of the `iot` services.
    pub(crate) fn invalid_request(message: impl Into<String>) -> Self {
        Self::new("InvalidRequestException", 400, message)
    }

    /// `LimitExceededException` of the `iot` services.
    pub(crate) fn limit_exceeded(message: impl Into<String>) -> Self {
        Self::new("LimitExceededException", 410, message)
    }

    /// A failure of ours; its cause is logged, never sent.
    pub(crate) fn internal(cause: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(event_type = "Api", error = cause, "an operation failed");
        Self::new("InternalFailureException", 500, "An internal error occurred")
    }

    /// No operation lies behind the request.
    ///
    /// AWS: `UnknownOperationException` (404 where the path names the operation), `InvalidAction` of query services.
    pub(crate) fn unknown_operation(protocol: Protocol, asked: &str) -> Self {
        let (name, status) = match protocol {
            Protocol::RestJson => ("UnknownOperationException", 404),
            Protocol::Json => ("UnknownOperationException", 400),
            Protocol::Query => ("InvalidAction", 400),
        };
        let asked: String = asked.chars().take(ASKED_CHARS_MAX).collect();
        Self::new(name, status, format!("There is no operation {asked}"))
    }

    /// The access key or its session token is none of ours, or is over. AWS says no more to anybody.
    ///
    /// Unverified for services with `X-Amz-Target`: that the name ends as that of `iot` does.
    pub(crate) fn credential(refused: CredentialRefused, protocol: Protocol) -> Self {
        let query = protocol == Protocol::Query;
        let (name, message) = match refused {
            CredentialRefused::Unknown => (
                if query { "InvalidClientTokenId" } else { "UnrecognizedClientException" },
                "The security token included in the request is invalid.",
            ),
            CredentialRefused::Expired => (
                if query { "ExpiredToken" } else { "ExpiredTokenException" },
                "The security token included in the request is expired",
            ),
        };
        Self::new(name, 403, message)
    }

    /// The policies of who signed do not allow it. AWS: "Troubleshoot access denied error messages".
    pub(crate) fn access_denied(principal: &Arn, action: &str, resource: &str, verdict: Verdict) -> Self {
        let why = match verdict {
            Verdict::ImplicitDeny(Refuser::Identity) => {
                format!(" because no identity-based policy allows the {action} action")
            }
            Verdict::ImplicitDeny(Refuser::Session) => format!(" because no session policy allows the {action} action"),
            Verdict::ExplicitDeny(Refuser::Identity) => " with an explicit deny in an identity-based policy".into(),
            Verdict::ExplicitDeny(Refuser::Session) => " with an explicit deny in a session policy".into(),
            Verdict::Allowed => String::new(),
        };
        let resource: String = resource.chars().take(ASKED_CHARS_MAX * 2).collect();
        let text = format!("User: {principal} is not authorized to perform: {action} on resource: {resource}{why}");
        Self::new("AccessDeniedException", 403, text)
    }

    /// The error under the name that services of this protocol give it. AWS: query services leave `Exception` away, and have
    /// a few names of their own.
    pub(crate) fn in_words_of(mut self, protocol: Protocol) -> Self {
        if protocol == Protocol::Query {
            let name = match &*self.name {
                "AccessDeniedException" => Some("AccessDenied"),
                "InvalidRequestException" => Some("ValidationError"),
                "ServiceUnavailableException" => Some("ServiceUnavailable"),
                "InternalFailureException" => Some("ServiceFailure"),
                _ => None,
            };
            self.name = name.map_or(self.name, Cow::Borrowed);
        }
        self
    }

    /// Why a signature is refused. AWS: query services have names of their own.
    pub(crate) fn signature(error: &SigV4Error, protocol: Protocol) -> Self {
        let query = protocol == Protocol::Query;
        let name = match error {
            SigV4Error::MissingToken if query => "MissingAuthenticationToken",
            SigV4Error::MissingToken => "MissingAuthenticationTokenException",
            SigV4Error::Incomplete(_) | SigV4Error::TooLarge if query => "IncompleteSignature",
            SigV4Error::Incomplete(_) | SigV4Error::TooLarge => "IncompleteSignatureException",
            SigV4Error::HeaderNotSigned(_)
            | SigV4Error::ScopeDate { .. }
            | SigV4Error::ScopeRegion(_)
            | SigV4Error::ScopeService { .. }
            | SigV4Error::ScopeTerminator(_)
            | SigV4Error::Expired { .. }
            | SigV4Error::NotYetCurrent { .. }
            | SigV4Error::Payload
            | SigV4Error::Mismatch => {
                if query {
                    "SignatureDoesNotMatch"
                } else {
                    "InvalidSignatureException"
                }
            }
        };
        Self::new(name, 403, error.aws_message())
    }
}

impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        let (name, status) = aws(&error);
        if error.is_full() {
            // The store logs it, once a minute.
            return Self::new(
                name,
                status,
                "The server's disk is nearly full: nothing can be changed until it has room",
            );
        }
        if status == 500 {
            // The cause is logged, never sent.
            tracing::error!(event_type = "Api", error = &error as &dyn std::error::Error, "an operation failed");
        }
        Self { resource: resource(&error), ..Self::new(name, status, error.to_string()) }
    }
}

impl From<LogsError> for ApiError {
    fn from(error: LogsError) -> Self {
        let (name, status) = match &error {
            LogsError::NotConfigured => ("NotConfiguredException", 404),
            LogsError::Invalid(_) => ("InvalidRequestException", 400),
            LogsError::LimitExceeded(_) => ("LimitExceededException", 410),
            LogsError::Contended => ("ServiceUnavailableException", 503),
            LogsError::Store(cause) => return of_store(cause, "InternalException"),
        };
        Self::new(name, status, error.to_string())
    }
}

/// Of `logs`, which reads only.
impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        of_store(&error, "ServiceUnavailableException")
    }
}

fn of_store(error: &StoreError, otherwise: &'static str) -> ApiError {
    if matches!(error, StoreError::Full { .. }) {
        let text = "The server's disk is nearly full: nothing can be changed until it has room";
        return ApiError::new("ServiceUnavailableException", 503, text);
    }
    ApiError { name: otherwise.into(), ..ApiError::internal(error) }
}

/// The AWS error name and HTTP status of each failure of an operation of `iot`.
pub(crate) fn aws(error: &RegistryError) -> (&'static str, u16) {
    use RegistryError::*;
    match error {
        CertificateNotFound(_)
        | CaCertificateNotFound(_)
        | PolicyNotFound(_)
        | PolicyVersionNotFound { .. }
        | ThingGroupNotFound(_)
        | ThingNotFound(_)
        | PrincipalsOfNoThing(_)
        | ThingTypeNotFound(_)
        | BillingGroupNotFound(_)
        | RegistrationCodeNotFound
        | AuthorizerNotFound(_)
        | DomainConfigurationNotFound(_)
        | NoDefaultAuthorizer
        | TransferNotFound(_)
        | AccountNotFound(_)
        | AccessKeyNotFound(_) => ("ResourceNotFoundException", 404),
        CertificateExists(..)
        | CaCertificateExists(..)
        | PolicyExists(..)
        | ThingGroupExists(..)
        | ThingExists(..)
        | ThingTypeExists(..)
        | AuthorizerExists(..)
        | DefaultAuthorizerExists(..)
        | DomainConfigurationExists(..)
        | AccountExists(_) => ("ResourceAlreadyExistsException", 409),
        CaCertificateNotAcceptable
        | CertificateNotAcceptable
        | CsrInvalid(_)
        | DefaultPolicyVersion
        | InvalidRequest(_)
        | TargetInTransfer(_)
        | ParentThingGroupNotFound(_)
        | ThingGroupTooDeep(_)
        | TooManyChildThingGroups(_)
        | TooManyGroupsOfThing(_)
        | ThingInHierarchy(..)
        | ThingGroupHasChildren(_)
        | InvalidMarker
        | NewThingTypeDeprecated(_)
        | ThingTypeDeprecated(_)
        | ThingTypeNotDeprecated(_)
        | ThingTypeDeprecatedLately(_)
        | ThingTypePropertiesFixed
        | ThingTypeHasThings(_)
        | ExclusivelyAttached(..)
        | AttachedToOthers(..)
        | ThingAttached(_)
        | DomainConfigurationEnabled(_)
        | StatusChange(_, StatusChangeRefused::Deprecated) => ("InvalidRequestException", 400),
        TooManyCasOfOneSubject
        | TooManyPolicies(_)
        | TooManyTags
        | TooManyAccessKeys(_)
        | TooManyAuthorizers(_)
        | TooManyActiveAuthorizers(_)
        | TooManyDomainConfigurations(_) => ("LimitExceededException", 410),
        RegistrationCodeMismatch => ("RegistrationCodeValidationException", 400),
        CertificateInvalid(_) => ("CertificateValidationException", 400),
        // Unverified for `ServiceOnly`: the model also allows InvalidRequestException, 400.
        StatusChange(
            _,
            StatusChangeRefused::ServiceOnly(_) | StatusChangeRefused::RevokedIsFinal | StatusChangeRefused::InTransfer,
        )
        | CaNotRegistered
        | CaInactive(_)
        | StatusNotRegistrable(_)
        | CertificateActive(_)
        | CertificateInTransfer(_)
        | CertificateNotTransferable(..)
        | CaCertificateActive(_) => ("CertificateStateException", 406),
        CaAmbiguous => ("CertificateConflictException", 409),
        ThingsAttached(..)
        | PoliciesAttached(..)
        | PolicyAttached(_)
        | PolicyHasVersions(_)
        | AuthorizerIsDefault(_)
        | AuthorizerActive(_) => ("DeleteConflictException", 409),
        TransferPoliciesAttached(..) | TransferThingsAttached(..) | TransferTargetHolds(_) => {
            ("TransferConflictException", 409)
        }
        TransferCompleted(_) => ("TransferAlreadyCompletedException", 410),
        ThingVersionConflict(_) | ThingGroupVersionConflict(_) => ("VersionConflictException", 409),
        TooManyVersions(_) => ("VersionsLimitExceededException", 409),
        MalformedPolicy(_) => ("MalformedPolicyException", 400),
        Contended => ("ServiceUnavailableException", 503),
        Iam(error) => iam(error),
        Store(_) if error.is_full() => ("ServiceUnavailableException", 503),
        Store(_) | Internal(_) => ("InternalFailureException", 500),
    }
}

/// The AWS error name and HTTP status of each failure of an operation of IAM or STS.
fn iam(error: &IamError) -> (&'static str, u16) {
    use IamError::*;
    match error {
        NoSuchIdentity { .. }
        | NoSuchInlinePolicy { .. }
        | NoSuchPolicy(_)
        | NoSuchPolicyVersion { .. }
        | NotAttachable(_)
        | NoSuchAccessKey(_) => ("NoSuchEntity", 404),
        IdentityExists { .. } | PolicyExists(_) => ("EntityAlreadyExists", 409),
        HasAccessKeys | HasInlinePolicies | HasAttachedPolicies | PolicyAttached => ("DeleteConflict", 409),
        Quota { .. } | InlinePoliciesTooLarge { .. } => ("LimitExceeded", 409),
        MalformedPolicyDocument(_) => ("MalformedPolicyDocument", 400),
        InvalidArn(_) | Unkept(_) => ("InvalidInput", 400),
        InvalidPath(_) | InvalidMarker | UserNameNeeded | InvalidDuration(_) | InvalidRoleArn(_) => {
            ("ValidationError", 400)
        }
        AwsManaged(_) | RootAssumes | SessionAsksSession => ("AccessDenied", 403),
    }
}

/// What `resourceId` and `resourceArn` say about that which is there already.
fn resource(error: &RegistryError) -> Option<(String, String)> {
    match error {
        RegistryError::CertificateExists(tenant, id) => {
            Some((id.to_string(), Arn::certificate(*tenant, *id).to_string()))
        }
        RegistryError::CaCertificateExists(tenant, id) => {
            Some((id.to_string(), Arn::ca_certificate(*tenant, *id).to_string()))
        }
        RegistryError::PolicyExists(tenant, name) => Some((name.to_string(), Arn::policy(*tenant, name).to_string())),
        RegistryError::ThingTypeExists(tenant, name) => {
            Some((name.to_string(), Arn::thing_type(*tenant, name).to_string()))
        }
        RegistryError::AuthorizerExists(tenant, name) | RegistryError::DefaultAuthorizerExists(tenant, name) => {
            Some((name.to_string(), Arn::authorizer(*tenant, name).to_string()))
        }
        RegistryError::DomainConfigurationExists(tenant, name) => {
            Some((name.to_string(), Arn::domain_configuration(*tenant, name).to_string()))
        }
        RegistryError::ThingExists(tenant, name) => Some((name.to_string(), Arn::thing(*tenant, name).to_string())),
        RegistryError::ThingGroupExists(tenant, name, id) => {
            Some((id.to_string(), Arn::thing_group(*tenant, name).to_string()))
        }
        _ => None,
    }
}
