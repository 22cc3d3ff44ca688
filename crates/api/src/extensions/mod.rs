//! What Tidegate answers beyond AWS: `POST /tidegate/…`, signed as requests to `iot` are, JSON both ways.
//!
//! No path or name of AWS begins so; `docs/policies.md` describes them.

mod explain;
mod lint_policy;

pub use explain::{Question, explain};

use serde_json::Value;

use crate::{
    ApiError,
    call::{Call, Reply},
    service::{Operation, Protocol, Refusal, Service, rest},
};

const INVALID_REQUEST: Refusal = Refusal { name: "InvalidRequestException", status: 400 };

/// The operations, found before those of `iot`.
static EXTENSIONS: Service = Service {
    name: "iot",
    scopes: &["iot"],
    protocol: Protocol::RestJson,
    target_prefix: "",
    xml_namespace: "",
    operations: &[
        rest("TidegateExplain", "POST", "/tidegate/explain", INVALID_REQUEST),
        rest("TidegateLintPolicy", "POST", "/tidegate/lint-policy", INVALID_REQUEST),
    ],
};

/// The extension that a request to `service` means, if it means one.
pub(crate) fn find(service: &Service, method: &str, raw_path: &str) -> Option<&'static Operation> {
    let found = (service.name == EXTENSIONS.name).then(|| EXTENSIONS.at(method, raw_path))?;
    found.map(|(operation, _)| operation)
}

/// Answers a call of an extension; `None` when the operation is none.
pub(crate) async fn serve(call: &Call<'_>) -> Option<Result<Reply, ApiError>> {
    let answer: Result<Value, ApiError> = match call.operation.name {
        "TidegateExplain" => explain::tidegate_explain(call).await,
        "TidegateLintPolicy" => lint_policy::tidegate_lint_policy(call).await,
        _ => return None,
    };
    Some(answer.map(Reply::Output))
}
