//! What a caller names by ARN: a resource of its own account and region.

use tidegate_ids::{Arn, IdError, Resource, Tenant};

use crate::RegistryError;

/// The resource of `tenant` that `text` names; `None`: an ARN of the tenant, but of no kind that is known. `invalid` makes the
/// error of why.
pub(crate) fn own_resource(
    tenant: Tenant,
    text: &str,
    invalid: impl Fn(&str) -> RegistryError,
) -> Result<Option<Resource>, RegistryError> {
    let arn: Arn = text.parse().map_err(|error: IdError| invalid(&error.to_string()))?;
    if arn.tenant() != Some(tenant) {
        return Err(invalid("it belongs to another account or region"));
    }
    Ok(arn.iot_resource())
}
