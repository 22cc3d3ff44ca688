//! What a connection may do: the broker's questions, answered by the policies of its certificate.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;
use tidegate_broker::{Access, Authorize, DeniedBy};
use tidegate_ids::{Arn, Clock, Tenant, Timestamp};
use tidegate_mqtt::Connect;
use tidegate_pki::ClientLeaf;
use tidegate_policy::{BoundPolicy, Decision, Origin, PolicySet, RequestContext, Variables, keys};
use tidegate_registry::{ConnectionGrants, certificate_variables};

/// The policies of one connection's certificate, bound to what is known about the connection and the thing that it stands for, and
/// bound anew when any of it changes.
pub(crate) struct CertificateRights {
    grants: ConnectionGrants,
    /// All but the thing's.
    variables: Variables,
    bound: ArcSwap<Bound>,
    /// Whether answers may change with the time, so that they hold for a second only.
    depends_on_time: AtomicBool,
    clock: Arc<dyn Clock>,
}

struct Bound {
    generation: u64,
    policy: BoundPolicy,
}

impl CertificateRights {
    pub(crate) fn new(grants: ConnectionGrants, variables: Variables, clock: Arc<dyn Clock>) -> Self {
        let bound = Bound::new(&grants, &variables);
        let depends_on_time = AtomicBool::new(bound.policy.depends_on_time());
        Self { grants, variables, bound: ArcSwap::from_pointee(bound), depends_on_time, clock }
    }

    /// See [`decide_connect`].
    pub(crate) fn connect(&self, tenant: Tenant, connect: &Connect<'_>, client_id: &str) -> Result<(), Denial> {
        decide_connect(&self.current().policy, tenant, connect, client_id, self.clock.now().wall)
    }

    /// The policies bound, no older than the generation.
    fn current(&self) -> Arc<Bound> {
        let bound = self.bound.load_full();
        if bound.generation == self.grants.generation() {
            return bound;
        }
        let bound = Arc::new(Bound::new(&self.grants, &self.variables));
        self.depends_on_time.store(bound.policy.depends_on_time(), Ordering::Relaxed);
        self.bound.store(bound.clone());
        bound
    }
}

impl Bound {
    fn new(grants: &ConnectionGrants, variables: &Variables) -> Self {
        // Read before the rest, which is then never older than it.
        let generation = grants.generation();
        let policies = grants.policies();
        let thing = if policies.uses_variables() { grants.thing() } else { None };
        let Some(thing) = thing else { return Self { generation, policy: policies.bind(variables) } };
        let mut variables = variables.clone();
        thing.add_to(&mut variables);
        Self { generation, policy: policies.bind(&variables) }
    }
}

impl Authorize for CertificateRights {
    fn generation(&self) -> u64 {
        let generation = self.grants.generation();
        if !self.depends_on_time.load(Ordering::Relaxed) {
            return generation;
        }
        // Another number each second.
        generation << 40 | self.clock.now().wall.seconds() & ((1 << 40) - 1)
    }

    fn allows(&self, access: Access, topic: &str) -> bool {
        decide(&self.current().policy, access, topic, self.clock.now().wall)
    }

    fn denied_by(&self, access: Access, topic: &str) -> Option<DeniedBy> {
        denied_by(&self.current().policy, access, topic, self.clock.now().wall)
    }
}

/// What a client may do on a listener where nobody proves who they are, but a policy says what they may.
pub(crate) struct AnonymousRights {
    policy: BoundPolicy,
    /// As the policy says: asked for each delivery, hence kept where it is near.
    depends_on_time: bool,
    clock: Arc<dyn Clock>,
}

impl AnonymousRights {
    /// For one connection.
    pub(crate) fn new(policies: &PolicySet, client_id: &str, address: IpAddr, clock: Arc<dyn Clock>) -> Self {
        let mut variables = Variables::new();
        variables.client_id(client_id).source_ip(address);
        let policy = policies.bind(&variables);
        Self { depends_on_time: policy.depends_on_time(), policy, clock }
    }

    /// See [`decide_connect`].
    pub(crate) fn connect(&self, tenant: Tenant, connect: &Connect<'_>, client_id: &str) -> Result<(), Denial> {
        decide_connect(&self.policy, tenant, connect, client_id, self.clock.now().wall)
    }
}

impl Authorize for AnonymousRights {
    fn generation(&self) -> u64 {
        // The policy is fixed; what depends on the time holds for a second.
        if self.depends_on_time { self.clock.now().wall.seconds() } else { 0 }
    }

    fn allows(&self, access: Access, topic: &str) -> bool {
        decide(&self.policy, access, topic, self.clock.now().wall)
    }

    fn denied_by(&self, access: Access, topic: &str) -> Option<DeniedBy> {
        denied_by(&self.policy, access, topic, self.clock.now().wall)
    }
}

/// `iot:Connect` on `client/CLIENT_ID`.
///
/// AWS: developer guide, "MQTT persistent sessions policy examples", "Last Will and Testament (LWT) policy examples": the
/// condition keys. The topic of a Will is decided by the broker, as any publish.
fn decide_connect(
    policy: &BoundPolicy,
    tenant: Tenant,
    connect: &Connect<'_>,
    client_id: &str,
    now: Timestamp,
) -> Result<(), Denial> {
    let persistent = !connect.clean_start || connect.session_expiry != tidegate_mqtt::SessionExpiry::AT_DISCONNECT;
    let attributes: &[&str] = match (persistent, connect.will.is_some()) {
        (true, true) => &["PersistentConnect", "LastWill"],
        (true, false) => &["PersistentConnect"],
        (false, true) => &["LastWill"],
        (false, false) => &[],
    };
    let will_topic =
        connect.will.as_ref().map(|will| Arn::iot(tenant, format!("topic/{}", will.topic_name)).to_string());
    let will_topic = will_topic.as_ref().map(|arn| [arn.as_str()]);
    let mut values: Vec<(&str, &[&str])> = vec![(keys::CONNECT_ATTRIBUTES, attributes)];
    values.extend(will_topic.as_ref().map(|topic| (keys::LAST_WILL_TOPIC, topic.as_slice())));
    match policy.decide(tidegate_policy::Access::Connect, client_id, &RequestContext { now, values: &values }) {
        Decision::Allowed(_) => Ok(()),
        Decision::ExplicitDeny(origin) => Err(Denial::By(place(policy.set(), origin))),
        Decision::ImplicitDeny => Err(Denial::Implicit),
    }
}

/// Why a CONNECT is not allowed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Denial {
    /// No statement allows it.
    Implicit,
    /// This statement denies it.
    By(DeniedBy),
}

/// Which statement of which policy: for the log.
fn place(policies: &PolicySet, origin: Origin) -> DeniedBy {
    let policy = policies.policy(origin);
    let sid = policies.sid(origin).map_or(String::new(), |sid| format!(" ({sid})"));
    let place = format!("policy {}, version {}, statement {}{sid}", policy.name, policy.version, origin.statement);
    DeniedBy { policy: policy.name.to_string(), place }
}

fn decide(policy: &BoundPolicy, access: Access, topic: &str, now: Timestamp) -> bool {
    policy.decide(in_words_of_policies(access), topic, &RequestContext::at(now)).is_allowed()
}

fn denied_by(policy: &BoundPolicy, access: Access, topic: &str, now: Timestamp) -> Option<DeniedBy> {
    match policy.decide(in_words_of_policies(access), topic, &RequestContext::at(now)) {
        Decision::ExplicitDeny(origin) => Some(place(policy.set(), origin)),
        Decision::ImplicitDeny | Decision::Allowed(_) => None,
    }
}

fn in_words_of_policies(access: Access) -> tidegate_policy::Access {
    match access {
        Access::Publish => tidegate_policy::Access::Publish,
        Access::RetainPublish => tidegate_policy::Access::RetainPublish,
        Access::Subscribe => tidegate_policy::Access::Subscribe,
        Access::Receive => tidegate_policy::Access::Receive,
    }
}

/// What policies can ask about a connection.
pub(crate) fn variables(leaf: &ClientLeaf, client_id: &str, address: IpAddr, server_name: Option<&str>) -> Variables {
    let mut variables = certificate_variables(leaf);
    variables.client_id(client_id).source_ip(address);
    if let Some(name) = server_name {
        variables.set(keys::DOMAIN_NAME, [name]);
    }
    variables
}

/// For a listener where nobody proves who they are: everything within its tenant.
#[derive(Debug)]
pub(crate) struct AllowAll;

impl Authorize for AllowAll {
    fn generation(&self) -> u64 {
        0
    }

    fn allows(&self, _access: Access, _topic: &str) -> bool {
        true
    }
}
