//! A load generator for MQTT 3.1.1 that checks what it gets, and the null broker that is the floor under every broker.
//!
//! One thread and one epoll loop drive all connections: a delivery on one connection may refill another in the same turn, and output is
//! written once a turn, so that batching is the same towards every broker. Generator and null broker share the engine and a codec of
//! their own: nothing of the product is in what it is measured by.
//!
//! ```text
//!   codec ─▶ engine ─┬─▶ clients ─┬─▶ flow       publishers to subscribers, closed loop or at a fixed rate
//!                    │            ├─▶ retained   set and fetch retained messages
//!                    │            ├─▶ filters    subscribe many filters, publish through them
//!                    │            └─▶ idle       connections that say nothing
//!                    └─▶ null                     the floor: relays exact matches, nothing else
//! ```

pub(crate) mod clients;
mod codec;
mod engine;
pub(crate) mod filters;
pub(crate) mod flow;
pub(crate) mod idle;
pub(crate) mod null;
pub(crate) mod retained;
mod tls;
mod track;
mod window;

pub(crate) use clients::{Clients, Server};
pub(crate) use tls::{Offer, Tls};
