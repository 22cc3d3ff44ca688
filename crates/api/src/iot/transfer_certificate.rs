use tidegate_ids::AccountId;

use crate::{
    ApiError,
    call::Call,
    generated::iot::transfer_certificate::{Input, Output},
};

/// `PATCH /transfer-certificate/{certificateId}?targetAwsAccount`. AWS: API_TransferCertificate.
pub(crate) async fn transfer_certificate(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let Input { certificate_id, target_aws_account, transfer_message } = input;
    let to: AccountId = target_aws_account
        .parse()
        .map_err(|error: tidegate_ids::IdError| ApiError::invalid_request(format!("targetAwsAccount: {error}")))?;
    let arn =
        call.registry().transfer_certificate(call.tenant(), certificate_id, to, transfer_message, call.now).await?;
    Ok(Output { transferred_certificate_arn: Some(arn.to_string()) })
}
