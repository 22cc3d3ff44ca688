//! Devices that publish, and ask for shadows, by HTTPS with their certificate: no session, no CONNECT. Those without one may publish, if
//! a custom authorizer lets them.
//!
//! A connection is a task for its whole life. Each request is judged anew: the certificate's status, then its policies, before
//! a byte of the body is read. Nobody is registered here.
//!
//! AWS: developer guide, "HTTPS"; just-in-time registration is documented for MQTT connections only. Unverified: that
//! `iot:ClientId` and variables of things match nothing.

mod answer;
mod custom;
pub(crate) mod route;

use std::{sync::Arc, time::Duration};

use tidegate_broker::{Denied, OutsidePublish, PublishRefused};
use tidegate_ids::{Arn, Tenant};
use tidegate_logs::Case;
use tidegate_mqtt::ReasonCode;
use tidegate_pki::ClientLeaf;
use tidegate_policy::{Access, PolicySet, RequestContext, Variables, keys};
use tidegate_registry::{Admitted, AuthenticationType, PageRequest, RegistryError, certificate_variables};
use tidegate_shadow::{Pace, Rejection, Request};
use tokio::{
    sync::{Semaphore, SemaphorePermit, oneshot},
    time::timeout,
};

use crate::{
    acceptor::Counted,
    arrival::Arrival,
    clients,
    connection_log::{Identity, Origin, Scribe},
    core::Shared,
    domain::Destination,
    evidence,
    http::{self, Head},
    listener::Listener,
    no_connect::NoConnect,
    reason, remedy,
};
use custom::Cached;
use route::{Asked, Framing, Listing, Publish, Refused};

/// Longest wait for the next request of a connection.
const IDLE_MAX: Duration = Duration::from_secs(30);
/// Longest wait for a body.
const BODY_MAX: Duration = Duration::from_secs(30);
/// Longest wait for a peer that takes nothing of an answer.
const STALLED_MAX: Duration = Duration::from_secs(10);
/// Longest work on one request.
const WORK_MAX: Duration = Duration::from_secs(60);
/// Most bytes of a body, whatever the profile says.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// KiB that all bodies on their way hold together.
const BODIES_KIB_MAX: usize = 64 * 1024;

/// Room for bodies, shared by all connections.
#[derive(Debug)]
pub(crate) struct Bodies(Semaphore);

impl Default for Bodies {
    fn default() -> Self {
        Self(Semaphore::new(BODIES_KIB_MAX))
    }
}

impl Bodies {
    fn take(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        self.0.try_acquire_many(u32::try_from(bytes.div_ceil(1024)).ok()?).ok()
    }
}

/// A connection that speaks HTTP.
pub(crate) struct Connection<'a> {
    pub(crate) arrival: Arrival,
    pub(crate) shared: &'a Arc<Shared>,
    pub(crate) listener: &'a Listener,
    pub(crate) origin: Origin,
    pub(crate) destination: Destination,
    /// It counts until it is closed.
    pub(crate) counted: Counted,
    /// What a custom authorizer answered, if that holds for the next request.
    pub(crate) cached: Option<Cached>,
}

/// What a request's certificate may do.
struct Rights {
    tenant: Tenant,
    identity: Identity<'static>,
    policies: Arc<PolicySet>,
    variables: Variables,
    /// Whether nothing else is allowed, whatever the policies say.
    publishes_only: bool,
}

/// The end of a connection.
struct End;

impl From<NoConnect> for End {
    fn from(_: NoConnect) -> Self {
        Self
    }
}

impl From<std::io::Error> for End {
    fn from(_: std::io::Error) -> Self {
        Self
    }
}

impl<'a> Connection<'a> {
    /// Serves requests, one after the other, until the client has no more or breaks a rule.
    pub(crate) async fn serve(mut self) {
        let leaf = self.arrival.tls.as_ref().and_then(|tls| tls.peer_leaf()).and_then(|leaf| clients::parse(leaf).ok());
        while let Ok(true) = self.serve_one(leaf.as_deref()).await {}
        let Self { arrival, counted, .. } = self;
        let _ = timeout(STALLED_MAX, arrival.close(&[])).await;
        drop(counted);
    }

    /// One request; whether another may follow.
    async fn serve_one(&mut self, leaf: Option<&ClientLeaf>) -> Result<bool, End> {
        let Some(head) = in_time(IDLE_MAX, self.arrival.head()).await? else {
            self.answer(431, &answer::message("The head of the request is too long"), true).await?;
            return Ok(false);
        };
        let Ok(head) = Head::parse(&head) else {
            self.answer(400, &answer::message("The request is not valid HTTP/1.1"), true).await?;
            return Ok(false);
        };
        self.origin.trace_id = self.arrival.new_trace_id();
        let framing = match route::framing(&head) {
            Ok(framing) => framing,
            Err(refused) => {
                self.answer(refused.status, &answer::message(&refused.message), true).await?;
                return Ok(false);
            }
        };
        let prepared = match route::route(&head) {
            Ok(asked) => self.rights(leaf, &head, &asked, framing).await.map(|rights| (rights, asked)),
            Err(refused) => Err(refused),
        };
        let ((rights, room), asked) = match prepared {
            Ok(prepared) => prepared,
            Err(refused) => {
                // The body is not read, so nothing may follow it.
                let last = framing.last || framing.body_bytes > 0;
                self.answer(refused.status, &answer::message(&refused.message), last).await?;
                return Ok(!last);
            }
        };
        if framing.expects_continue {
            in_time(STALLED_MAX, self.arrival.send(answer::CONTINUE)).await?;
        }
        let body = in_time(BODY_MAX, self.arrival.body(framing.body_bytes)).await?;
        let outcome = timeout(WORK_MAX, self.carry_out(&rights, asked, body)).await;
        drop(room);
        let outcome = outcome.unwrap_or_else(|_| Err(Refused::new(503, "The request took too long: try again")));
        let (status, body) = match outcome {
            Ok(body) => (200, body),
            Err(refused) => (refused.status, answer::message(&refused.message)),
        };
        self.answer(status, &body, framing.last).await?;
        Ok(!framing.last)
    }

    async fn answer(&mut self, status: u16, body: &answer::Body, last: bool) -> Result<(), End> {
        let answer = answer::response(status, body, self.origin.trace_id, last);
        in_time(STALLED_MAX, self.arrival.send(&answer)).await
    }

    /// Asks who it is, whether they may, and for room for the body.
    async fn rights(
        &mut self,
        leaf: Option<&ClientLeaf>,
        head: &Head<'_>,
        asked: &Asked,
        framing: Framing,
    ) -> Result<(Rights, SemaphorePermit<'a>), Refused> {
        let shared = self.shared;
        let custom = shared.custom_authentication.as_ref();
        let rights = match (self.destination.authentication(), custom) {
            (AuthenticationType::Default, Some(custom)) if leaf.is_none() => {
                self.identify_custom(custom, head, None).await?
            }
            (AuthenticationType::CustomAuth, Some(custom)) => self.identify_custom(custom, head, None).await?,
            (AuthenticationType::CustomAuthX509, Some(custom)) => {
                self.identify(leaf)?;
                self.identify_custom(custom, head, leaf).await?
            }
            (AuthenticationType::AwsSigv4, _) => return Err(self.unsigned()),
            (
                AuthenticationType::Default
                | AuthenticationType::AwsX509
                | AuthenticationType::CustomAuth
                | AuthenticationType::CustomAuthX509,
                _,
            ) => self.identify(leaf)?,
        };
        let allowed = match asked {
            Asked::Publish(publish) => self.may_publish(&rights, publish),
            Asked::Shadow(..) | Asked::Shadows(_) if rights.publishes_only => false,
            Asked::Shadow(place, operation) => self.may_ask(&rights, operation.action(), &place.resource()),
            Asked::Shadows(listing) => {
                self.may_ask(&rights, "iot:ListNamedShadowsForThing", &format!("thing/{}", listing.thing))
            }
        };
        if !allowed {
            return Err(Refused::forbidden());
        }
        let body_bytes_max = match asked {
            Asked::Publish(_) => self.listener.profile.limits.payload_bytes_max.min(BODY_BYTES_MAX),
            Asked::Shadow(..) | Asked::Shadows(_) => tidegate_shadow::REQUEST_BYTES_MAX,
        };
        if framing.body_bytes > body_bytes_max {
            return Err(Refused::new(413, "The payload exceeds the maximum size allowed"));
        }
        let room = self.shared.bodies.take(framing.body_bytes);
        let room = room.ok_or_else(|| Refused::new(503, "There is no room for the request: try again"))?;
        Ok((rights, room))
    }

    /// Asks the registry, at every request: a resumed TLS session has checked nothing, and much may have changed since.
    fn identify(&self, leaf: Option<&ClientLeaf>) -> Result<Rights, Refused> {
        let Some(leaf) = leaf else {
            let mut case = Case::default();
            remedy::of_no_certificate(&mut case);
            self.scribe().authentication_failed(&self.origin, Identity::default(), &reason::no_certificate(), &case);
            return Err(Refused::forbidden());
        };
        let now = self.shared.clock.now();
        let admitted =
            self.shared.registry.identify(leaf, self.destination.server_name, now.wall).map_err(|refused| {
                let identity =
                    Identity { tenant: refused.tenant, certificate_id: Some(refused.certificate_id), client_id: None };
                let case = evidence::of_registry(self.shared.registry.propagated(), leaf, &refused);
                self.scribe().authentication_failed(&self.origin, identity, &reason::of_registry(&refused), &case);
                Refused::forbidden()
            })?;
        let Admitted { tenant, certificate_id, grants } = admitted;
        let mut variables = certificate_variables(leaf);
        variables.source_ip(self.origin.peer.ip());
        if let Some(name) = self.origin.server_name.as_deref() {
            variables.set(keys::DOMAIN_NAME, [name]);
        }
        let identity = Identity { tenant: Some(tenant), certificate_id: Some(certificate_id), client_id: None };
        Ok(Rights { tenant, identity, policies: grants.policies(), variables, publishes_only: false })
    }

    /// Refuses a request where only signatures count, which are taken by the API alone.
    fn unsigned(&self) -> Refused {
        let domain = self.destination.domain.as_deref();
        let identity = Identity { tenant: domain.map(|domain| domain.tenant), ..Identity::default() };
        let mut case = Case::default();
        remedy::of_unsigned(&mut case, domain);
        self.scribe().authentication_failed(&self.origin, identity, &reason::unsigned(), &case);
        Refused::forbidden()
    }

    fn scribe(&self) -> Scribe<'_> {
        Scribe { book: &self.shared.book, at: self.shared.clock.now().wall }
    }

    /// AWS: `iot:Publish`, and `iot:RetainPublish` for a message that is to be retained.
    fn may_publish(&self, rights: &Rights, publish: &Publish) -> bool {
        let policy = rights.policies.bind(&rights.variables);
        let context = RequestContext::at(self.shared.clock.now().wall);
        let may = |access| policy.decide(access, &publish.topic_name, &context).is_allowed();
        let allowed = may(Access::Publish) && (!publish.retain || may(Access::RetainPublish));
        if !allowed {
            let reason = reason::of_https_denied(&publish.topic_name);
            let mut case = Case::default();
            let action = if may(Access::Publish) { "iot:RetainPublish" } else { "iot:Publish" };
            let denied = Denied { action, topic: publish.topic_name.as_str().into(), statement: None };
            let whose = (rights.tenant, rights.identity.certificate_id);
            remedy::of_denied(&mut case, whose, &denied, "", &evidence::policy_name(self.origin.trace_id));
            let message = (&*publish.topic_name, publish.retain);
            self.scribe().https_publish(&self.origin, rights.identity, message, Some((&reason, &case)));
        }
        allowed
    }

    /// AWS: `iot:GetThingShadow` and its like on `thing/NAME` or `thing/NAME/SHADOW`.
    fn may_ask(&self, rights: &Rights, action: &str, resource: &str) -> bool {
        let resource = Arn::iot(rights.tenant, resource).to_string();
        let context = RequestContext::at(self.shared.clock.now().wall);
        rights.policies.decide_arn(action, &resource, &rights.variables, &context).is_allowed()
    }

    async fn carry_out(&self, rights: &Rights, asked: Asked, body: Vec<u8>) -> Result<answer::Body, Refused> {
        match asked {
            Asked::Publish(publish) => {
                let outcome = self.publish(rights, &publish, &body).await;
                let reason = outcome.as_ref().err().map(|refused| reason::of_https(&refused.message));
                let refused = reason.map(|reason| {
                    let case = evidence::advised(&reason);
                    (reason, case)
                });
                let refused = refused.as_ref().map(|(reason, case)| (reason, case));
                let message = (&*publish.topic_name, publish.retain);
                self.scribe().https_publish(&self.origin, rights.identity, message, refused);
                outcome.map(|()| answer::message("OK"))
            }
            Asked::Shadow(place, operation) => {
                let Some(shadows) = &self.shared.shadows else { return Err(Refused::new(404, "Not Found")) };
                let limits = &self.listener.profile.limits;
                let pace = Pace {
                    per_second: limits.shadow_requests_per_second,
                    in_flight_max: limits.shadow_requests_in_flight_max,
                };
                let request = Request { tenant: rights.tenant, place, pace, operation, payload: body };
                let served = shadows.serve(request).await;
                served.map(answer::Body::Document).map_err(|Rejection { code, message }| Refused::new(code, message))
            }
            Asked::Shadows(listing) => self.list(rights, listing).await,
        }
    }

    /// The names of a thing's shadows, as a document.
    async fn list(&self, rights: &Rights, listing: Listing) -> Result<answer::Body, Refused> {
        let Listing { thing, page_size, next_token } = listing;
        let page = PageRequest { size: page_size, marker: next_token, ascending: true };
        let found = self.shared.registry.list_named_shadows_for_thing(rights.tenant, &thing, page).await;
        let found = found.map_err(|error| match error {
            RegistryError::InvalidMarker => Refused::new(400, "nextToken is not of this list"),
            error => {
                tracing::error!(
                    event_type = "Shadow",
                    error = &error as &dyn std::error::Error,
                    "shadows were not listed"
                );
                Refused::new(500, "Internal service failure")
            }
        })?;
        let names: Vec<String> = found.items.iter().map(ToString::to_string).collect();
        let mut document = serde_json::json!({ "results": names, "timestamp": self.shared.clock.now().wall.seconds() });
        if let Some(token) = found.next_marker {
            document["nextToken"] = token.into();
        }
        Ok(answer::Body::Document(document.to_string().into_bytes()))
    }

    /// Publishes, and waits until the message is durable for the sessions that are kept.
    async fn publish(&self, rights: &Rights, publish: &Publish, payload: &[u8]) -> Result<(), Refused> {
        let (tell, told) = oneshot::channel();
        let tell = move |code: ReasonCode| {
            // The client may have gone.
            let _ = tell.send(code);
        };
        let mut outcome = Ok(());
        publish.properties.lend(|properties| {
            let message = OutsidePublish {
                tenant: rights.tenant,
                topic_name: &publish.topic_name,
                properties,
                payload,
                qos: publish.qos,
                retain: publish.retain,
                profile: &self.listener.profile,
            };
            self.arrival.act(|desk| {
                outcome = desk.shared.broker.publish_from_outside(&message, tell, desk.now, &mut desk.effects);
            });
        });
        outcome.map_err(refusal)?;
        match told.await {
            Ok(code) if !code.is_failure() => Ok(()),
            Ok(ReasonCode::QuotaExceeded) => Err(Refused::new(503, "The server's disk is nearly full")),
            Ok(_) | Err(_) => Err(Refused::new(500, "An internal error occurred")),
        }
    }
}

fn refusal(refused: PublishRefused) -> Refused {
    match refused {
        PublishRefused::TopicName => Refused::new(400, "The topic is not a valid MQTT topic name"),
        PublishRefused::Malformed => Refused::new(400, "A property of the message is not valid"),
        PublishRefused::Reserved => Refused::forbidden(),
        PublishRefused::TooLarge(quota) => Refused::new(413, format!("The message exceeds a quota: {}", quota.name())),
        PublishRefused::Exceeded(quota) => Refused::new(429, format!("Rate exceeded: {}", quota.name())),
    }
}

/// What comes of `waiting` in time; a peer that takes longer has had its chance.
async fn in_time<T, E: Into<End>>(limit: Duration, waiting: impl Future<Output = Result<T, E>>) -> Result<T, End> {
    match timeout(limit, waiting).await {
        Ok(outcome) => outcome.map_err(Into::into),
        Err(_) => Err(End),
    }
}

impl Arrival {
    /// The next request's head, taken out of what was received; `None` when it is too long.
    async fn head(&mut self) -> Result<Option<Vec<u8>>, NoConnect> {
        loop {
            match http::head_length(&self.received) {
                Ok(Some(length)) => {
                    let rest = self.received.split_off(length);
                    return Ok(Some(std::mem::replace(&mut self.received, rest)));
                }
                Ok(None) => self.receive().await?,
                Err(http::TooLong) => return Ok(None),
            }
        }
    }

    /// So many bytes, taken out of what was received.
    async fn body(&mut self, bytes: usize) -> Result<Vec<u8>, NoConnect> {
        while self.received.len() < bytes {
            self.receive().await?;
        }
        let rest = self.received.split_off(bytes);
        Ok(std::mem::replace(&mut self.received, rest))
    }
}
