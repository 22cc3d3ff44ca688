//! What a test's clients may do.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering::SeqCst},
};

use tidegate_broker::{Access, Authorize};

/// Policies that allow everything but what is listed.
#[derive(Default)]
pub struct Policies {
    pub generation: AtomicU64,
    pub denied: std::sync::Mutex<Vec<(Access, String)>>,
    /// Called when a message is about to be delivered.
    pub before_delivery: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

impl Policies {
    pub fn deny(&self, access: Access, topic: &str) {
        self.denied.lock().unwrap().push((access, topic.to_owned()));
        self.generation.fetch_add(1, SeqCst);
    }

    pub fn allow_all(&self) {
        self.denied.lock().unwrap().clear();
        self.generation.fetch_add(1, SeqCst);
    }
}

impl Authorize for Policies {
    fn generation(&self) -> u64 {
        self.generation.load(SeqCst)
    }
    fn allows(&self, access: Access, topic: &str) -> bool {
        if let Some(call) = self.before_delivery.get().filter(|_| access == Access::Receive) {
            call();
        }
        !self.denied.lock().unwrap().iter().any(|(denied, name)| *denied == access && name == topic)
    }
}
