use tidegate_registry::{IamError, RegistryError};

use crate::{
    ApiError,
    call::Call,
    generated::iam::get_policy_version::{Input, Output},
};
use crate::{generated::iam::shapes::PolicyVersion, wire::percent_encoded};

/// `GetPolicyVersion`: a version of a managed policy: the only one it has. AWS: API_GetPolicyVersion of IAM.
pub(crate) async fn get_policy_version(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().get_managed_policy(call.tenant().account, &input.policy_arn).await?;
    if found.version != input.version_id {
        let (arn, version) = (input.policy_arn, input.version_id);
        return Err(RegistryError::from(IamError::NoSuchPolicyVersion { arn, version }).into());
    }
    Ok(Output {
        policy_version: Some(PolicyVersion {
            document: Some(percent_encoded(&found.document)),
            version_id: Some(found.version),
            is_default_version: Some(true),
            create_date: Some(found.updated.into()),
        }),
    })
}
