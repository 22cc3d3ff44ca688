//! The two steps: what a request claims, and whether it is so.

use std::{fmt, time::Duration};

use tidegate_ids::Timestamp;

use crate::{
    AmzDate, PayloadHash, Problem, RequestParts, SigV4Error, SigningKey,
    canonical::{
        QueryEncoding, SIGNATURE_PARAMETER, TOKEN_PARAMETER, canonical_paths, canonical_query, canonical_request,
        decoded, string_to_sign,
    },
    key::TERMINATOR,
};

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Where the signature stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// In the `Authorization` header.
    Header,
    /// In the query of a presigned URL, valid for so long after its date.
    Query {
        /// `X-Amz-Expires`; the skew window when the URL names none.
        expires: Duration,
    },
}

/// What a request claims about its signer. Nothing of it is proven until [`Credentials::check`] has said so.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Which secret to look up; not yet known to be a well-formed key id.
    pub access_key_id: Box<str>,
    /// Day of the scope, `YYYYMMDD`, equal to the request's.
    pub day: Box<str>,
    /// Region of the scope, as sent.
    pub region: Box<str>,
    /// Service of the scope, as sent: `iot`, `iotdata`, `sts`, …
    pub service: Box<str>,
    /// When the request says it was made.
    pub date: AmzDate,
    /// Token of temporary credentials, as sent.
    pub session_token: Option<Box<str>>,
    /// Header or presigned.
    pub form: Form,
    signed_headers: Box<[Box<str>]>,
    signature: Box<str>,
}

impl Credentials {
    /// How far the signer's clock may be off, both ways: 5 minutes.
    ///
    /// AWS: "Signature expired … - 5 min."; sts allows [`Self::SKEW_STS`].
    pub const SKEW: Duration = Duration::from_secs(5 * 60);
    /// How far it may be off for sts: 15 minutes.
    pub const SKEW_STS: Duration = Duration::from_secs(15 * 60);
    /// Longest life of a presigned URL: a day. AWS: `X-Amz-Expires` of MQTT over WebSocket.
    pub const EXPIRES_MAX: Duration = Duration::from_secs(24 * 60 * 60);
    /// Most names in `SignedHeaders`.
    pub const SIGNED_HEADERS_MAX: usize = 64;

    /// Reads what `request` claims: the `Authorization` header if there is one, else the presigned query.
    ///
    /// Fails when there is no signature, when it is incomplete, when its scope contradicts the request's date, and
    /// when `host` or a present `x-amz-*` header is left unsigned. Reads no body, so it can run before one is accepted.
    pub fn parse(request: &RequestParts<'_>) -> Result<Self, SigV4Error> {
        request.check_bounds()?;
        let credentials = match request.header("authorization") {
            Some(authorization) => parse_header(request, authorization)?,
            None if request.query_pairs().any(|(name, _)| name == SIGNATURE_PARAMETER) => parse_query(request)?,
            None => return Err(SigV4Error::MissingToken),
        };
        credentials.check_signed_headers(request)?;
        Ok(credentials)
    }

    /// The key for this scope, derived from the secret of [`Self::access_key_id`]. Cacheable by key id and scope.
    pub fn signing_key(&self, secret_access_key: &[u8]) -> SigningKey {
        SigningKey::derive(secret_access_key, &self.day, &self.region, &self.service)
    }

    /// Refuses a scope whose service is not one of `allowed`.
    pub fn require_service(&self, allowed: &[&str]) -> Result<(), SigV4Error> {
        match allowed {
            _ if allowed.contains(&&*self.service) => Ok(()),
            _ => Err(SigV4Error::ScopeService {
                found: self.service.to_string(),
                expected: allowed.first().copied().unwrap_or_default().to_owned(),
            }),
        }
    }

    /// Whether `request` was signed with `key`, and is neither too old nor from the future. `skew` is how far clocks may
    /// differ ([`Self::SKEW`]), `payload` the hash of the body that was received.
    ///
    /// The date is judged first, as AWS does: a client whose clock is off learns that rather than a mismatch.
    pub fn check(
        &self,
        request: &RequestParts<'_>,
        payload: PayloadHash,
        key: &SigningKey,
        now: Timestamp,
        skew: Duration,
    ) -> Result<(), SigV4Error> {
        self.check_date(now, skew)?;
        let payload = payload.to_hex();
        // Streaming and unsigned payloads are S3's; elsewhere the header can only repeat the body's hash.
        if request.header_values("x-amz-content-sha256").any(|claimed| claimed.trim_ascii() != payload.as_bytes()) {
            return Err(SigV4Error::Payload);
        }
        let scope = format!("{}/{}/{}/{TERMINATOR}", self.day, self.region, self.service);
        let date = self.date.to_string();
        let signed = self.candidates(request).any(|(path, query)| {
            let canonical = canonical_request(request, &path, &query, &self.signed_headers, &payload);
            key.verifies(&string_to_sign(&date, &scope, &canonical), &self.signature)
        });
        if signed { Ok(()) } else { Err(SigV4Error::Mismatch) }
    }

    /// Canonical paths and queries to try, the likeliest first; at most eight. All of them mean the request as sent.
    ///
    /// Signers of presigned MQTT URLs append the session token after signing, others sign it: both are tried.
    fn candidates<'r>(&self, request: &'r RequestParts<'r>) -> impl Iterator<Item = (String, String)> + 'r {
        let presigned = matches!(self.form, Form::Query { .. });
        let token_outside: &[bool] = if presigned && self.session_token.is_some() { &[true, false] } else { &[false] };
        let mut queries: Vec<String> = Vec::new();
        for encoding in [QueryEncoding::AsSent, QueryEncoding::Uniform] {
            for &outside in token_outside {
                let query = canonical_query(request, encoding, |name| {
                    (presigned && name == SIGNATURE_PARAMETER) || (outside && name == TOKEN_PARAMETER)
                });
                if !queries.contains(&query) {
                    queries.push(query);
                }
            }
        }
        canonical_paths(request.raw_path)
            .flat_map(move |path| queries.clone().into_iter().map(move |query| (path.clone(), query)))
    }

    fn check_date(&self, now: Timestamp, skew: Duration) -> Result<(), SigV4Error> {
        let signed = self.date.timestamp();
        let window = match self.form {
            Form::Header => skew,
            Form::Query { expires } => expires,
        };
        if signed + window < now {
            Err(SigV4Error::Expired { signed: self.date, now: AmzDate::of(now), window })
        } else if signed > now + skew {
            Err(SigV4Error::NotYetCurrent { signed: self.date, now: AmzDate::of(now), window: skew })
        } else {
            Ok(())
        }
    }

    /// AWS: "you must include the host header and any x-amz-* headers". `x-amz-user-agent` says nothing that matters.
    fn check_signed_headers(&self, request: &RequestParts<'_>) -> Result<(), SigV4Error> {
        let signed = |name: &str| self.signed_headers.iter().any(|s| **s == *name);
        if !signed("host") {
            return Err(SigV4Error::HeaderNotSigned("host".into()));
        }
        let names = request.headers.iter().map(|(name, _)| name.to_ascii_lowercase());
        match names.filter(|n| n.starts_with("x-amz-") && n != "x-amz-user-agent").find(|n| !signed(n)) {
            Some(name) => Err(SigV4Error::HeaderNotSigned(name)),
            None => Ok(()),
        }
    }
}

/// Without token and signature: whoever reads a log must not be able to use them.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("access_key_id", &self.access_key_id)
            .field("region", &self.region)
            .field("service", &self.service)
            .field("date", &self.date)
            .field("form", &self.form)
            .finish_non_exhaustive()
    }
}

fn parse_header(request: &RequestParts<'_>, authorization: &str) -> Result<Credentials, SigV4Error> {
    let (algorithm, parameters) = authorization.split_once(' ').unwrap_or((authorization, ""));
    if algorithm != ALGORITHM {
        return Err(SigV4Error::Incomplete(vec![Problem::Algorithm(cut(algorithm, 64))]));
    }
    let mut problems = Vec::new();
    let (mut credential, mut signed_headers, mut signature) = (None, None, None);
    for parameter in parameters.split(',').map(str::trim).filter(|p| !p.is_empty()) {
        match parameter.split_once('=') {
            Some(("Credential", value)) => credential = Some(value),
            Some(("SignedHeaders", value)) => signed_headers = Some(value),
            Some(("Signature", value)) => signature = Some(value),
            Some(_) => {}
            None => return Err(SigV4Error::Incomplete(vec![Problem::NotKeyValue(cut(parameter, 128))])),
        }
    }
    for (name, value) in [("Credential", credential), ("Signature", signature), ("SignedHeaders", signed_headers)] {
        if value.is_none() {
            problems.push(Problem::Missing(name));
        }
    }
    let date_text = request.header("x-amz-date").or_else(|| request.header("date"));
    let date = match date_text {
        None => {
            problems.push(Problem::NoDate);
            None
        }
        Some(text) => {
            let date = AmzDate::parse_http(text);
            if date.is_none() {
                problems.push(Problem::Date(cut(text, 64)));
            }
            date
        }
    };
    match (credential, signed_headers, signature, date) {
        (Some(credential), Some(names), Some(signature), Some(date)) => {
            let token = request.header("x-amz-security-token").map(Into::into);
            claimed(credential, names, signature, date, token, Form::Header)
        }
        _ => Err(SigV4Error::Incomplete(problems)),
    }
}

fn parse_query(request: &RequestParts<'_>) -> Result<Credentials, SigV4Error> {
    let parameter = |name: &'static str| {
        let value = request.query_pairs().find(|(n, _)| *n == name).map(|(_, value)| decoded(value));
        value
            .map(|bytes| String::from_utf8(bytes).map_err(|_| SigV4Error::Incomplete(vec![Problem::Malformed(name)])))
            .transpose()
    };
    let required = |name| parameter(name)?.ok_or(SigV4Error::Incomplete(vec![Problem::Missing(name)]));
    let algorithm = required("X-Amz-Algorithm")?;
    if algorithm != ALGORITHM {
        return Err(SigV4Error::Incomplete(vec![Problem::Algorithm(cut(&algorithm, 64))]));
    }
    let credential = required("X-Amz-Credential")?;
    let names = required("X-Amz-SignedHeaders")?;
    let signature = required(SIGNATURE_PARAMETER)?;
    let date = required("X-Amz-Date")?;
    let date = AmzDate::parse(&date).ok_or_else(|| SigV4Error::Incomplete(vec![Problem::Date(cut(&date, 64))]))?;
    // Unverified: what AWS takes for a URL without X-Amz-Expires; we give it the header form's window.
    let expires = match parameter("X-Amz-Expires")? {
        None => Credentials::SKEW,
        Some(text) => text
            .parse()
            .map(Duration::from_secs)
            .ok()
            .filter(|expires| *expires <= Credentials::EXPIRES_MAX)
            .ok_or(SigV4Error::Incomplete(vec![Problem::Malformed("X-Amz-Expires")]))?,
    };
    let token = parameter(TOKEN_PARAMETER)?.map(Into::into);
    claimed(&credential, &names, &signature, date, token, Form::Query { expires })
}

/// Puts the parts together once all are there, and checks that they agree.
fn claimed(
    credential: &str,
    signed_headers: &str,
    signature: &str,
    date: AmzDate,
    session_token: Option<Box<str>>,
    form: Form,
) -> Result<Credentials, SigV4Error> {
    let incomplete = |problem| Err(SigV4Error::Incomplete(vec![problem]));
    let parts: Vec<&str> = credential.splitn(6, '/').collect();
    let &[access_key_id, day, region, service, terminator] = parts.as_slice() else {
        return incomplete(Problem::Credential(cut(credential, 128)));
    };
    if terminator != TERMINATOR {
        return Err(SigV4Error::ScopeTerminator(cut(terminator, 64)));
    }
    if day != date.day() {
        return Err(SigV4Error::ScopeDate { scope: cut(day, 64), request: date });
    }
    let names: Box<[Box<str>]> = signed_headers.split(';').map(Into::into).collect();
    // Sorted and without repetition, or the canonical form would not be one.
    if names.len() > Credentials::SIGNED_HEADERS_MAX
        || !names.is_sorted_by(|a, b| a < b)
        || !names.iter().all(|name| is_lower_token(name))
    {
        return incomplete(Problem::Malformed("SignedHeaders"));
    }
    Ok(Credentials {
        access_key_id: access_key_id.into(),
        day: day.into(),
        region: region.into(),
        service: service.into(),
        date,
        session_token,
        form,
        signed_headers: names,
        signature: signature.into(),
    })
}

fn is_lower_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_graphic() && !b.is_ascii_uppercase() && b != b':')
}

/// At most `characters_max` characters of `text`, for an error message.
fn cut(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).collect()
}
