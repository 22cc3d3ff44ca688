//! What a connection may do: the broker's questions, answered by the policies of its certificate, or of who signed.

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;
use tidegate_broker::{Access, Authorize, DeniedBy, Enrichment};
use tidegate_ids::{Arn, CertificateId, Clock, Tenant, Timestamp};
use tidegate_mqtt::Connect;
use tidegate_policy::{
    AttachedPolicy, BoundPolicy, Decision, Document, Origin, PolicySet, RequestContext, Variables, keys,
};
use tidegate_registry::{ConnectionGrants, Identity, add_certificate_attributes};

use crate::{
    clients,
    signed::{Entered, Signer},
};

/// Where a connection's policies come from.
pub(crate) trait Grants: Send + Sync {
    /// Changes whenever the policies may have. Read it before [`Self::bind`], which is then never older than it.
    fn generation(&self) -> u64;

    /// The policies in force, bound to what is known about the connection.
    fn bind(&self, variables: &Variables) -> BoundPolicy;

    /// What is added to the messages that it publishes.
    fn enrichment(&self) -> Vec<(String, String)>;
}

/// Those of a certificate, and of the thing that its connection stands for.
pub(crate) struct CertificateGrants {
    connection: ConnectionGrants,
    /// The certificate's DER, for policies that ask what it says: few do, and any may tomorrow.
    leaf: Box<[u8]>,
}

impl CertificateGrants {
    pub(crate) fn new(connection: ConnectionGrants, leaf: &[u8]) -> Self {
        Self { connection, leaf: leaf.into() }
    }
}

impl Grants for CertificateGrants {
    fn generation(&self) -> u64 {
        self.connection.generation()
    }

    fn bind(&self, variables: &Variables) -> BoundPolicy {
        let policies = self.connection.policies();
        let thing = if policies.uses_variables() { self.connection.thing() } else { None };
        let leaf = policies.uses_certificate().then(|| clients::parse(&self.leaf).expect("it was read at CONNECT"));
        if thing.is_none() && leaf.is_none() {
            return policies.bind(variables);
        }
        let mut variables = variables.clone();
        if let Some(thing) = thing {
            thing.add_to(&mut variables);
        }
        if let Some(leaf) = leaf {
            add_certificate_attributes(&leaf, &mut variables);
        }
        policies.bind(&variables)
    }

    fn enrichment(&self) -> Vec<(String, String)> {
        self.connection.enrichment()
    }
}

/// Those of who signed a WebSocket's request. It is known among the signed connections for as long as this lives.
pub(crate) struct SignerGrants {
    identity: Option<Arc<Identity>>,
    tenant: Tenant,
    /// What an account's root may do: all.
    everything: PolicySet,
    _entered: Entered,
}

impl SignerGrants {
    pub(crate) fn new(signer: &Signer, entered: Entered) -> Self {
        let document = r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#;
        let document = Arc::new(Document::parse(document).expect("it is a policy"));
        let root = AttachedPolicy { name: "root".parse().expect("a policy name"), version: 1, document };
        let everything = PolicySet::compile(signer.tenant, [root]);
        let identity = signer.credential.identity().cloned();
        Self { identity, tenant: signer.tenant, everything, _entered: entered }
    }
}

impl Grants for SignerGrants {
    fn generation(&self) -> u64 {
        self.identity.as_ref().map_or(0, |identity| identity.generation())
    }

    fn bind(&self, variables: &Variables) -> BoundPolicy {
        match &self.identity {
            Some(identity) => identity.policies(self.tenant.region).bind(variables),
            None => self.everything.bind(variables),
        }
    }

    /// Nothing: there is no thing.
    fn enrichment(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

/// The policies of one connection, bound to what is known about it, and bound anew when any of them changes.
pub(crate) struct Rights<G> {
    grants: G,
    variables: Variables,
    /// What narrows them, for the life of the connection: a session's own policy.
    narrowing: Option<BoundPolicy>,
    bound: ArcSwap<Bound>,
    /// Whether answers may change with the time, so that they hold for a second only.
    depends_on_time: AtomicBool,
    /// Whether messages get something.
    enriches: AtomicBool,
    clock: Arc<dyn Clock>,
}

struct Bound {
    generation: u64,
    policy: BoundPolicy,
    /// What its messages get, by the type of its thing.
    enrichment: Option<Arc<Enrichment>>,
}

impl<G: Grants> Rights<G> {
    pub(crate) fn new(grants: G, variables: Variables, narrowing: Option<&PolicySet>, clock: Arc<dyn Clock>) -> Self {
        let bound = Bound::new(&grants, &variables);
        let narrowing = narrowing.map(|policies| policies.bind(&variables));
        let narrowed_by_time = narrowing.as_ref().is_some_and(BoundPolicy::depends_on_time);
        let depends_on_time = AtomicBool::new(narrowed_by_time || bound.policy.depends_on_time());
        let enriches = AtomicBool::new(bound.enrichment.is_some());
        Self { grants, variables, narrowing, bound: ArcSwap::from_pointee(bound), depends_on_time, enriches, clock }
    }

    /// See [`decide_connect`].
    pub(crate) fn connect(&self, tenant: Tenant, connect: &Connect<'_>, client_id: &str) -> Result<(), Denial> {
        let now = self.clock.now().wall;
        decide_connect(&self.current().policy, tenant, connect, client_id, now)?;
        self.narrowing.as_ref().map_or(Ok(()), |policy| decide_connect(policy, tenant, connect, client_id, now))
    }

    /// The policies bound, no older than the generation.
    fn current(&self) -> Arc<Bound> {
        let bound = self.bound.load_full();
        if bound.generation == self.grants.generation() {
            return bound;
        }
        let bound = Arc::new(Bound::new(&self.grants, &self.variables));
        let narrowed_by_time = self.narrowing.as_ref().is_some_and(BoundPolicy::depends_on_time);
        self.depends_on_time.store(narrowed_by_time || bound.policy.depends_on_time(), Ordering::Relaxed);
        self.enriches.store(bound.enrichment.is_some(), Ordering::Relaxed);
        self.bound.store(bound.clone());
        bound
    }
}

impl Bound {
    fn new(grants: &impl Grants, variables: &Variables) -> Self {
        // Read before the rest, which is then never older than it.
        let generation = grants.generation();
        let enrichment = grants.enrichment();
        let enrichment = (!enrichment.is_empty()).then(|| enrichment.into());
        Self { generation, policy: grants.bind(variables), enrichment }
    }
}

impl<G: Grants> Authorize for Rights<G> {
    fn generation(&self) -> u64 {
        let generation = self.grants.generation();
        if !self.depends_on_time.load(Ordering::Relaxed) {
            return generation;
        }
        // Another number each second.
        generation << 40 | self.clock.now().wall.seconds() & ((1 << 40) - 1)
    }

    fn allows(&self, access: Access, topic: &str) -> bool {
        let now = self.clock.now().wall;
        decide(&self.current().policy, access, topic, now)
            && self.narrowing.as_ref().is_none_or(|policy| decide(policy, access, topic, now))
    }

    fn denied_by(&self, access: Access, topic: &str) -> Option<DeniedBy> {
        let now = self.clock.now().wall;
        let narrowed = || self.narrowing.as_ref().and_then(|policy| denied_by(policy, access, topic, now));
        denied_by(&self.current().policy, access, topic, now).or_else(narrowed)
    }

    fn enrichment(&self) -> Option<Arc<Enrichment>> {
        if !self.enriches.load(Ordering::Relaxed) {
            return None;
        }
        self.bound.load().enrichment.clone()
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

/// What policies can ask about a connection, apart from what its certificate says.
pub(crate) fn variables(
    certificate_id: CertificateId,
    client_id: &str,
    address: IpAddr,
    server_name: Option<&str>,
) -> Variables {
    let mut variables = Variables::new();
    variables.certificate_id(&certificate_id).client_id(client_id).source_ip(address);
    if let Some(name) = server_name {
        variables.set(keys::DOMAIN_NAME, [name]);
    }
    variables
}

/// What policies can ask about a connection that was signed for.
pub(crate) fn signer_variables(
    signer: &Signer,
    client_id: &str,
    address: IpAddr,
    server_name: Option<&str>,
    secure: bool,
) -> Variables {
    let mut variables = signer.credential.variables();
    variables.client_id(client_id).source_ip(address);
    variables.set(keys::SECURE_TRANSPORT, [if secure { "true" } else { "false" }]);
    variables.set(keys::REQUESTED_REGION, [signer.tenant.region.as_str()]);
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
