//! Whose request it is: its signature against the secret of its access key.

use tidegate_ids::{Arn, Tenant, Timestamp};
use tidegate_registry::{AccessKey, Registry};
use tidegate_sigv4::{Credentials, PayloadHash, RequestParts, SigV4Error};

use crate::{
    ApiError,
    call::Caller,
    service::{Protocol, Service},
};

/// What a request claims about its signer, before its body is read.
pub(crate) struct Claim(Credentials);

impl Claim {
    pub(crate) fn read(parts: &RequestParts<'_>) -> Result<Self, SigV4Error> {
        Credentials::parse(parts).map(Self)
    }

    pub(crate) fn access_key_id(&self) -> &str {
        &self.0.access_key_id
    }

    /// The service of the credential scope.
    pub(crate) fn service(&self) -> &str {
        &self.0.service
    }
}

/// A claim whose access key exists; its signature is still to be checked.
pub(crate) struct Known<'a> {
    credentials: &'a Credentials,
    key: AccessKey,
    protocol: Protocol,
}

impl Claim {
    /// Finds the access key. An unknown key is told before a wrong signature, as AWS does, and before a body is read.
    pub(crate) fn find_key(&self, service: &Service, registry: &Registry) -> Result<Known<'_>, ApiError> {
        let Self(credentials) = self;
        let protocol = service.protocol;
        let unknown = || ApiError::unknown_access_key(protocol);
        if credentials.session_token.is_some() {
            return Err(unknown()); // temporary credentials are not handed out
        }
        let id = credentials.access_key_id.parse().map_err(|_| unknown())?;
        let key = registry.directory().access_key(&id).ok_or_else(unknown)?;
        Ok(Known { credentials, key, protocol })
    }
}

impl Known<'_> {
    /// The caller, if the signature covers this request and is of these minutes.
    pub(crate) fn check(&self, parts: &RequestParts<'_>, body: &[u8], now: Timestamp) -> Result<Caller, ApiError> {
        let Self { credentials, key, protocol } = self;
        let refuse = |error: SigV4Error| ApiError::signature(&error, *protocol);
        let skew = match protocol {
            Protocol::Query => Credentials::SKEW_STS,
            Protocol::RestJson | Protocol::Json => Credentials::SKEW,
        };
        let signing_key = credentials.signing_key(key.secret.as_bytes());
        credentials.check(parts, PayloadHash::of(body), &signing_key, now, skew).map_err(refuse)?;
        let foreign = || refuse(SigV4Error::ScopeRegion(credentials.region.to_string()));
        let region = credentials.region.parse().map_err(|_| foreign())?;
        Ok(Caller { tenant: Tenant { account: key.account, region }, arn: Arn::root(key.account) })
    }
}
