//! What an earlier process left: put back before anybody connects.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU16,
    sync::Arc,
};

use tidegate_ids::{Monotonic, Now, Tenant, Timestamp};
use tidegate_mqtt::topic::Shared;

use crate::{
    Broker, Profile, QueuedRecord, RetainedRecord, SessionRecord, SubscriptionRecord, Trace,
    message::Stamped,
    router::{Options, Subscriber},
    session::{Session, Surroundings},
};

/// A session as the records of an earlier process describe it.
#[derive(Debug, Clone)]
pub struct RestoredSession {
    /// The session itself.
    pub record: SessionRecord,
    /// Its subscriptions.
    pub subscriptions: Vec<SubscriptionRecord>,
    /// Its messages that are neither finished nor released, in the order of their sequence numbers.
    pub queue: Vec<QueuedRecord>,
    /// Sequence numbers of QoS 2 messages that PUBREL is owed for, ascending.
    pub released: Vec<u64>,
    /// The client's packet ids whose PUBREL has not come.
    pub received: Vec<NonZeroU16>,
    /// The sequence number of its next message: at least 1, and beyond all others here.
    pub next_sequence: u64,
}

/// Where the client of a restored session is, until it connects.
const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// `at` on the clock of this process; what has passed is due now.
pub(crate) fn monotonic(at: Timestamp, now: Now) -> Monotonic {
    let ahead = std::time::Duration::from_millis(at.millis().saturating_sub(now.wall.millis()));
    now.monotonic + ahead
}

impl Broker {
    /// Put back a session, under the number it had. `profile` holds until its client connects.
    ///
    /// A session whose client was connected when the process ended has lost that connection now: its expiry and the delay
    /// of its will begin. What came due meanwhile is done by the next [`expire`](Broker::expire): the session's end,
    /// its will.
    pub fn restore_session(&self, restored: RestoredSession, profile: Arc<Profile>, now: Now) {
        let RestoredSession { record, subscriptions, .. } = &restored;
        self.reserve_serials(record.session);
        let tenant = self.tenant(record.tenant);
        let session = Session::new(
            tenant.account.clone(),
            record.client_id.clone(),
            record.session,
            record.identifier,
            record.version_number,
            profile,
            Arc::new(Trace::new(record.principal.clone(), NOWHERE)),
        );
        let session = Arc::new(session);
        let mut groups = Vec::new();
        for subscription in subscriptions {
            let filter = &subscription.topic_filter;
            let subscriber = Subscriber {
                session: session.clone(),
                identifier: subscription.identifier,
                options: Options {
                    qos: subscription.qos,
                    no_local: subscription.no_local,
                    retain_as_published: subscription.retain_as_published,
                    parent_level: subscription.parent_level,
                },
            };
            let (inner, interest) = match Shared::parse(filter) {
                None => (&**filter, tenant.router.subscribe(filter, subscriber)),
                Some(Shared { share_name, topic_filter }) => {
                    let joined =
                        tenant.router.join(share_name, &topic_filter.into(), subscriber, usize::MAX, usize::MAX);
                    groups.extend(tenant.router.group(share_name, topic_filter));
                    (topic_filter, joined.unwrap_or(crate::router::Interest::Unchanged))
                }
            };
            self.tell_interest(&tenant, inner, interest);
            session.change_filters(|filters| filters.insert(filter.clone(), subscription.qos));
        }
        session.restore(restored, &groups, Surroundings { tenant: &tenant, deadlines: self.deadlines(), now });
        tenant.remember(&mut tenant.shard(session.client_id()).lock(), &session);
    }

    /// Put back a retained message, unless it has expired: whether it was.
    pub fn restore_retained(&self, tenant: Tenant, retained: RetainedRecord, now: Now) -> bool {
        let RetainedRecord { qos, expires_at, publisher, retained_at, message } = retained;
        if expires_at.is_some_and(|at| at <= now.wall) {
            return false;
        }
        let message = Stamped { message, qos, expires_at: expires_at.map(|at| monotonic(at, now)) };
        let at = Now { wall: retained_at.unwrap_or(now.wall), ..now };
        self.tenant(tenant).retained.set(message, publisher, at, |_| {});
        true
    }
}
