//! The devices' edge: listeners, cores, TLS with client certificates.
//!
//! ```text
//! Cores::new ─▶ Cores::wake ─▶ Broker::new ─▶ Gateway::start(config, cores, parts) ─▶ … ─▶ Gateway::shutdown
//! ```
//!
//! A connection's path: `acceptor` (one per listener) takes it from the kernel and hands it to the core with the fewest
//! connections; `admission`, an ordinary task there, brings it through TLS (`arrival`) and CONNECT to a session or a
//! refusal; `core` then serves it as a slot among all others, without a task of its own.
//!
//! **Invariants:** a core's connections belong to its thread; nothing waits for a peer while others could be served;
//! everything a peer can make grow has a bound; every deadline of a connection is on its core's `wheel`.

mod acceptor;
mod admission;
mod arrival;
mod authorize;
mod clients;
mod config;
mod connection_log;
mod core;
mod custom;
mod descriptor;
mod domain;
mod error;
mod evidence;
mod gateway;
mod half_open;
mod http;
mod https;
mod identifiers;
mod journal;
mod listener;
mod mailbox;
mod no_connect;
mod porters;
mod reason;
mod remedy;
mod signed;
mod sys;
mod traffic_log;
mod websocket;
mod wheel;

pub use config::{GatewayConfig, HalfOpenLimits, ListenerConfig, Refusals, TlsSettings, Transport};
pub use custom::CustomAuthentication;
pub use error::GatewayError;
pub use gateway::{Cores, Gateway, GatewayParts, LocalAddress};
pub use journal::{Found, Journal, Tray};
pub use signed::SignedIn;
pub use sys::SysTopics;
pub use websocket::fuzz;
