//! What the operations of shadows share.

use tidegate_ids::{ShadowName, ThingName};
use tidegate_shadow::{Operation, Pace, Place, Rejection, Request};

use super::data;
use crate::{ApiError, call::Call};

/// Asks the shadow service.
pub(super) async fn ask(
    call: &Call<'_>,
    thing: ThingName,
    shadow: Option<ShadowName>,
    operation: Operation,
    payload: &[u8],
) -> Result<Vec<u8>, ApiError> {
    let place = Place { thing, shadow };
    let data = data(call)?;
    let limits = &data.profile.limits;
    let pace =
        Pace { per_second: limits.shadow_requests_per_second, in_flight_max: limits.shadow_requests_in_flight_max };
    let request = Request { tenant: call.tenant(), place, pace, operation, payload: payload.to_vec() };
    data.shadows.serve(request).await.map_err(in_words_of_the_model)
}

/// AWS: the service model of `iot-data`.
fn in_words_of_the_model(Rejection { code, message }: Rejection) -> ApiError {
    let name = match code {
        400 => "InvalidRequestException",
        404 => "ResourceNotFoundException",
        409 => "ConflictException",
        413 => "RequestEntityTooLargeException",
        415 => "UnsupportedDocumentEncodingException",
        429 => "ThrottlingException",
        503 => "ServiceUnavailableException",
        _ => "InternalFailureException",
    };
    ApiError::new(name, code, message)
}
