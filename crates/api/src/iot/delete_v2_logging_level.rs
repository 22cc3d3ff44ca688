use crate::{ApiError, call::Call, generated::iot::delete_v2_logging_level::Input};

/// `DELETE /v2LoggingLevel?targetType&targetName`. AWS: API_DeleteV2LoggingLevel.
pub(crate) async fn delete_v2_logging_level(call: &Call<'_>, input: Input) -> Result<(), ApiError> {
    let book = &call.api.book;
    Ok(book.delete_v2_logging_level(call.tenant(), input.target_type, &input.target_name).await?)
}
