//! What the broker needs from those who run it.

use tidegate_ids::Tenant;

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

/// The policies of one connection, with its variables bound at CONNECT. One object per connection.
pub trait Authorize: Send + Sync {
    /// Changes whenever an answer of `allows` may have changed; answers are cached beside it. A cheap load.
    fn generation(&self) -> u64;

    /// Whether the policies allow this. Called on the message path for topics not asked about lately, under a
    /// session's lock for `Receive`: it must neither block nor call the broker.
    fn allows(&self, access: Access, topic: &str) -> bool;
}

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

/// One process: no other node.
#[derive(Debug, Default, Clone, Copy)]
pub struct Alone;

impl Fabric for Alone {}

/// Nobody to wake: for callers that ask `Broker::collect` by themselves, such as tests.
impl Wake for Alone {
    fn wake(&self, _core: u16) {}
}
