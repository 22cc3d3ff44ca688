//! What carries the devices: a few threads, each with one `epoll` and one agenda of deadlines; no task and no buffer for a
//! device that does nothing.
//!
//! | part | does |
//! | --- | --- |
//! | [`Worker`] | one thread: devices that connect, work, lose their connection, come back |
//! | `Link` | one connection: TCP, TLS without buffers, whole packets out of it |
//! | `Handshakes` | TLS configurations that fetch a device's certificate from disk when it is asked for, and forget it |
//! | `Agenda` | who wants to be called when |
//! | `Timer` | wakes the thread to the microsecond: `epoll` alone knows milliseconds |

mod agenda;
mod handshakes;
mod link;
mod slot;
mod timer;
mod worker;

pub(crate) use handshakes::Trust;
pub use worker::OnRefused;
pub(crate) use worker::{Command, Mailbox, Worker};
