//! What the broker needs from those who run it.

use std::sync::Arc;

use tidegate_ids::Tenant;
use tidegate_mqtt::MessageProperties;

use crate::{DeniedBy, Limits};

/// What a policy is asked about. CONNECT itself was decided before the broker saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Access {
    /// `iot:Publish`: publish to this topic name.
    Publish,
    /// `iot:RetainPublish`: publish to this topic name with RETAIN set; asked beside `Publish`.
    RetainPublish,
    /// `iot:Subscribe`: subscribe with this filter, `$share/…` included as the client wrote it.
    Subscribe,
    /// `iot:Receive`: be sent a message with this topic name.
    Receive,
}

impl Access {
    /// The action as policies write it.
    pub fn action(self) -> &'static str {
        match self {
            Self::Publish => "iot:Publish",
            Self::RetainPublish => "iot:RetainPublish",
            Self::Subscribe => "iot:Subscribe",
            Self::Receive => "iot:Receive",
        }
    }
}

/// The policies of one connection, with its variables bound at CONNECT. One object per connection.
pub trait Authorize: Send + Sync {
    /// Changes whenever an answer of `allows` may have changed; answers are cached beside it. A cheap load.
    fn generation(&self) -> u64;

    /// Whether the policies allow this. Called on the message path for topics not asked about lately, under a
    /// session's lock for `Receive`: it must neither block nor call the broker.
    fn allows(&self, access: Access, topic: &str) -> bool;

    /// User properties that messages of the connection get, behind its own. Asked after `allows`, for each message that somebody
    /// wants; `None`, as nearly always, must cost next to nothing.
    fn enrichment(&self) -> Option<Arc<Enrichment>> {
        None
    }

    /// Which statement denies this, in words; `None`: none allows it. For what is told of refusals, under the same rules as
    /// [`allows`](Self::allows).
    fn denied_by(&self, access: Access, topic: &str) -> Option<DeniedBy> {
        let _ = (access, topic);
        None
    }
}

/// User properties, names and values; not empty.
pub type Enrichment = [(String, String)];

/// Tells a core that its mailbox holds links with something to do.
pub trait Wake: Send + Sync {
    /// Make core `core` call `Broker::collect` soon. Called once per batch; never blocks.
    fn wake(&self, core: u16);
}

/// Messages between nodes. One process has none: the default does nothing.
///
/// It says what another node needs to know: which filters are wanted here, advertised per filter, never per client.
pub trait Fabric: Send + Sync {
    /// The first subscription of this node to `topic_filter` was made (`true`), or its last one ended. Called after the
    /// change, perhaps under a lock: it must neither block nor call the broker. Two changes of one filter on two cores may
    /// be told in either order.
    fn interest(&self, tenant: Tenant, topic_filter: &str, wanted: bool) {
        let _ = (tenant, topic_filter, wanted);
    }
}

/// What lies behind the topics on which clients ask services: `$aws/things/NAME/shadow/update`, …
pub trait Services: Send + Sync {
    /// Somebody who may do so published a request. What is answered at once is published by the broker; what takes longer, the
    /// service publishes later. It must neither block nor call the broker, and bounds what it keeps.
    fn request(&self, request: &ServiceRequest<'_>) -> Option<ServiceAnswer> {
        let _ = request;
        None
    }
}

/// A message to a service.
#[derive(Debug, Clone, Copy)]
pub struct ServiceRequest<'a> {
    /// In whose topics.
    pub tenant: Tenant,
    /// Whose limits hold for who asks.
    pub limits: &'a Limits,
    /// Which request it is.
    pub topic_name: &'a str,
    /// Properties that came with it.
    pub properties: &'a MessageProperties<'a>,
    /// What is asked.
    pub payload: &'a [u8],
}

/// A message of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAnswer {
    /// A valid topic name.
    pub topic_name: String,
    /// The answer.
    pub payload: Vec<u8>,
}

/// No service: requests are answered by nobody.
impl Services for Alone {}

/// One process: no other node.
#[derive(Debug, Default, Clone, Copy)]
pub struct Alone;

impl Fabric for Alone {}

/// Nobody to wake: for callers that ask `Broker::collect` by themselves, such as tests.
impl Wake for Alone {
    fn wake(&self, _core: u16) {}
}
