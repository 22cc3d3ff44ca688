use tidegate_logs::Target;

use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        list_v2_logging_levels::{Input, Output},
        shapes::{LogTarget, LogTargetConfiguration},
    },
};

/// Rows of a page when the caller names no number.
const PAGE: usize = 250;

/// `GET /v2LoggingLevel?targetType&maxResults&nextToken`. AWS: API_ListV2LoggingLevels.
pub(crate) async fn list_v2_logging_levels(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let all = call.api.book.v2_logging_levels(call.tenant(), input.target_type).await?;
    let start = match &input.next_token {
        None => 0,
        Some(after) => {
            let found = all.iter().position(|target| token(target) == *after);
            found.ok_or_else(|| ApiError::invalid_request("nextToken is not of this list"))? + 1
        }
    };
    let max = input.max_results.and_then(|max| usize::try_from(max).ok()).unwrap_or(PAGE);
    let page = &all[start..all.len().min(start + max)];
    let more = start + page.len() < all.len();
    let row = |target: &Target| LogTargetConfiguration {
        log_level: Some(target.level),
        log_target: Some(LogTarget { target_name: target.name.clone(), target_type: Some(target.kind) }),
    };
    Ok(Output {
        log_target_configurations: Some(page.iter().map(row).collect()),
        next_token: page.last().filter(|_| more).map(token),
    })
}

/// Names a target: the page after it begins behind it.
fn token(target: &Target) -> String {
    format!("{:?}/{}", target.kind, target.name.as_deref().unwrap_or_default())
}
