use std::time::Duration;

use tidegate_registry::{IamError, RegistryError, SessionOf, SignerKind};

use super::convert::{credentials, unkept};
use crate::{
    ApiError,
    call::Call,
    generated::sts::get_session_token::{Input, Output},
};

/// Longest session of an account's root. AWS: API_GetSessionToken; what asks for more gets this.
const ROOT_SECONDS_MAX: u64 = 3600;

/// `GetSessionToken`: temporary credentials of a user, or of the account's root. AWS: API_GetSessionToken of STS.
///
/// Decision: they end with the key that asked for them, too.
pub(crate) async fn get_session_token(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    unkept(input.serial_number.as_ref().or(input.token_code.as_ref()), "MFA devices")?;
    let credential = &call.caller.credential;
    if credential.is_session() {
        return Err(RegistryError::from(IamError::SessionAsksSession).into());
    }
    let seconds = input.duration_seconds.and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or(12 * 3600);
    let (of, seconds) = match &credential.kind {
        SignerKind::Root => (SessionOf::Root, seconds.min(ROOT_SECONDS_MAX)),
        SignerKind::User { name, .. } => {
            let (name, id) = (name.to_string(), credential.user_id().to_owned());
            (SessionOf::Identity { role: false, name, id, session_name: None }, seconds)
        }
        // A role has sessions only.
        SignerKind::Role { .. } => return Err(RegistryError::from(IamError::SessionAsksSession).into()),
    };
    let parent = Some(credential.access_key_id.clone());
    let duration = Duration::from_secs(seconds);
    let session = call.registry().new_session(credential.account, of, parent, None, duration, call.now);
    Ok(Output { credentials: Some(credentials(&session)), ..Output::default() })
}
