use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_targets_for_policy::{Input, Output},
};

/// `POST /policy-targets/{policyName}?marker&pageSize`. AWS: API_ListTargetsForPolicy.
pub(crate) async fn list_targets_for_policy(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.page_size, input.marker, Some(true));
    let found = call.registry().list_targets_for_policy(call.tenant(), &input.policy_name, page).await?;
    let targets = found.items.into_iter().map(|target| target.arn(call.tenant()).to_string());
    Ok(Output { targets: Some(targets.collect()), next_marker: found.next_marker })
}
