//! What operations of STS share.

use tidegate_registry::{IamError, NewSession, RegistryError};

use crate::{ApiError, generated::sts::shapes::Credentials};

/// Temporary credentials as STS shows them.
pub(super) fn credentials(session: &NewSession) -> Credentials {
    Credentials {
        access_key_id: Some(session.access_key_id.to_string()),
        secret_access_key: Some(session.secret.to_string()),
        session_token: Some(session.token.to_string()),
        expiration: Some(session.expires.into()),
    }
}

/// Refuses what is asked for and not kept, rather than forget it.
pub(super) fn unkept<T>(given: Option<&T>, what: &'static str) -> Result<(), ApiError> {
    match given {
        None => Ok(()),
        Some(_) => Err(RegistryError::from(IamError::Unkept(what)).into()),
    }
}
