//! The gateway with a real registry, a real broker and real sockets; the store is in memory, the clock can be moved.

mod durability;
mod limits;
mod logs;
mod people;
mod registration;
mod sessions;
mod websocket;
mod world;
