use crate::{
    ApiError,
    call::Call,
    generated::iot::describe_endpoint::{Input, Output},
};

/// `GET /endpoint?endpointType`: the name under which devices of the account reach the broker. AWS: API_DescribeEndpoint.
///
/// `iot:Data` and no type are answered as `iot:Data-ATS`. Unverified for no type; AWS was seen to refuse `iot:Data`
/// lately, but many scripts still ask for it.
pub(crate) async fn describe_endpoint(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    match input.endpoint_type.as_deref() {
        None | Some("iot:Data-ATS" | "iot:Data") => {
            let shared = || call.api.settings.host_name.clone();
            Ok(Output { endpoint_address: Some(call.registry().endpoint(call.tenant()).unwrap_or_else(shared)) })
        }
        Some(other @ ("iot:CredentialProvider" | "iot:Jobs")) => {
            Err(ApiError::invalid_request(format!("Tidegate has no endpoint of type {other}")))
        }
        Some(other) => Err(ApiError::invalid_request(format!("There is no endpoint type {other}: use iot:Data-ATS"))),
    }
}
