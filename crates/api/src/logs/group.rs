//! Log groups and streams by their names.

use tidegate_ids::{Arn, Tenant, Timestamp};
use tidegate_logs::Scope;

use crate::ApiError;

/// The log group of SetV2LoggingOptions.
pub(crate) const V2_GROUP: &str = "AWSIotLogsV2";
/// The log group of SetLoggingOptions.
pub(super) const V1_GROUP: &str = "AWSIotLogs";

/// Both, in the order of their names.
pub(super) const GROUPS: [&str; 2] = [V1_GROUP, V2_GROUP];

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// The log of a group.
pub(super) fn scope(tenant: Tenant, group: &str) -> Option<Scope> {
    match group {
        V1_GROUP => Some(Scope::v1(tenant)),
        V2_GROUP => Some(Scope::v2(tenant)),
        _ => None,
    }
}

/// The group that a request means by name or identifier (a name or an ARN), and its log.
pub(super) fn find(
    tenant: Tenant,
    name: Option<String>,
    identifier: Option<String>,
) -> Result<(String, Scope), ApiError> {
    let name = match (name, identifier) {
        (Some(name), None) => name,
        (None, Some(identifier)) => of_identifier(tenant, identifier)?,
        (Some(_), Some(_)) | (None, None) => {
            return Err(invalid("Name either logGroupName or logGroupIdentifier"));
        }
    };
    match scope(tenant, &name) {
        Some(scope) => Ok((name, scope)),
        None => Err(not_found("The specified log group does not exist.")),
    }
}

fn of_identifier(tenant: Tenant, identifier: String) -> Result<String, ApiError> {
    if !identifier.starts_with("arn:") {
        return Ok(identifier);
    }
    let arn: Arn = identifier.parse().map_err(|_| invalid("logGroupIdentifier is no ARN of a log group"))?;
    let name = arn.resource.strip_prefix("log-group:").map(|name| name.strip_suffix(":*").unwrap_or(name));
    match name.filter(|_| &*arn.service == "logs") {
        Some(name) if arn.tenant() == Some(tenant) => Ok(name.to_owned()),
        Some(_) => Err(not_found("The specified log group does not exist.")),
        None => Err(invalid("logGroupIdentifier is no ARN of a log group")),
    }
}

/// `arn:aws:logs:REGION:ACCOUNT:log-group:NAME`
pub(crate) fn arn(tenant: Tenant, group: &str) -> String {
    let (region, account) = (tenant.region.as_str(), tenant.account.as_str());
    format!("arn:aws:logs:{region}:{account}:log-group:{group}")
}

/// The stream of a day, such as `2026-11-28`: its first moment says which.
pub(super) fn stream(at: Timestamp) -> String {
    // Civil from days: Howard Hinnant, "chrono-compatible low-level date algorithms".
    let days = i64::try_from(at.millis() / DAY_MS).unwrap_or_default() + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// A moment as CloudWatch Logs writes it: milliseconds since the epoch.
pub(super) fn millis(at: Timestamp) -> i64 {
    i64::try_from(at.millis()).unwrap_or(i64::MAX)
}

/// A moment as a request has it.
pub(super) fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(u64::try_from(millis).unwrap_or(0))
}

pub(super) fn invalid(text: &str) -> ApiError {
    ApiError::new("InvalidParameterException", 400, text)
}

pub(super) fn not_found(text: &str) -> ApiError {
    ApiError::new("ResourceNotFoundException", 400, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_stream() {
        for (millis, expected) in [
            (0, "1970-01-01"),
            (DAY_MS - 1, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_795_910_399_999, "2026-11-28"),
            (1_795_910_400_000, "2026-11-29"),
            (4_107_542_400_000, "2100-03-01"),
        ] {
            assert_eq!(stream(Timestamp::from_millis(millis)), expected, "{millis}");
        }
    }

    #[test]
    fn groups_are_found_by_name_and_arn_of_the_own_account() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let text = |text: &str| Some(text.to_owned());
        let own = arn(tenant, V2_GROUP);
        for (name, identifier, expected) in [
            (text("AWSIotLogsV2"), None, Ok("AWSIotLogsV2")),
            (None, text("AWSIotLogs"), Ok("AWSIotLogs")),
            (None, text(&own), Ok("AWSIotLogsV2")),
            (None, text(&format!("{own}:*")), Ok("AWSIotLogsV2")),
            (None, text(&own.replace("123456789012", "222222222222")), Err("ResourceNotFoundException")),
            (None, text("arn:aws:iot:us-east-1:123456789012:log-group:x"), Err("InvalidParameterException")),
            (text("x"), None, Err("ResourceNotFoundException")),
            (text("x"), text("x"), Err("InvalidParameterException")),
            (None, None, Err("InvalidParameterException")),
        ] {
            let found = find(tenant, name.clone(), identifier.clone());
            let found = found.as_ref().map(|(name, _)| name.as_str()).map_err(|error| &*error.name);
            assert_eq!(found, expected, "{name:?} {identifier:?}");
        }
    }
}
