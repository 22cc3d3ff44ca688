//! Signing: what a client does. Used by the demo, by tests, and by calls to other services.

use tidegate_ids::Timestamp;

use crate::{
    AmzDate, PayloadHash, RequestParts, SigningKey,
    canonical::{QueryEncoding, canonical_paths, canonical_query, canonical_request, string_to_sign},
    key::TERMINATOR,
};

/// Who signs, and for which endpoint.
#[derive(Clone, Copy)]
pub struct Signer<'a> {
    /// The key's id.
    pub access_key_id: &'a str,
    /// The key's secret.
    pub secret_access_key: &'a [u8],
    /// Token of temporary credentials.
    pub session_token: Option<&'a str>,
    /// Region of the endpoint.
    pub region: &'a str,
    /// Signing name of the service: `iot`, `iotdata`, `sts`, …
    pub service: &'a str,
}

/// The headers to add to `request` so that it is signed: `x-amz-date`, `x-amz-security-token` when there is one, and
/// `authorization`. All headers that `request` has are covered; `host` has to be among them.
pub fn sign(
    request: &RequestParts<'_>,
    payload: PayloadHash,
    signer: &Signer<'_>,
    at: Timestamp,
) -> Vec<(&'static str, String)> {
    let at = AmzDate::of(at);
    let (date, day) = (at.to_string(), at.day());
    let mut added = vec![("x-amz-date", date.clone())];
    if let Some(token) = signer.session_token {
        added.push(("x-amz-security-token", token.to_owned()));
    }
    let mut headers = request.headers.to_vec();
    headers.extend(added.iter().map(|(name, value)| (*name, value.as_bytes())));
    let mut names: Vec<Box<str>> = headers.iter().map(|(name, _)| name.to_ascii_lowercase().into()).collect();
    names.sort_unstable();
    names.dedup();

    let all = RequestParts { headers: &headers, ..*request };
    let path = canonical_paths(request.raw_path).next().expect("the path as sent is always a candidate");
    let query = canonical_query(request, QueryEncoding::AsSent, |_| false);
    let canonical = canonical_request(&all, &path, &query, &names, &payload.to_hex());
    let scope = format!("{day}/{}/{}/{TERMINATOR}", signer.region, signer.service);
    let key = SigningKey::derive(signer.secret_access_key, &day, signer.region, signer.service);
    let signature = key.signature(&string_to_sign(&date, &scope, &canonical));
    let authorization = format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope}, SignedHeaders={}, Signature={signature}",
        signer.access_key_id,
        names.join(";"),
    );
    added.push(("authorization", authorization));
    added
}
