use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        list_policy_versions::{Input, Output},
        shapes::PolicyVersion,
    },
};

/// `GET /policies/{policyName}/version`. AWS: API_ListPolicyVersions.
pub(crate) async fn list_policy_versions(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let found = call.registry().list_policy_versions(call.tenant(), &input.policy_name).await?;
    let versions = found.into_iter().map(|version| PolicyVersion {
        version_id: Some(version.version.to_string()),
        is_default_version: Some(version.is_default),
        create_date: Some(version.created.into()),
    });
    Ok(Output { policy_versions: Some(versions.collect()) })
}
