//! The path of one connection from accept to its session, or to a refusal: an ordinary task on its core.

mod custom;
mod identify;

use std::{cell::RefCell, net::SocketAddr, rc::Rc, sync::Arc, time::Duration};

use tidegate_broker::{
    CloseReason, ConnectRefused, ConnectRequest, Principal, RefusedClient, Selector, Trace, client_id,
};
use tidegate_ids::{CertificateId, Now, Tenant};
use tidegate_mqtt::{Connect, decode_connect};
use tidegate_registry::{
    AuthenticationType, CertificateRegistered, CertificateStatus, Credential, ServerName, events::wire,
};
use tidegate_sigv4::RequestParts;
use tracing::error;
use uuid::Uuid;

use self::identify::{Known, Refused};
use crate::{
    Refusals,
    acceptor::{Accepted, Counted},
    arrival::{Arrival, Protocol},
    connection_log::{Identity, Origin, Scribe},
    core::{Arrived, Core, Desk, Shared},
    domain::{self, Destination, Taken},
    evidence,
    half_open::GivenUp,
    https,
    listener::{Below, Listener},
    no_connect::NoConnect,
    reason, remedy, signed,
    websocket::upgrade,
    wheel::TimerId,
};

/// How long a refused client may take to read its refusal and close.
const LINGER: Duration = Duration::from_secs(2);

/// Serves a connection until it is a slot, or gone.
pub(crate) async fn admit(core: Rc<RefCell<Core>>, accepted: Accepted, timer: TimerId) {
    let Accepted { socket, peer, listener, place, mut given_up, counted } = accepted;
    let _witness = Witness(peer);
    let shared = core.borrow().desk.shared.clone();
    let listener = &shared.listeners[listener];
    let trace_id = core.borrow_mut().desk.identifiers.uuid();
    let local = match listener.address {
        wildcard if wildcard.ip().is_unspecified() => socket.local_addr().unwrap_or(wildcard),
        address => address,
    };
    let authentication_type = matches!(listener.below, Below::Tls(_)).then_some("AWS_X509");
    let mut origin = Origin { peer, local, server_name: None, authentication_type, trace_id };
    let Ok(mut arrival) = Arrival::new(socket, core.clone()) else {
        // The kernel has no memory for one more; the acceptor will notice too.
        core.borrow_mut().cancel(timer);
        return;
    };
    arrival.place = Some(place);
    let first = tokio::select! {
        biased;
        why = &mut given_up => Err(Ended::GivenUp(why.unwrap_or(GivenUp::Stopping))),
        first = first_packet(&mut arrival, &shared, listener, &mut origin) => first.map_err(Ended::NoConnect),
    };
    core.borrow_mut().cancel(timer);
    let (destination, length) = match first {
        Ok(First::Connect { destination, length }) => (destination, length),
        Ok(First::Https { destination }) => {
            arrival.place = None;
            let shared = &shared;
            let connection =
                https::Connection { arrival, shared, listener, origin, destination, counted, cached: None };
            return connection.serve().await;
        }
        Err(ended) => {
            log_without_connect(&shared, &origin, &ended);
            if let Ended::NoConnect(why) = ended {
                tokio::select! {
                    biased;
                    _ = &mut given_up => {}
                    () = refuse_without_connect(arrival, &why) => {}
                }
            }
            return;
        }
    };
    arrival.place = None;
    let newcomer = Newcomer { core, shared: &shared, listener, origin, counted };
    newcomer.present(arrival, destination, length).await;
}

/// Why there is no CONNECT.
enum Ended {
    GivenUp(GivenUp),
    NoConnect(NoConnect),
}

/// What came first.
enum First {
    /// A CONNECT of this length.
    Connect { destination: Destination, length: usize },
    /// The head of an HTTP request.
    Https { destination: Destination },
}

async fn first_packet(
    arrival: &mut Arrival,
    shared: &Shared,
    listener: &Listener,
    origin: &mut Origin,
) -> Result<First, NoConnect> {
    let destination = match &listener.below {
        Below::Tls(tls) => arrival.shake_hands(tls, &mut origin.server_name).await?,
        Below::Plain { .. } => Destination::plain(ServerName::Absent),
    };
    let authentication = destination.authentication();
    let asks = shared.custom_authentication.is_some();
    let secure = matches!(listener.below, Below::Tls(_));
    let mut unsigned = None;
    let sign_in = |request: &RequestParts<'_>, certified: bool| {
        if domain::signatures_count(authentication) {
            let now = shared.clock.now().wall;
            let signer = signed::signer(request, &destination.server_name, &shared.registry, now)
                .map_err(|refused| upgrade::Refused::forbidden(refused.to_string()))?;
            if signer.is_some() || !secure {
                return Ok(signer);
            }
        }
        match domain::unsigned(authentication, certified, asks).map_err(upgrade::Refused::forbidden)? {
            Taken::Presented => unsigned = Some(Box::new(custom::http(request))),
            Taken::Certified => {}
        }
        Ok(None)
    };
    let speaks = destination.speaks(listener.websocket, listener.https);
    let protocol = arrival.protocol(&destination, speaks, sign_in).await?;
    arrival.http = unsigned;
    if authentication != AuthenticationType::Default {
        origin.authentication_type = Some(authentication.as_str());
    } else if arrival.signer.is_some() {
        origin.authentication_type = Some("AWS_SIGV4");
    } else if shared.custom_authentication.is_some()
        && arrival.tls.as_ref().is_some_and(|tls| tls.peer_leaf().is_none())
    {
        origin.authentication_type = Some("CUSTOM_AUTH");
    }
    if protocol == Protocol::Https {
        return Ok(First::Https { destination });
    }
    let bytes_max = shared.connect_bytes_max.min(listener.profile.limits.packet_bytes_max as usize);
    let length = arrival.connect_packet(bytes_max).await?;
    Ok(First::Connect { destination, length })
}

fn log_without_connect(shared: &Shared, origin: &Origin, ended: &Ended) {
    let scribe = Scribe { book: &shared.book, at: shared.clock.now().wall };
    // Whoever the server name belongs to may know, whatever else is not known.
    let directory = shared.registry.propagated();
    let named = origin.server_name.as_deref().and_then(|name| directory.tenant_of_server_name(name));
    let domain = origin.server_name.as_deref().and_then(|name| directory.domain(name));
    let domain = domain.as_ref().map(|domain| &*domain.configuration);
    match ended {
        Ended::GivenUp(why) => {
            let reason = reason::of_given_up(*why);
            let identity = Identity { tenant: named, ..Identity::default() };
            scribe.authentication_failed(origin, identity, &reason, &evidence::advised(&reason));
        }
        Ended::NoConnect(why) => {
            let judged = reason::judge_again(why, shared);
            let Some(reason) = reason::of_no_connect(why, judged.as_ref(), domain) else { return };
            let case = evidence::of_no_connect(why, (judged.as_ref(), domain), &reason, shared);
            let tenant = named.or(judged.and_then(|judged| judged.tenant));
            let certificate_id = reason::refused_certificate(why);
            let identity = Identity { tenant, certificate_id, client_id: None };
            scribe.authentication_failed(origin, identity, &reason, &case);
        }
    }
}

/// Says what the protocol has a word for, and closes.
async fn refuse_without_connect(mut arrival: Arrival, why: &NoConnect) {
    let mut answer = Vec::new();
    if let NoConnect::Malformed(error) = why {
        reason::answer_malformed(&arrival.received, error, &mut answer);
    }
    if let NoConnect::Upgrade(refused) = why {
        answer.extend(refused.response().into_bytes());
    }
    arrival.received = Vec::new();
    if !matches!(why, NoConnect::Lost) {
        let _ = tokio::time::timeout(LINGER, arrival.close(&answer)).await;
    }
}

/// A connection whose CONNECT is there.
struct Newcomer<'a> {
    core: Rc<RefCell<Core>>,
    shared: &'a Arc<Shared>,
    listener: &'a Listener,
    origin: Origin,
    counted: Counted,
}

impl Newcomer<'_> {
    /// Finds out who it is and what it may, and makes it a slot or refuses it.
    async fn present(self, mut arrival: Arrival, destination: Destination, length: usize) {
        let received = std::mem::take(&mut arrival.received);
        let leaving = self.decide(arrival, destination, &received, length).await;
        // A refused client may take its time, but not with this.
        drop(received);
        if let Some(leaving) = leaving {
            leaving.farewell().await;
        }
    }

    async fn decide(
        self,
        arrival: Arrival,
        destination: Destination,
        received: &[u8],
        length: usize,
    ) -> Option<Leaving> {
        let (packet, early) = received.split_at(length);
        let connect = match decode_connect(packet) {
            Ok(connect) => connect,
            Err(error) => {
                let mut answer = Vec::new();
                reason::answer_malformed(packet, &error, &mut answer);
                let reason = reason::of_malformed(&error);
                let case = evidence::advised(&reason);
                self.scribe().connect_refused(&self.origin, Identity::default(), &reason, &case);
                return Some(self.leave(arrival, answer));
            }
        };
        // A name that others could guess could be taken over by them.
        let random = if connect.client_id.is_empty() { Uuid::new_v4().as_u128() } else { 0 };
        let name = match client_id(&connect, &self.listener.profile, random) {
            Ok(name) => name,
            Err(refused) => return Some(self.refuse_by_broker(arrival, &connect, (None, None), refused)),
        };
        match self.identify(&arrival, &connect, &name, &destination).await {
            Ok(known) => self.enter(arrival, &connect, name, known, early),
            Err(refused) => Some(self.refuse(arrival, &connect, refused)),
        }
    }

    /// Publishes the event of a registration. It is on its way to its subscribers when this returns; the socket of the
    /// one who caused it is closed after that.
    fn announce(&self, event: &CertificateRegistered) {
        self.scribe().certificate_registered(&self.origin, event);
        let topic_name = wire::topic(event.ca_certificate_id);
        self.core.borrow_mut().act(|desk| {
            let Desk { shared, now, effects, .. } = desk;
            shared.broker.announce(event.tenant, &topic_name, || wire::json(event), *now, effects);
        });
    }

    /// Lets the broker report a client that is who it says, and may not connect.
    fn announce_failure(
        &self,
        tenant: Tenant,
        principal: Arc<Principal>,
        thing_name: Option<Arc<str>>,
        client_id: &str,
    ) {
        let (client_id, peer_address) = (client_id.into(), self.origin.peer);
        self.core.borrow_mut().act(|desk| {
            let refused = RefusedClient {
                tenant,
                client_id: &client_id,
                principal: &principal,
                thing_name: thing_name.as_ref(),
                peer_address,
                session_identifier: desk.identifiers.number(),
            };
            let Desk { shared, now, effects, .. } = desk;
            shared.broker.connect_failed(refused, *now, effects);
        });
    }

    /// Makes the connection a slot with a session.
    fn enter(
        self,
        arrival: Arrival,
        connect: &Connect<'_>,
        client_id: Arc<str>,
        known: Known,
        early: &[u8],
    ) -> Option<Leaving> {
        let Self { core, shared, listener, origin, counted } = self;
        let trace = Arc::new(Trace {
            trace_id: origin.trace_id.as_u128(),
            principal: known.principal.clone(),
            thing_name: known.thing_name,
            peer_address: origin.peer,
            server_name: origin.server_name.clone(),
        });
        let mut vigil = known.vigil;
        let signed = known.credential.map(|credential| (credential, (*known.principal).clone()));
        let Arrival { socket, tls, websocket, unsaid, .. } = arrival;
        let arrived = Arrived { socket: socket.into_inner(), tls, websocket, unsaid, origin, counted };
        let result = core.borrow_mut().establish(arrived, early, |desk, address| {
            let request = ConnectRequest {
                tenant: known.tenant,
                trace,
                authorize: known.authorize,
                profile: listener.profile.clone(),
                connect,
                client_id,
                address,
                session_identifier: desk.identifiers.number(),
            };
            let link = desk.shared.broker.connect(request, desk.now, &mut desk.effects)?;
            end_if_refused_meanwhile(desk, known.tenant, known.certificate_id);
            end_if_over_meanwhile(desk, known.tenant, signed);
            if let Some(vigil) = vigil.take() {
                vigil.begin(core.clone(), address);
            }
            Ok(link)
        });
        let (refused, arrived) = result.err()?;
        let Arrived { socket, tls, websocket, unsaid, origin, counted } = *arrived;
        let mut arrival = Arrival::new(socket, core.clone()).ok()?;
        arrival.tls = tls;
        arrival.unsaid = unsaid;
        arrival.websocket = websocket;
        let newcomer = Newcomer { core, shared, listener, origin, counted };
        Some(newcomer.refuse_by_broker(arrival, connect, (Some(known.tenant), known.certificate_id), refused))
    }

    /// Refuses a CONNECT for what it says.
    fn refuse_by_broker(
        self,
        arrival: Arrival,
        connect: &Connect<'_>,
        (tenant, certificate_id): (Option<Tenant>, Option<CertificateId>),
        refused: ConnectRefused,
    ) -> Leaving {
        let identity = Identity { tenant, certificate_id, client_id: Some(connect.client_id) };
        let reason = reason::of_broker(&refused);
        self.scribe().connect_refused(&self.origin, identity, &reason, &evidence::advised(&reason));
        let mut answer = Vec::new();
        refused.connack(connect.version, &self.listener.profile, &mut answer);
        if !reason::takes(connect, &answer) {
            answer.clear();
        }
        self.leave(arrival, answer)
    }

    /// Refuses a CONNECT for who sent it. AWS: facts 1.3 and 4.5.
    fn refuse(self, arrival: Arrival, connect: &Connect<'_>, refused: Refused) -> Leaving {
        let Refused { reason, mut case, authenticated, tenant, certificate_id } = refused;
        remedy::of_waiting(&mut case, self.shared.registry.propagating());
        let identity = Identity { tenant, certificate_id, client_id: Some(connect.client_id) };
        if authenticated {
            self.scribe().connect_refused(&self.origin, identity, &reason, &case);
        } else {
            self.scribe().authentication_failed(&self.origin, identity, &reason, &case);
        }
        let mut answer = Vec::new();
        match self.listener.refusals {
            Refusals::Silent => {}
            Refusals::Explained => reason::answer_refused(connect, &reason, self.origin.trace_id, &mut answer),
        }
        self.leave(arrival, answer)
    }

    fn leave(self, arrival: Arrival, answer: Vec<u8>) -> Leaving {
        Leaving { arrival, answer, _counted: self.counted }
    }

    fn now(&self) -> Now {
        self.shared.clock.now()
    }

    fn scribe(&self) -> Scribe<'_> {
        Scribe { book: &self.shared.book, at: self.now().wall }
    }
}

/// Does what a change of the certificate's status could not: between the registry's word and the session's beginning it
/// found no session to end. From now on it finds this one.
fn end_if_refused_meanwhile(desk: &mut Desk, tenant: Tenant, certificate_id: Option<CertificateId>) {
    let Some(certificate_id) = certificate_id else { return };
    let Shared { registry, broker, .. } = &*desk.shared;
    if registry.propagated().certificate_status(tenant, certificate_id) == Some(CertificateStatus::Active) {
        return;
    }
    let principal = Principal::Certificate { tenant, certificate_id };
    let selector = Selector::Principal { tenant, principal };
    broker.kick(&selector, CloseReason::PrincipalRefused, desk.now, &mut desk.effects);
}

/// As [`end_if_refused_meanwhile`], of a key or session that ended.
fn end_if_over_meanwhile(desk: &mut Desk, tenant: Tenant, signed: Option<(Credential, Principal)>) {
    let Some((credential, principal)) = signed else { return };
    let Shared { registry, broker, .. } = &*desk.shared;
    if credential.is_in_force(registry.propagated(), desk.now.wall) {
        return;
    }
    let selector = Selector::Principal { tenant, principal };
    broker.kick(&selector, CloseReason::PrincipalRefused, desk.now, &mut desk.effects);
}

/// A refused connection. It counts until it is closed.
struct Leaving {
    arrival: Arrival,
    answer: Vec<u8>,
    _counted: Counted,
}

impl Leaving {
    /// Sends the last packet, if there is one, and closes.
    async fn farewell(self) {
        let Self { arrival, answer, _counted } = self;
        let _ = tokio::time::timeout(LINGER, arrival.close(&answer)).await;
    }
}

/// Notes that a connection's task panicked; the panic's own message is on standard error.
struct Witness(SocketAddr);

impl Drop for Witness {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!(peer = %self.0, "a new connection was dropped because handling it panicked: please report it");
        }
    }
}
