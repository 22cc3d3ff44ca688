use super::group::{self, GROUPS};
use crate::{
    ApiError,
    call::Call,
    generated::logs::{
        describe_log_groups::{Input, Output},
        shapes::{LogGroup, LogGroupClass},
    },
};

/// `DescribeLogGroups`: the two that there are. AWS: CloudWatch Logs, API_DescribeLogGroups.
pub(crate) async fn describe_log_groups(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    if input.next_token.is_some() {
        return Err(group::invalid("The specified nextToken is invalid."));
    }
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(group::invalid("Name either logGroupNamePrefix or logGroupNamePattern"));
    }
    let tenant = call.tenant();
    let wanted = |name: &str| {
        let lower = |text: &str| text.to_ascii_lowercase();
        let identifiers = input.log_group_identifiers.as_ref();
        input.log_group_name_prefix.as_ref().is_none_or(|prefix| name.starts_with(prefix.as_str()))
            && input.log_group_name_pattern.as_ref().is_none_or(|part| lower(name).contains(&lower(part)))
            && identifiers.is_none_or(|all| all.iter().any(|one| one == name || *one == group::arn(tenant, name)))
    };
    let mut groups = Vec::new();
    for name in GROUPS.into_iter().filter(|name| wanted(name)) {
        let Some(scope) = group::scope(tenant, name) else { continue };
        let arn = group::arn(tenant, name);
        let first = call.api.book.days(&scope).await?.first().map(|(_, first, ..)| *first);
        groups.push(LogGroup {
            arn: Some(format!("{arn}:*")),
            log_group_arn: Some(arn),
            log_group_name: Some(name.to_owned()),
            log_group_class: Some(LogGroupClass::Standard),
            creation_time: Some(group::millis(first.unwrap_or(call.now.wall))),
            metric_filter_count: Some(0),
            stored_bytes: Some(i64::try_from(call.api.book.bytes(&scope).await?).unwrap_or(i64::MAX)),
            ..LogGroup::default()
        });
    }
    groups.truncate(input.limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(50));
    Ok(Output { log_groups: Some(groups), next_token: None })
}
