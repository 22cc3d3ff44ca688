use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_policy_principals::{Input, Output},
};

/// `GET /policy-principals?marker&pageSize&isAscendingOrder`, the policy's name in `x-amzn-iot-policy`.
///
/// AWS: API_ListPolicyPrincipals.
pub(crate) async fn list_policy_principals(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let page = page(input.page_size, input.marker, input.ascending_order);
    let found = call.registry().list_targets_for_policy(call.tenant(), &input.policy_name, page).await?;
    let principals = found.items.into_iter().map(|target| target.arn(call.tenant()).to_string());
    Ok(Output { principals: Some(principals.collect()), next_marker: found.next_marker })
}
