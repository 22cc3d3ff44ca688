use tidegate_registry::PolicyTarget;

use super::convert::policies;
use crate::{
    ApiError,
    call::{Call, page},
    generated::iot::list_attached_policies::{Input, Output},
};

/// `POST /attached-policies/{target}?recursive&marker&pageSize`. AWS: API_ListAttachedPolicies.
///
/// `recursive` adds policies of the target's thing groups; there are none yet, so both answers are the same.
pub(crate) async fn list_attached_policies(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let target = PolicyTarget::parse(call.tenant(), &input.target)?;
    let page = page(input.page_size, input.marker, Some(true));
    let found = call.registry().list_attached_policies(call.tenant(), target, page).await?;
    Ok(Output { policies: Some(policies(call.tenant(), found.items)), next_marker: found.next_marker })
}
