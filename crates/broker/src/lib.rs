//! The MQTT broker: sessions, subscriptions, retained and will messages, routing; packets in, effects out.
//!
//! Synchronous and deterministic: no socket, thread, clock or random number. One [`Broker`] is shared by all cores; each
//! core owns an [`Effects`] buffer, and each connection a [`Link`].
//!
//! # The life of a connection
//!
//! ```text
//! CONNECT parsed ─▶ client_id(&connect, &profile, random) ─▶ (the edge: registry, iot:Connect, bind policies)
//!   ─▶ Broker::connect(ConnectRequest, now, &mut effects) ─▶ Ok(Link): CONNACK is in its outbox, its slot is dirty
//!                                                        └▶ Err(ConnectRefused): connack(..) writes the answer; close
//! bytes arrive           ─▶ link.received(bytes, ..); while link.paused_until(now) says so, it is not read from
//! each packet            ─▶ Broker::handle(&mut link, packet, now, &mut effects) ─▶ Err(CloseReason): end it, below
//! after a turn           ─▶ Broker::hand_over(&mut effects)      links of other cores: their mailboxes, and Wake
//!                        ─▶ effects.take_dirty(&mut slots)       per slot: link.take_output(&mut buffer, ..)
//!                        ─▶ effects.take_token()                 ─▶ later Broker::persisted / persist_failed(token)
//!                        ─▶ effects.take_events(&mut events)
//! when woken             ─▶ Broker::collect(core, &mut slots)    slots of this core made dirty by others
//! socket full            ─▶ link.ended(): whoever was thrown out is not waited for
//! take_output: Drained or More (call again when the socket took the bytes) or Ended(reason): write, then end it
//! the end, always once   ─▶ Broker::disconnected(link, reason, &mut last_bytes, now, &mut effects)
//! timers, in one place   ─▶ Broker::expire(now, &mut effects) ─▶ when to call again at the latest
//! ```
//!
//! A slot reported dirty may meanwhile belong to another connection, or to none: take its output anyway, or ignore it.
//!
//! An idle session with one subscription costs 1.4 KiB, its link included (`cargo bench -p tidegate-broker`).
//!
//! **Locks**, in the order in which they are taken; whoever holds one takes only those to its right:
//!
//! ```text
//! records that belong together (read) ─▶ shard of client ids ─▶ retained (read) ─▶ session state ─▶ session filters ─▶ router stripe or trie ─▶ shared group
//!                                                        └─▶ principals, deadlines
//! last: records on their way to the journal
//! alone: tenants, mailboxes, what outsiders left
//! ```
//!
//! `Authorize::allows` is asked under a session's lock, and for retained messages under the read lock of these too; never
//! under that of client ids. Nothing else of the caller's is called under a lock but `Fabric::interest`.
//!
//! **Invariants:** one session lock at a time; none during routing; nobody waits for a subscriber; a takeover waits for
//! nobody; no recursion over what a peer can make deep; every queue has a bound in [`Limits`] or [`Settings`].

mod broker;
mod close;
mod connect;
mod control;
mod counters;
mod deadlines;
mod effects;
pub mod events;
pub mod https;
mod levels;
mod link;
mod memory;
mod message;
mod narration;
mod outside;
mod past;
mod persist;
mod ports;
mod principal;
mod profile;
mod publish;
mod quota;
mod receive;
pub mod reserved;
mod restore;
mod retained;
mod router;
mod seldom;
mod session;
mod subscribe;
mod tenant;
mod topic_cache;

pub use broker::{Broker, Selector, Settings};
pub use close::CloseReason;
pub use connect::{ConnectRefused, ConnectRequest, RefusedClient, client_id};
pub use control::{
    ConnectionState, Ending, Gauges, Known, LastConnection, RetainedPage, RetainedState, SessionPage, SessionState,
};
pub use counters::Counters;
pub use effects::{Effects, LinkAddress};
pub use events::{ConnectFailure, DisconnectReason, LifecycleEvent, LifecycleKind};
pub use link::{Link, Output};
pub use narration::{Denied, DeniedBy, Narrated, Trace, Traffic, Verbosity};
pub use outside::{OutsidePublish, PublishRefused, SystemPublish};
pub use persist::{
    Presence, QueuedRecord, Record, RetainedRecord, SessionRecord, SubscriptionRecord, Token, WillRecord,
};
pub use ports::{Access, Alone, Authorize, Enrichment, Fabric, ServiceAnswer, ServiceRequest, Services, Wake};
pub use principal::Principal;
pub use profile::{AccountLimits, FOREVER, KeepAliveRule, Limits, Profile};
pub use quota::{Exceeded, Quota};
pub use restore::RestoredSession;
#[doc(hidden)]
pub use topic_cache::MeasuredDecisions;
