//! Why a signature is not accepted.

use std::time::Duration;

use crate::AmzDate;

/// Why a request's signature was refused. An unknown access key is not among them: only the caller can tell.
///
/// [`SigV4Error::aws_message`] is the sentence AWS sends; which error name goes with it depends on the protocol and is
/// `api::error`'s.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SigV4Error {
    /// Neither an `Authorization` header nor a presigned query. AWS: `MissingAuthenticationTokenException`.
    #[error("the request carries no signature")]
    MissingToken,
    /// A part of the signature is missing or unreadable. AWS: `IncompleteSignatureException`.
    #[error("the signature is incomplete: {0:?}")]
    Incomplete(Vec<Problem>),
    /// Header, path or query above the bounds of [`crate::RequestParts`].
    #[error("the request is too large to check its signature")]
    TooLarge,
    /// A header that must be covered by the signature is not: `host`, and every `x-amz-*` there is.
    #[error("the header {0} is not signed")]
    HeaderNotSigned(String),
    /// The day of the credential scope is not the day of the request.
    #[error("credential scope is of {scope}, the request of {request}")]
    ScopeDate {
        /// Day in the scope, as sent.
        scope: String,
        /// When the request says it was made.
        request: AmzDate,
    },
    /// The scope names a region that the caller does not serve.
    #[error("the credential scope names the region {0}")]
    ScopeRegion(String),
    /// The scope names another service.
    #[error("the credential scope names the service {found}, not {expected}")]
    ScopeService {
        /// As sent.
        found: String,
        /// What this endpoint is.
        expected: String,
    },
    /// The scope does not end in `aws4_request`.
    #[error("the credential scope ends in {0}")]
    ScopeTerminator(String),
    /// Made too long ago.
    #[error("signed at {signed}, which is over {window:?} before {now}")]
    Expired {
        /// When the request says it was made.
        signed: AmzDate,
        /// When it was checked.
        now: AmzDate,
        /// How old it may be.
        window: Duration,
    },
    /// Made in the future.
    #[error("signed at {signed}, which is over {window:?} after {now}")]
    NotYetCurrent {
        /// When the request says it was made.
        signed: AmzDate,
        /// When it was checked.
        now: AmzDate,
        /// How far the signer's clock may be ahead.
        window: Duration,
    },
    /// The payload hash in `x-amz-content-sha256` is not the body's, or leaves the body unsigned.
    #[error("x-amz-content-sha256 is not the hash of the body")]
    Payload,
    /// Another secret, or another request, was signed.
    #[error("the signature is not that of this request under this key")]
    Mismatch,
}

/// One thing that is wrong with an `Authorization` header or a presigned query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Not `AWS4-HMAC-SHA256`; the value as sent, cut to 64 characters.
    Algorithm(String),
    /// The parameter is absent: `Credential`, `SignedHeaders`, `Signature`, or their `X-Amz-` forms.
    Missing(&'static str),
    /// Neither `X-Amz-Date` nor `Date`.
    NoDate,
    /// The date is in no known form; the value as sent, cut to 64 characters.
    Date(String),
    /// `Credential` is not `key/date/region/service/aws4_request`; the value as sent, cut to 128 characters.
    Credential(String),
    /// A part of the header is not `name=value`; the part, cut to 128 characters.
    NotKeyValue(String),
    /// A parameter's value is malformed.
    Malformed(&'static str),
}

impl SigV4Error {
    /// The sentence AWS puts into its `message`, known from public threads (see the project's facts, "What AWS is known
    /// to answer"). Unverified: the sentences for `TooLarge`, `Payload` and malformed parameters.
    pub fn aws_message(&self) -> String {
        const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check \
                                your AWS Secret Access Key and signing method. Consult the service documentation for \
                                details.";
        match self {
            Self::MissingToken => "Missing Authentication Token".into(),
            Self::Incomplete(problems) => problems.iter().map(Problem::aws_message).collect::<Vec<_>>().join(" "),
            Self::TooLarge => "The request is too large.".into(),
            Self::HeaderNotSigned(name) if name == "host" => {
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.".into()
            }
            Self::HeaderNotSigned(name) => format!("'{name}' must be a 'SignedHeader' in the AWS Authorization."),
            Self::ScopeDate { scope, request } => format!(
                "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '{scope}' != \
                 '{}', from '{request}'.",
                request.day()
            ),
            Self::ScopeRegion(found) => format!("Credential should be scoped to a valid region, not '{found}'. "),
            Self::ScopeService { expected, .. } => {
                format!("Credential should be scoped to correct service: '{expected}'. ")
            }
            Self::ScopeTerminator(found) => {
                format!("Credential should be scoped with a valid terminator: 'aws4_request', not '{found}'. ")
            }
            Self::Expired { signed, now, window } => {
                let edge = AmzDate::of(now.timestamp() - *window);
                format!("Signature expired: {signed} is now earlier than {edge} ({now} - {} min.)", minutes(*window))
            }
            Self::NotYetCurrent { signed, now, window } => {
                let edge = AmzDate::of(now.timestamp() + *window);
                format!(
                    "Signature not yet current: {signed} is still later than {edge} ({now} + {} min.)",
                    minutes(*window)
                )
            }
            Self::Payload | Self::Mismatch => MISMATCH.into(),
        }
    }
}

fn minutes(window: Duration) -> u64 {
    window.as_secs() / 60
}

impl Problem {
    fn aws_message(&self) -> String {
        match self {
            Self::Algorithm(found) => format!("Unsupported AWS 'algorithm': '{found}'."),
            Self::Missing(name @ ("Credential" | "SignedHeaders" | "Signature")) => {
                format!("Authorization header requires '{name}' parameter.")
            }
            Self::Missing(name) => format!("AWS query-string parameters must include '{name}'."),
            Self::NoDate => {
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".into()
            }
            Self::Date(found) => {
                format!(
                    "Date must be in ISO-8601 'basic format'. Got '{found}'. See http://en.wikipedia.org/wiki/ISO_8601"
                )
            }
            Self::Credential(found) => format!(
                "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{found}'"
            ),
            Self::NotKeyValue(found) => {
                format!("'{found}' not a valid key=value pair (missing equal-sign) in Authorization header.")
            }
            Self::Malformed(name) => format!("'{name}' is malformed."),
        }
    }
}
