//! One request: whose, which operation, what answer.

use std::{future::poll_fn, net::SocketAddr, pin::Pin, time::Duration};

use axum::{
    body::{Body, HttpBody},
    http::{Request as HttpRequest, Response, request::Parts},
};
use hyper::body::Incoming;
use tidegate_ids::Now;
use tidegate_sigv4::{RequestParts, SigV4Error};
use tokio::time::timeout;
use uuid::Uuid;

use crate::{
    Api, ApiError,
    answer::{self, Form},
    audit::Pending,
    authenticate::{Claim, Way},
    binding::{self, BindFault, Request},
    call::{Call, Caller, Reply},
    extensions, generated, iot_data,
    seats::Seat,
    service::{Labels, Operation, Protocol, Service},
};

/// Largest body: a policy document of 404 600 characters, escaped in JSON, fits.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;

/// Longest wait for a body.
const BODY_MAX: Duration = Duration::from_secs(30);

/// Longest work on one request.
const WORK_MAX: Duration = Duration::from_secs(60);

/// Answers one request, whatever it is, and writes one line about it.
pub(crate) async fn respond(
    api: &Api,
    peer: SocketAddr,
    secure: bool,
    seat: &Seat,
    request: HttpRequest<Incoming>,
) -> Response<Body> {
    let request_id = Uuid::new_v4();
    let (head, body) = request.into_parts();
    if let Some(response) = health(api, &head, request_id) {
        return response;
    }
    let now = api.clock.now();
    let mut record = Record { request_id, ..Record::default() };
    let way = Way { source_ip: peer.ip(), secure };
    let answer = timeout(WORK_MAX, answer(api, seat, way, &head, body, now, &mut record)).await.unwrap_or_else(|_| {
        Err(ApiError::new("ServiceUnavailableException", 503, "The request took too long: try again"))
    });
    let answer = match record.pending.take() {
        Some(pending) => match pending.settle(answer.as_ref().err()).await {
            Ok(()) => answer,
            Err(error) => {
                tracing::error!(event_type = "Api", trace_id = %request_id, %error, "a call could not be recorded");
                let text = "The call could not be recorded in the audit trail: look whether it was carried out";
                Err(ApiError::new("ServiceUnavailableException", 503, text))
            }
        },
        None => answer,
    };
    if record.caller.is_some() {
        seat.resting();
    }
    let service = record.service.unwrap_or_else(|| guess(&head));
    let header = |name| head.headers.get(name).and_then(|v| v.to_str().ok());
    let form = Form::of(service.protocol, header("accept"), header("smithy-protocol"));
    let operation = record.operation.map_or("", |o| o.name);
    let (response, error) = match answer {
        Ok(reply) => {
            let status = record.operation.map_or(200, |o| o.status);
            (answer::success(form, service, operation, status, reply, request_id), None)
        }
        Err(error) => {
            let error = error.in_words_of(service.protocol);
            (answer::error(form, service.xml_namespace, &error, request_id), Some(error))
        }
    };
    let elapsed = api.clock.now().monotonic.since(now.monotonic);
    tracing::info!(
        event_type = "Api",
        trace_id = %request_id,
        source_ip = %peer.ip(),
        service = service.name,
        operation,
        account_id = record.caller.as_ref().map(|c| tracing::field::display(c.tenant.account)),
        region = record.caller.as_ref().map(|c| tracing::field::display(c.tenant.region)),
        access_key_id = record.access_key_id.as_deref(),
        principal = record.caller.as_ref().map(|c| tracing::field::display(c.credential.arn())),
        status_code = response.status().as_u16(),
        error = error.as_ref().map(|e| &*e.name),
        details = error.as_ref().map(|e| &*e.message),
        duration_ms = elapsed.as_millis() as u64,
        "request answered"
    );
    response
}

/// What the line about a request says, as far as the request came.
#[derive(Default)]
struct Record {
    service: Option<&'static Service>,
    operation: Option<&'static Operation>,
    caller: Option<Caller>,
    /// As claimed, before anything is proven; cut to what fits a key id.
    access_key_id: Option<String>,
    request_id: Uuid,
    /// What the audit trail is owed.
    pending: Option<Pending>,
}

/// `/healthz`: the process answers. `/readyz`: it may be sent work. Neither is signed.
fn health(api: &Api, head: &Parts, request_id: Uuid) -> Option<Response<Body>> {
    match head.uri.path() {
        "/healthz" => Some(answer::plain(200, "ok\n", request_id)),
        "/readyz" => Some(match api.ready() {
            Ok(()) => answer::plain(200, "ready\n", request_id),
            Err(why) => {
                tracing::debug!(event_type = "Api", why, "not ready");
                answer::plain(503, "not ready\n", request_id)
            }
        }),
        _ => None,
    }
}

async fn answer(
    api: &Api,
    seat: &Seat,
    way: Way,
    head: &Parts,
    body: Incoming,
    now: Now,
    record: &mut Record,
) -> Result<Reply, ApiError> {
    let mut headers: Vec<(&str, &[u8])> = Vec::with_capacity(head.headers.len());
    headers.extend(head.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes())));
    let parts = RequestParts {
        method: head.method.as_str(),
        raw_path: head.uri.path(),
        raw_query: head.uri.query().unwrap_or_default(),
        headers: &headers,
    };
    let protocol = guess(head).protocol;
    // Who has no access key is refused before a body is read.
    let claim = Claim::read(&parts).map_err(|error| ApiError::signature(&error, protocol))?;
    record.access_key_id = Some(claim.access_key_id().chars().take(128).collect());
    let service = find_scope(claim.service()).ok_or_else(|| {
        let expected = guess(head).scopes[0].to_owned();
        ApiError::signature(&SigV4Error::ScopeService { found: claim.service().to_owned(), expected }, protocol)
    })?;
    record.service = Some(service);
    let key = claim.find_key(service, &api.registry, now.wall)?;
    let body = read(body).await?;
    let caller = key.check(&parts, &body, way, now.wall)?;
    api.registry.note_access_key_use(&caller.credential, service.scopes[0], caller.tenant.region, now.wall);
    record.caller = Some(caller.clone());
    seat.at_work();
    let request = Request {
        method: parts.method,
        raw_path: parts.raw_path,
        raw_query: parts.raw_query,
        headers: &headers,
        body: &body,
    };
    let form = Form::of(service.protocol, request.header("accept"), request.header("smithy-protocol"));
    let (operation, labels) = find_operation(service, form, &request)?;
    record.operation = Some(operation);
    let call = Call { api, service, operation, caller: &caller, now, request: &request, labels };
    record.pending = Pending::of(&call, claim.access_key_id(), record.request_id);
    let answer = match record.pending.as_ref().map(Pending::note) {
        Some(note) => note.around(carry_out(&call, form)).await,
        None => carry_out(&call, form).await,
    };
    if service.name == "iot-data" {
        iot_data::log(&call, record.request_id, &answer);
    }
    answer
}

/// Asks the operation's own code.
async fn carry_out(call: &Call<'_>, form: Form) -> Result<Reply, ApiError> {
    if let Some(answer) = extensions::serve(call).await {
        return answer;
    }
    match (form, call.service.name) {
        (Form::Cbor, _) => Err(call.not_served()),
        (_, "iot") => generated::iot::serve(call).await,
        (_, "iot-data") => generated::iot_data::serve(call).await,
        (_, "cloudtrail") => generated::cloudtrail::serve(call).await,
        (_, "logs") => generated::logs::serve(call).await,
        (_, "sts") => generated::sts::serve(call).await,
        (_, "iam") => generated::iam::serve(call).await,
        (_, _) => Err(call.not_served()),
    }
}

/// The service that a credential scope names.
fn find_scope(scope: &str) -> Option<&'static Service> {
    generated::routes::SERVICES.iter().copied().find(|s| s.scopes.contains(&scope))
}

/// The service that a request without readable credentials seems to mean: only the form of its refusal depends on it.
fn guess(head: &Parts) -> &'static Service {
    let header = |name| head.headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let target = header("x-amz-target").rsplit_once('.').map_or("", |(prefix, _)| prefix);
    let form = header("content-type").starts_with("application/x-www-form-urlencoded");
    let action = form || head.uri.query().is_some_and(|q| q.contains("Action="));
    let is_it = |service: &&Service| match service.protocol {
        Protocol::Json => service.target_prefix == target,
        Protocol::Query => action,
        Protocol::RestJson => target.is_empty() && !action,
    };
    let services = generated::routes::SERVICES;
    services.iter().copied().find(is_it).unwrap_or(services[0])
}

/// The operation that a request to `service` means.
fn find_operation<'a>(
    service: &'static Service,
    form: Form,
    request: &Request<'a>,
) -> Result<(&'static Operation, Labels<'a>), ApiError> {
    let unknown = |asked: &str| ApiError::unknown_operation(service.protocol, asked);
    if let Some(extension) = extensions::find(service, request.method, request.raw_path) {
        return Ok((extension, Labels::new()));
    }
    let named = |name: &str| service.named(name).map(|o| (o, Labels::new())).ok_or_else(|| unknown(name));
    if form == Form::Cbor {
        // Spec: Smithy RPC v2 CBOR: POST /service/{service}/operation/{operation}.
        return named(request.raw_path.rsplit('/').next().unwrap_or_default());
    }
    match service.protocol {
        Protocol::RestJson => {
            let found = service.at(request.method, request.raw_path);
            found.ok_or_else(|| unknown(&format!("at {} {} of {}", request.method, request.raw_path, service.name)))
        }
        Protocol::Json => {
            let target = request.header("x-amz-target").unwrap_or_default();
            match target.rsplit_once('.') {
                Some((prefix, name)) if prefix == service.target_prefix => named(name),
                Some(_) | None => Err(unknown(target)),
            }
        }
        Protocol::Query => {
            let pairs = binding::form(request).map_err(|fault| match fault {
                BindFault::MediaType(found) => unknown(&format!("in a body of type {found}")),
                BindFault::Unreadable(why) => ApiError::new("MalformedQueryString", 400, why),
            })?;
            named(pairs.get("Action").map(String::as_str).unwrap_or_default())
        }
    }
}

/// The whole body, as far as it is not too large and comes in time.
async fn read(mut body: Incoming) -> Result<Vec<u8>, ApiError> {
    let too_large = || {
        let text = format!("The body is larger than {BODY_BYTES_MAX} bytes");
        ApiError::new("RequestEntityTooLargeException", 413, text)
    };
    if body.size_hint().lower() > BODY_BYTES_MAX as u64 {
        return Err(too_large());
    }
    let collect = async {
        let mut bytes = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            let frame = frame.map_err(|error| ApiError::invalid_request(format!("The body broke off: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > BODY_BYTES_MAX {
                return Err(too_large());
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    timeout(BODY_MAX, collect)
        .await
        .unwrap_or_else(|_| Err(ApiError::new("RequestTimeoutException", 408, "The body did not come in time")))
}
