use tidegate_authorizer::{Http, Mqtt, Presented, Questioned, Refusal, consult};
use uuid::Uuid;

use crate::{
    ApiError,
    call::Call,
    generated::iot::{
        shapes::{HttpContext, MqttContext},
        test_invoke_authorizer::{Input, Output},
    },
};

/// `POST /authorizer/{authorizerName}/test`. AWS: API_TestInvokeAuthorizer.
///
/// Its status does not matter, so that one can be tried before it is made ACTIVE. A client that the function does not
/// authenticate is an answer like others. Unverified: both; which error stands for which failure.
pub(crate) async fn test_invoke_authorizer(call: &Call<'_>, input: Input) -> Result<Output, ApiError> {
    let authorizer = call.registry().describe_authorizer(call.tenant(), input.authorizer_name).await?;
    let presented = Presented {
        server_name: input.tls_context.and_then(|tls| tls.server_name),
        certificate: None,
        http: input.http_context.map(http),
        mqtt: input.mqtt_context.map(mqtt),
    };
    let Some((functions, bounds)) = &call.api.functions else {
        return Err(ApiError::new("InvalidRequestException", 400, "This server calls no functions"));
    };
    let record = &authorizer.record;
    let keys: Vec<&str> = record.token_signing_public_keys.values().map(String::as_str).collect();
    let questioned = Questioned {
        tenant: authorizer.tenant,
        function_arn: &record.function_arn,
        token_key_name: record.token_key_name.as_deref(),
        public_keys: &keys,
        signing_disabled: record.signing_disabled,
    };
    let signed = (input.token, input.token_signature);
    let connection_id = Uuid::new_v4().to_string();
    match consult(&**functions, questioned, &presented, signed, &connection_id, *bounds).await {
        Ok(permit) => Ok(Output {
            is_authenticated: Some(true),
            principal_id: Some(permit.principal_id.into()),
            policy_documents: Some(permit.policies.into_iter().map(|(text, _)| text).collect()),
            disconnect_after_in_seconds: i32::try_from(permit.disconnect_after.as_secs()).ok(),
            refresh_after_in_seconds: i32::try_from(permit.refresh_after.as_secs()).ok(),
        }),
        Err(Refusal::NotAuthenticated) => Ok(Output {
            is_authenticated: Some(false),
            principal_id: None,
            policy_documents: None,
            disconnect_after_in_seconds: None,
            refresh_after_in_seconds: None,
        }),
        Err(refusal) => Err(refused(&refusal)),
    }
}

fn refused(refusal: &Refusal) -> ApiError {
    let name = match refusal {
        Refusal::Function(_) | Refusal::Answer(_) => "InvalidResponseException",
        Refusal::NoAuthorizer(_)
        | Refusal::NotFound(_)
        | Refusal::Parameter(_)
        | Refusal::Signature
        | Refusal::NotAuthenticated => "InvalidRequestException",
    };
    ApiError::new(name, 400, refusal.to_string())
}

fn http(context: HttpContext) -> Http {
    let query = context.query_string.unwrap_or_default();
    let query = query.strip_prefix('?').map(str::to_owned).unwrap_or(query);
    Http { headers: context.headers.unwrap_or_default().into_iter().collect(), query }
}

fn mqtt(context: MqttContext) -> Mqtt {
    let MqttContext { username, password, client_id } = context;
    Mqtt { user_name: username, password: password.map(|password| password.0), client_id }
}
