use tidegate_pki::PrivateKey;

use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        create_keys_and_certificate::{Input, Output},
        shapes::KeyPair,
    },
};

/// `POST /keys-and-certificate?setAsActive`: the only answer that carries a private key; it is stored nowhere.
///
/// AWS: API_CreateKeysAndCertificate.
pub(crate) async fn create_keys_and_certificate(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    // Tens of milliseconds of arithmetic.
    let key = tokio::task::spawn_blocking(PrivateKey::generate_rsa_2048)
        .await
        .map_err(|error| ApiError::internal(&error))?
        .map_err(|error| ApiError::internal(&error))?;
    let active = input.set_as_active.unwrap_or(false);
    let created = call.registry().create_keys_and_certificate(call.tenant(), &key, active, call.now).await?;
    Ok(Output {
        certificate_arn: Some(created.certificate.arn.to_string()),
        certificate_id: Some(created.certificate.certificate_id.to_string()),
        certificate_pem: Some(created.certificate.pem),
        key_pair: Some(KeyPair {
            public_key: Some(created.public_key_pem),
            private_key: Some(created.private_key_pem.to_string()),
        }),
    })
}
