//! The shadow service: requests of devices (MQTT, HTTPS) and operators, carried out one after the other for each thing.
//!
//! ```text
//!   broker ── Services::request ──┐                                      ┌▶ registry: rows, durable
//!   api, gateway ── Shadows::serve ┴▶ a lane, chosen by the thing ─▶ task ┴▶ broker: accepted, documents, delta
//! ```
//!
//! Lanes are bounded in requests, and all together in bytes: what does not fit is rejected at once (429), and so is what a thing asks beyond
//! the pace of the profile. What is answered as accepted is durable.
//!
//! AWS: developer guide, "AWS IoT Device Shadow service". Unverified: that updates and deletions by HTTP are published as
//! accepted, too; rejections are not.

use std::{
    collections::hash_map::RandomState,
    fmt,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
};

use parking_lot::Mutex;
use tidegate_broker::{Broker, Effects, Limits, ServiceAnswer, ServiceRequest, Services, SystemPublish};
use tidegate_ids::{Clock, Now, Tenant, ThingName, Timestamp};
use tidegate_logs::{Entry, LogBook, LogLevel, Repeated, Status};
use tidegate_mqtt::{MessageProperties, QoS};
use tidegate_registry::{Registry, RegistryError};
use tidegate_shadow::{
    Answer, Demand, Operation, Pace, Paces, Place, REQUEST_BYTES_MAX, Rejection, Request, Shadows, Update, wire,
};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

/// Things whose requests are carried out at the same time.
const LANES: usize = 64;
/// Requests that may wait in one lane.
const LANE_MAX: usize = 256;
/// Bytes of all requests that wait.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// A request on its way.
struct Job {
    request: Request,
    /// Who asked by HTTP; `None`: a client that hears by MQTT.
    caller: Option<oneshot::Sender<Result<Vec<u8>, Rejection>>>,
    /// Counts until it is answered.
    _room: Room,
    _turn: Option<Turn>,
}

/// A request among those of its thing, until it is answered.
struct Turn {
    paces: Arc<Mutex<Paces>>,
    tenant: Tenant,
    thing: ThingName,
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.paces.lock().end((self.tenant, &self.thing));
    }
}

/// Bytes of a request among those that wait.
struct Room {
    waiting: Arc<AtomicUsize>,
    bytes: usize,
}

impl Room {
    fn take(waiting: &Arc<AtomicUsize>, bytes: usize) -> Option<Self> {
        // What a request costs beside its payload.
        let bytes = bytes + 512;
        let fits = |held: usize| held.checked_add(bytes).filter(|held| *held <= BYTES_MAX);
        waiting.fetch_update(Relaxed, Relaxed, fits).ok()?;
        Some(Self { waiting: Arc::clone(waiting), bytes })
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        self.waiting.fetch_sub(self.bytes, Relaxed);
    }
}

/// Requests that were answered as accepted, since the start.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Accepted {
    pub(super) got: u64,
    pub(super) updated: u64,
    pub(super) deleted: u64,
}

/// The same while it is counted.
#[derive(Default)]
struct Counting {
    got: AtomicU64,
    updated: AtomicU64,
    deleted: AtomicU64,
}

impl Counting {
    fn note(&self, operation: Operation) {
        let counter = match operation {
            Operation::Get => &self.got,
            Operation::Update => &self.updated,
            Operation::Delete => &self.deleted,
        };
        counter.fetch_add(1, Relaxed);
    }
}

/// Where requests are left.
pub(super) struct ShadowService {
    lanes: Box<[Lane]>,
    counting: Arc<Counting>,
    waiting: Arc<AtomicUsize>,
    hasher: RandomState,
    clock: Arc<dyn Clock>,
    book: Arc<LogBook>,
    /// Things and quotas that the log was told of.
    throttled: Mutex<Repeated<(Tenant, ThingName, Operation, Beyond)>>,
}

/// Why a request is refused before anybody looks into it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Beyond {
    /// The thing asks too often, or too much at once.
    Pace,
    /// Too many requests wait.
    Waiting,
    /// This one is too large.
    Size,
}

impl Beyond {
    fn rejection(self) -> Rejection {
        match self {
            Self::Pace | Self::Waiting => Rejection::too_many(),
            Self::Size => Rejection::too_large(),
        }
    }

    /// The quota in words.
    fn quota(self) -> &'static str {
        match self {
            Self::Pace => "requests per second, or in flight, to the shadows of a thing",
            Self::Waiting => "shadow requests that wait",
            Self::Size => "size of a shadow request",
        }
    }
}

/// Requests for some of the things.
struct Lane {
    jobs: mpsc::Sender<Job>,
    paces: Arc<Mutex<Paces>>,
}

impl Lane {
    /// `None` when the request is one too many of its thing; without limits nothing is noted.
    fn turn(&self, request: &Request, now: Now) -> Option<Option<Turn>> {
        if request.pace == Pace::UNLIMITED {
            return Some(None);
        }
        let (tenant, thing) = (request.tenant, request.place.thing.clone());
        let begun = self.paces.lock().begin((tenant, &thing), request.pace, now.monotonic);
        begun.then(|| Some(Turn { paces: Arc::clone(&self.paces), tenant, thing }))
    }
}

/// What carries them out, before it does.
pub(super) struct Workers(Vec<mpsc::Receiver<Job>>, Arc<Counting>);

/// The service and its workers: the broker must be given the service, and the workers need the broker.
pub(super) fn new(clock: &Arc<dyn Clock>, book: &Arc<LogBook>) -> (Arc<ShadowService>, Workers) {
    let (lanes, receivers): (Vec<_>, Vec<_>) = (0..LANES).map(|_| mpsc::channel(LANE_MAX)).unzip();
    let service = ShadowService {
        lanes: lanes.into_iter().map(|jobs| Lane { jobs, paces: Arc::default() }).collect(),
        counting: Arc::default(),
        waiting: Arc::default(),
        hasher: RandomState::new(),
        clock: Arc::clone(clock),
        book: Arc::clone(book),
        throttled: Mutex::default(),
    };
    let counting = Arc::clone(&service.counting);
    (Arc::new(service), Workers(receivers, counting))
}

impl Workers {
    /// Carries out what comes, until nobody can leave any more.
    pub(super) fn start(self, registry: &Registry, broker: &Arc<Broker>, clock: &Arc<dyn Clock>, book: &Arc<LogBook>) {
        for mut lane in self.0 {
            let (broker, clock, book) = (Arc::clone(broker), Arc::clone(clock), Arc::clone(book));
            let worker = Worker { registry: registry.clone(), broker, clock, book, counting: Arc::clone(&self.1) };
            tokio::spawn(async move {
                while let Some(job) = lane.recv().await {
                    worker.carry_out(job).await;
                }
            });
        }
    }
}

impl ShadowService {
    /// How many requests were accepted.
    pub(super) fn accepted(&self) -> Accepted {
        let Counting { got, updated, deleted } = &*self.counting;
        Accepted { got: got.load(Relaxed), updated: updated.load(Relaxed), deleted: deleted.load(Relaxed) }
    }

    fn leave(
        &self,
        request: Request,
        caller: Option<oneshot::Sender<Result<Vec<u8>, Rejection>>>,
    ) -> Result<(), Rejection> {
        let (now, http) = (self.clock.now(), caller.is_some());
        let refused = |beyond, request: &Request| {
            let Request { tenant, place, operation, .. } = request;
            self.refused(beyond, &Told { tenant: *tenant, place, operation: *operation, http }, now)
        };
        if request.payload.len() > REQUEST_BYTES_MAX {
            return Err(refused(Beyond::Size, &request));
        }
        let lane = self.hasher.hash_one((request.tenant, &request.place.thing)) as usize % self.lanes.len();
        let lane = &self.lanes[lane];
        let Some(room) = Room::take(&self.waiting, request.payload.len()) else {
            return Err(refused(Beyond::Waiting, &request));
        };
        let Some(turn) = lane.turn(&request, now) else { return Err(refused(Beyond::Pace, &request)) };
        let job = Job { request, caller, _room: room, _turn: turn };
        lane.jobs.try_send(job).map_err(|full| refused(Beyond::Waiting, &full.into_inner().request))
    }

    /// What a refused request gets; the log is told at once, and of more of them every ten seconds.
    fn refused(&self, beyond: Beyond, told: &Told<'_>, now: Now) -> Rejection {
        let rejection = beyond.rejection();
        let about = (told.tenant, told.place.thing.clone(), told.operation, beyond);
        let times = self.throttled.lock().note(about, 1, now.monotonic);
        if let Some(times) = times {
            let entry = told.entry(Some(&rejection), now.wall).with("reason", Some("THROTTLED"));
            let entry = entry.with("quota", Some(beyond.quota())).with("times", Some(times));
            self.book.write(&entry, None);
            line(&entry);
        }
        rejection
    }
}

/// The pace of a profile.
fn pace(limits: &Limits) -> Pace {
    Pace { per_second: limits.shadow_requests_per_second, in_flight_max: limits.shadow_requests_in_flight_max }
}

impl Services for ShadowService {
    fn request(&self, request: &ServiceRequest<'_>) -> Option<ServiceAnswer> {
        let (place, operation) = Place::parse(request.topic_name)?;
        let (tenant, payload) = (request.tenant, request.payload);
        if payload.len() <= REQUEST_BYTES_MAX {
            let request = Request {
                tenant,
                place: place.clone(),
                pace: pace(request.limits),
                operation,
                payload: payload.to_vec(),
            };
            match self.leave(request, None) {
                Ok(()) => return None,
                Err(rejection) => {
                    let (client_token, _) = Demand::read(payload);
                    return Some(self.rejected(&place, operation, &rejection, client_token.as_deref()));
                }
            }
        }
        let now = self.clock.now();
        let rejection = self.refused(Beyond::Size, &Told { tenant, place: &place, operation, http: false }, now);
        Some(self.rejected(&place, operation, &rejection, None))
    }
}

impl ShadowService {
    fn rejected(
        &self,
        place: &Place,
        operation: Operation,
        rejection: &Rejection,
        client_token: Option<&str>,
    ) -> ServiceAnswer {
        ServiceAnswer {
            topic_name: place.topic(&format!("{}/rejected", operation.word())),
            payload: wire::rejected(rejection, self.clock.now().wall, client_token),
        }
    }
}

impl Shadows for ShadowService {
    fn serve(&self, request: Request) -> Answer {
        let (tell, told) = oneshot::channel();
        let left = self.leave(request, Some(tell));
        Box::pin(async move {
            left?;
            told.await.unwrap_or_else(|_| Err(Rejection::internal()))
        })
    }
}

impl fmt::Debug for ShadowService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ShadowService").field("waiting_bytes", &self.waiting.load(Relaxed)).finish_non_exhaustive()
    }
}

/// Carries out the requests of one lane.
struct Worker {
    registry: Registry,
    broker: Arc<Broker>,
    clock: Arc<dyn Clock>,
    book: Arc<LogBook>,
    counting: Arc<Counting>,
}

/// What follows from a request that was carried out.
struct Served {
    accepted: Vec<u8>,
    /// Topics below the shadow's, and payloads.
    more: Vec<(&'static str, Vec<u8>)>,
}

impl Worker {
    async fn carry_out(&self, job: Job) {
        let Job { request, caller, _room, _turn } = job;
        let Request { tenant, place, operation, payload, .. } = request;
        let (client_token, outcome) = match operation {
            Operation::Get => self.get(tenant, &place, &payload).await,
            Operation::Update => self.update(tenant, &place, &payload).await,
            Operation::Delete => self.delete(tenant, &place, &payload).await,
        };
        let told = Told { tenant, place: &place, operation, http: caller.is_some() };
        log(&self.book, &told, outcome.as_ref().err(), self.clock.now().wall);
        let word = operation.word();
        let mut effects = Effects::outside();
        match &outcome {
            Ok(served) => {
                self.counting.note(operation);
                if caller.is_none() || operation != Operation::Get {
                    self.publish(tenant, &place.topic(&format!("{word}/accepted")), &served.accepted, &mut effects);
                }
                for (below, payload) in &served.more {
                    self.publish(tenant, &place.topic(below), payload, &mut effects);
                }
            }
            Err(rejection) if caller.is_none() => {
                let payload = wire::rejected(rejection, self.clock.now().wall, client_token.as_deref());
                self.publish(tenant, &place.topic(&format!("{word}/rejected")), &payload, &mut effects);
            }
            Err(_) => {}
        }
        self.broker.hand_over(&mut effects);
        if let Some(caller) = caller {
            // Whoever asked may have gone.
            let _ = caller.send(outcome.map(|served| served.accepted));
        }
    }

    async fn get(&self, tenant: Tenant, place: &Place, payload: &[u8]) -> (Option<String>, Result<Served, Rejection>) {
        let (client_token, demand) = Demand::read(payload);
        let outcome = async {
            demand?;
            let found = self.registry.get_thing_shadow(tenant, place).await.map_err(failed)?;
            let shadow = found.ok_or_else(|| Rejection::not_found(place))?;
            let accepted = wire::document(&shadow, self.clock.now().wall, client_token.as_deref());
            Ok(Served { accepted, more: Vec::new() })
        };
        let outcome = outcome.await;
        (client_token, outcome)
    }

    async fn update(
        &self,
        tenant: Tenant,
        place: &Place,
        payload: &[u8],
    ) -> (Option<String>, Result<Served, Rejection>) {
        let (client_token, update) = Update::read(payload);
        let token = client_token.as_deref();
        let outcome = async {
            let update = update?;
            let now = self.clock.now();
            let updated = self.registry.update_thing_shadow(tenant, place, &update, now).await.map_err(failed)??;
            let mut more = vec![("update/documents", wire::documents(updated.before.as_ref(), &updated.after, token))];
            more.extend(wire::delta(&updated.after, token).map(|delta| ("update/delta", delta)));
            Ok(Served { accepted: wire::accepted(&updated.after, &update, token), more })
        };
        let outcome = outcome.await;
        (client_token, outcome)
    }

    async fn delete(
        &self,
        tenant: Tenant,
        place: &Place,
        payload: &[u8],
    ) -> (Option<String>, Result<Served, Rejection>) {
        let (client_token, demand) = Demand::read(payload);
        let outcome = async {
            let version = demand?.version;
            let now = self.clock.now();
            let deleted = self.registry.delete_thing_shadow(tenant, place, version, now).await.map_err(failed)??;
            Ok(Served { accepted: wire::deleted(&deleted, client_token.as_deref()), more: Vec::new() })
        };
        let outcome = outcome.await;
        (client_token, outcome)
    }

    fn publish(&self, tenant: Tenant, topic_name: &str, payload: &[u8], effects: &mut Effects) {
        let publish = SystemPublish {
            tenant,
            topic_name,
            properties: MessageProperties::default(),
            payload,
            qos: QoS::AtLeastOnce,
            retain: false,
        };
        self.broker.publish(&publish, self.clock.now(), effects);
    }
}

/// The registry could not: the cause is logged, never sent.
fn failed(error: RegistryError) -> Rejection {
    if error.is_full() {
        // The store logs it, once a minute.
        return Rejection::new(503, "The server's disk is nearly full: nothing can be changed until it has room");
    }
    error!(event_type = "Shadow", error = &error as &dyn std::error::Error, "a shadow could not be served");
    Rejection::internal()
}

/// What an entry is about.
struct Told<'a> {
    tenant: Tenant,
    place: &'a Place,
    operation: Operation,
    http: bool,
}

impl Told<'_> {
    /// AWS: entries `GetThingShadow`, `UpdateThingShadow`, `DeleteThingShadow`.
    fn entry(&self, rejection: Option<&Rejection>, at: Timestamp) -> Entry {
        let event_type = match self.operation {
            Operation::Get => "GetThingShadow",
            Operation::Update => "UpdateThingShadow",
            Operation::Delete => "DeleteThingShadow",
        };
        let status = if rejection.is_none() { Status::Success } else { Status::Failure };
        let mut entry = Entry::new(event_type, status, 0, at).of(Some(self.tenant));
        entry.protocol = Some(if self.http { "HTTP" } else { "MQTT" });
        entry
            .with("deviceShadowName", self.place.shadow.as_ref().map(ToString::to_string))
            .with("topicName", Some(self.place.topic(self.operation.word())))
            .with("code", rejection.map(|rejection| rejection.code))
            .with("details", rejection.map(|rejection| rejection.message.clone()))
    }
}

/// Writes the entry of a request that was carried out.
fn log(book: &LogBook, told: &Told<'_>, rejection: Option<&Rejection>, at: Timestamp) {
    if rejection.is_none() && !book.wants(LogLevel::Info) {
        return;
    }
    let entry = told.entry(rejection, at);
    book.write(&entry, None);
    if rejection.is_some() {
        line(&entry);
    }
}

/// The entry of a rejection as a line of the process's own log.
fn line(entry: &Entry) {
    tracing::info!(
        target: "tidegate::connections",
        eventType = entry.event_type,
        status = entry.status_text(),
        accountId = entry.tenant.as_ref().map(|tenant| tenant.account.as_str()),
        protocol = entry.protocol,
        deviceShadowName = entry.text("deviceShadowName"),
        topicName = entry.text("topicName"),
        code = entry.number("code"),
        reason = entry.text("reason"),
        quota = entry.text("quota"),
        times = entry.number("times"),
        details = entry.text("details"),
        "a request to a shadow was rejected"
    );
}

#[cfg(test)]
mod tests {
    use tidegate_broker::Profile;
    use tidegate_kv::memory::MemoryStore;
    use tidegate_logs::Parts;

    use super::*;

    #[derive(Debug)]
    struct Still;

    impl Clock for Still {
        fn now(&self) -> Now {
            Now::default()
        }
    }

    async fn service() -> (Arc<ShadowService>, Workers) {
        let parts = Parts { store: Arc::new(MemoryStore::new()), groups: Box::new(()) };
        let clock: Arc<dyn Clock> = Arc::new(Still);
        new(&clock, &LogBook::open(parts).await.unwrap().0)
    }

    fn tenant() -> Tenant {
        Tenant { account: "111111111111".parse().unwrap(), region: "us-east-1".parse().unwrap() }
    }

    fn ask(service: &ShadowService, topic_name: &str, payload: &[u8]) -> Option<(String, u64)> {
        ask_within(&Profile::standard().limits, service, topic_name, payload)
    }

    fn ask_within(limits: &Limits, service: &ShadowService, topic_name: &str, payload: &[u8]) -> Option<(String, u64)> {
        let properties = MessageProperties::default();
        let request = ServiceRequest { tenant: tenant(), limits, topic_name, properties: &properties, payload };
        let answer = service.request(&request)?;
        let rejected: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        Some((answer.topic_name, rejected["code"].as_u64().unwrap()))
    }

    #[tokio::test]
    async fn what_does_not_fit_a_lane_is_rejected_at_once_and_others_go_on() {
        let (service, _workers) = service().await;
        let update = "$aws/things/busy/shadow/update";
        for _ in 0..LANE_MAX {
            assert_eq!(ask(&service, update, b"{}"), None);
        }
        let rejected = |topic: &str, code| Some((format!("{topic}/rejected"), code));
        assert_eq!(ask(&service, update, b"{}"), rejected(update, 429));
        let others = (0..100).filter(|n| ask(&service, &format!("$aws/things/t{n}/shadow/get"), b"").is_none());
        assert!(others.count() > 90, "other lanes have room");
        let large = vec![b'x'; REQUEST_BYTES_MAX + 1];
        assert_eq!(ask(&service, update, &large), rejected(update, 413));
        assert_eq!(ask(&service, "$aws/things/t/jobs/get", b""), None);
    }

    #[tokio::test]
    async fn what_a_thing_asks_beyond_its_pace_is_rejected_until_it_is_answered() {
        let (service, workers) = service().await;
        let limits = Profile::aws().limits;
        let get = "$aws/things/eager/shadow/name/n/get";
        let asked = || ask_within(&limits, &service, get, br#"{"clientToken":"x"}"#);
        assert!((0..10).all(|_| asked().is_none()));
        assert_eq!(asked(), Some((format!("{get}/rejected"), 429)));
        assert_eq!(ask_within(&limits, &service, "$aws/things/other/shadow/get", b""), None);
        drop(workers); // nobody carries anything out, and nobody waits
        assert_eq!(service.lanes.iter().map(|lane| lane.paces.lock().in_flight()).sum::<u32>(), 0);
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes_and_gives_its_room_back() {
        let (service, workers) = service().await;
        let payload = vec![b' '; REQUEST_BYTES_MAX];
        let waits = (0..BYTES_MAX / REQUEST_BYTES_MAX + 10)
            .filter(|n| ask(&service, &format!("$aws/things/t{n}/shadow/update"), &payload).is_none())
            .count();
        assert!((400..BYTES_MAX / REQUEST_BYTES_MAX).contains(&waits), "{waits}");
        drop(workers);
        assert_eq!(service.waiting.load(Relaxed), 0);
    }
}
