use tidegate_registry::{IamError, RegistryError, Verdict};

use super::convert::key_id;
use crate::{
    ApiError,
    call::Call,
    generated::iam::{
        get_access_key_last_used::{Input, Output},
        shapes::AccessKeyLastUsed,
    },
};

/// `GetAccessKeyLastUsed`: when, for which service and in which region a key signed last. AWS: API_GetAccessKeyLastUsed of IAM, whose
/// answer is `N/A` for a key that was never used. Of a key that is not there, or another account's, its model has no other error than the one
/// for who may not ask.
pub(crate) async fn get_access_key_last_used(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let id = key_id(&input.access_key_id)?;
    let found = call.registry().access_key_last_used(call.tenant().account, &id).await;
    let (user_name, last) = match found {
        Err(RegistryError::Iam(IamError::NoSuchAccessKey(id))) => {
            let (who, key) = (call.caller.credential.arn(), format!("access key {id}"));
            return Err(ApiError::access_denied(who, "iam:GetAccessKeyLastUsed", &key, Verdict::Allowed));
        }
        found => found?,
    };
    let never = || "N/A".to_owned();
    let last = AccessKeyLastUsed {
        last_used_date: last.as_ref().map(|last| last.at.into()),
        service_name: Some(last.as_ref().map_or_else(never, |last| last.service.clone())),
        region: Some(last.as_ref().map_or_else(never, |last| last.region.to_string())),
    };
    Ok(Output { user_name, access_key_last_used: Some(last) })
}
