//! What holds for the whole broker.

/// What holds for the whole broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Cores that will call `collect`: numbers 0 to this, exclusive.
    pub cores: u16,
    /// Whether sessions that outlive their connection, their messages, and retained messages are logged for
    /// `Broker::take_records`, and acknowledgements wait for the answer to `Effects::take_token`. Else they are kept in
    /// memory only, and acknowledged at once.
    pub persist: bool,
    /// Most sessions of one tenant; beyond it CONNECT is refused with 0x97.
    pub sessions_max: usize,
    /// Most bytes that queues, outboxes, retained messages and wills of all tenants hold together. Beyond it messages of
    /// QoS 0 are dropped and counted, others and new connections refused with 0x97, nothing more is retained.
    pub memory_bytes_max: usize,
    /// The same for each tenant.
    pub account_memory_bytes_max: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            cores: 1,
            persist: false,
            sessions_max: 1_000_000,
            memory_bytes_max: usize::MAX,
            account_memory_bytes_max: usize::MAX,
        }
    }
}
