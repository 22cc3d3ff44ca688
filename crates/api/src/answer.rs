//! Answers in each protocol's form.

use axum::{
    body::Body,
    http::{HeaderValue, Response, header::CONTENT_TYPE},
};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::{
    ApiError,
    call::Reply,
    service::{Protocol, Service},
    wire,
};

/// The form in which a caller wants its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    RestJson,
    Json,
    /// XML of query services.
    Xml,
    /// JSON of query services. AWS: sts answers it to `Accept: application/json`.
    QueryJson,
    /// Errors only: an operation called in CBOR is not served.
    Cbor,
}

impl Form {
    /// The form for a service's protocol, given what the request's headers ask for.
    pub(crate) fn of(protocol: Protocol, accept: Option<&str>, smithy_protocol: Option<&str>) -> Self {
        match protocol {
            _ if smithy_protocol == Some("rpc-v2-cbor") => Self::Cbor,
            Protocol::RestJson => Self::RestJson,
            Protocol::Json => Self::Json,
            Protocol::Query if accept.is_some_and(|a| a.contains("application/json")) => Self::QueryJson,
            Protocol::Query => Self::Xml,
        }
    }
}

/// The answer of an operation.
pub(crate) fn success(
    form: Form,
    service: &Service,
    operation: &str,
    status: u16,
    reply: Reply,
    request_id: Uuid,
) -> Response<Body> {
    let output = match reply {
        Reply::Document(bytes) => return response(status, Some("application/json"), bytes, request_id),
        Reply::Output(output) => Some(output),
        Reply::Empty => None,
    };
    match (form, output) {
        (Form::RestJson | Form::Cbor, None) => response(status, None, Vec::new(), request_id),
        (Form::RestJson | Form::Cbor, Some(output)) => json_response(status, "application/json", &output, request_id),
        (Form::Json, output) => {
            json_response(status, "application/x-amz-json-1.1", &output.unwrap_or_else(|| json!({})), request_id)
        }
        (Form::Xml, output) => {
            let mut inner = String::new();
            if let Some(output) = output {
                wire::xml(&mut inner, &format!("{operation}Result"), &output);
            }
            wire::xml(&mut inner, "ResponseMetadata", &json!({"RequestId": request_id.to_string()}));
            let namespace = service.xml_namespace;
            let text = format!("<{operation}Response xmlns=\"{namespace}\">{inner}</{operation}Response>\n");
            response(status, Some("text/xml"), text.into(), request_id)
        }
        (Form::QueryJson, output) => {
            let body = json!({ format!("{operation}Response"): {
                format!("{operation}Result"): output,
                "ResponseMetadata": {"RequestId": request_id.to_string()},
            }});
            json_response(status, "application/json", &body, request_id)
        }
    }
}

/// An error. `namespace` is that of the service's XML.
pub(crate) fn error(form: Form, namespace: &str, error: &ApiError, request_id: Uuid) -> Response<Body> {
    let ApiError { name, status, message, resource } = error;
    let fault = if *status < 500 { "Sender" } else { "Receiver" };
    match form {
        Form::RestJson => {
            let mut body = json!({"message": message});
            if let Some((id, arn)) = resource {
                body["resourceId"] = id.as_str().into();
                body["resourceArn"] = arn.as_str().into();
            }
            let mut response = json_response(*status, "application/json", &body, request_id);
            if let Ok(name) = HeaderValue::from_str(name) {
                response.headers_mut().insert("x-amzn-errortype", name);
            }
            response
        }
        Form::Json => {
            let body = json!({"__type": name, "message": message});
            json_response(*status, "application/x-amz-json-1.1", &body, request_id)
        }
        Form::Xml => {
            let mut inner = String::new();
            wire::xml(&mut inner, "Error", &json!({"Type": fault, "Code": name, "Message": message}));
            wire::xml(&mut inner, "RequestId", &request_id.to_string().into());
            let text = format!("<ErrorResponse xmlns=\"{namespace}\">{inner}</ErrorResponse>\n");
            response(*status, Some("text/xml"), text.into(), request_id)
        }
        Form::QueryJson => {
            let error = json!({"Type": fault, "Code": name, "Message": message});
            let body = json!({"Error": error, "RequestId": request_id.to_string()});
            json_response(*status, "application/json", &body, request_id)
        }
        Form::Cbor => {
            let body = wire::cbor_texts(&[("__type", name), ("message", message)]);
            let mut response = response(*status, Some("application/cbor"), body, request_id);
            response.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
            response
        }
    }
}

/// A short text, for health checks and for what never reached an operation.
pub(crate) fn plain(status: u16, text: &'static str, request_id: Uuid) -> Response<Body> {
    response(status, Some("text/plain"), text.into(), request_id)
}

fn json_response(status: u16, content_type: &'static str, body: &Value, request_id: Uuid) -> Response<Body> {
    response(status, Some(content_type), body.to_string().into(), request_id)
}

fn response(status: u16, content_type: Option<&'static str>, body: Vec<u8>, request_id: Uuid) -> Response<Body> {
    let mut response = Response::builder().status(status).header("x-amzn-requestid", request_id.to_string());
    if let Some(content_type) = content_type {
        response = response.header(CONTENT_TYPE, content_type);
    }
    response.body(Body::from(body)).expect("status, names and values of a response are legal")
}
