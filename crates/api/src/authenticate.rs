//! Whose request it is: its signature against the secret of its access key.

use std::net::IpAddr;

use tidegate_ids::{Tenant, Timestamp};
use tidegate_registry::{Credential, Registry, SecretAccessKey};
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
    claimed: &'a Credentials,
    credential: Credential,
    secret: SecretAccessKey,
    protocol: Protocol,
}

/// By what way a request came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Way {
    pub(crate) source_ip: IpAddr,
    /// Whether over TLS.
    pub(crate) secure: bool,
}

impl Claim {
    /// Finds the access key. An unknown key is told before a wrong signature, as AWS does, and before a body is read.
    pub(crate) fn find_key(
        &self,
        service: &Service,
        registry: &Registry,
        now: Timestamp,
    ) -> Result<Known<'_>, ApiError> {
        let Self(claimed) = self;
        let protocol = service.protocol;
        let found = registry.directory().credential(&claimed.access_key_id, claimed.session_token.as_deref(), now);
        let (credential, secret) = found.map_err(|refused| ApiError::credential(refused, protocol))?;
        Ok(Known { claimed, credential, secret, protocol })
    }
}

impl Known<'_> {
    /// The caller, if the signature covers this request and is of these minutes.
    pub(crate) fn check(
        self,
        parts: &RequestParts<'_>,
        body: &[u8],
        way: Way,
        now: Timestamp,
    ) -> Result<Caller, ApiError> {
        let Self { claimed, credential, secret, protocol } = self;
        let refuse = |error: SigV4Error| ApiError::signature(&error, protocol);
        let skew = match protocol {
            Protocol::Query => Credentials::SKEW_STS,
            Protocol::RestJson | Protocol::Json => Credentials::SKEW,
        };
        let signing_key = claimed.signing_key(secret.as_bytes());
        claimed.check(parts, PayloadHash::of(body), &signing_key, now, skew).map_err(refuse)?;
        let foreign = || refuse(SigV4Error::ScopeRegion(claimed.region.to_string()));
        let region = claimed.region.parse().map_err(|_| foreign())?;
        let Way { source_ip, secure } = way;
        Ok(Caller { tenant: Tenant { account: credential.account, region }, credential, source_ip, secure })
    }
}
