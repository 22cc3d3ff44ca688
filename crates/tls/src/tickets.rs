//! Session tickets under keys that live and die by our clock.

use std::{fmt, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use rustls::server::ProducesTickets;
use tidegate_ids::{Clock, Monotonic};

/// No ticket is accepted after this time. A ticket proves a former handshake, nothing about a certificate's present
/// status, which every CONNECT asks for.
pub const TICKET_LIFETIME_MAX: Duration = Duration::from_secs(6 * 3600);

/// How long one key makes tickets; for as long again it still reads them.
const ROTATION: Duration = Duration::from_secs(3 * 3600);

const NAME_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// The ticket keys of one set of configurations: tickets of another are just noise.
///
/// `key name (16) ‖ nonce (12) ‖ AES-256-GCM ciphertext ‖ tag (16)`; the name is authenticated.
pub(crate) struct Ticketer {
    clock: Arc<dyn Clock>,
    keys: ArcSwap<Keys>,
}

struct Keys {
    current: Arc<Key>,
    previous: Option<Arc<Key>>,
    /// When `current` becomes `previous`.
    rotate_at: Monotonic,
}

struct Key {
    name: [u8; NAME_BYTES],
    key: RandomizedNonceKey,
}

impl Ticketer {
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        let keys = Keys { current: Key::generate(), previous: None, rotate_at: clock.now().monotonic + ROTATION };
        Self { clock, keys: ArcSwap::from_pointee(keys) }
    }

    /// The keys for this moment, rotated if their time has come.
    fn keys(&self) -> Arc<Keys> {
        let now = self.clock.now().monotonic;
        let keys = self.keys.load_full();
        if now < keys.rotate_at {
            return keys;
        }
        self.keys.rcu(|keys| if now < keys.rotate_at { Arc::clone(keys) } else { Arc::new(keys.rotated(now)) });
        self.keys.load_full()
    }
}

impl Keys {
    fn rotated(&self, now: Monotonic) -> Self {
        let next = self.rotate_at + ROTATION;
        if now < next {
            Self { current: Key::generate(), previous: Some(Arc::clone(&self.current)), rotate_at: next }
        } else {
            Self { current: Key::generate(), previous: None, rotate_at: now + ROTATION }
        }
    }
}

impl Key {
    fn generate() -> Arc<Self> {
        let (mut name, mut bytes) = ([0; NAME_BYTES], [0; 32]);
        aws_lc_rs::rand::fill(&mut name).expect("the system's random source works");
        aws_lc_rs::rand::fill(&mut bytes).expect("the system's random source works");
        Arc::new(Self {
            name,
            key: RandomizedNonceKey::new(&AES_256_GCM, &bytes).expect("32 bytes are an AES-256 key"),
        })
    }
}

impl ProducesTickets for Ticketer {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        TICKET_LIFETIME_MAX.as_secs() as u32
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        let keys = self.keys();
        let key = &keys.current;
        let mut body = plain.to_vec();
        let nonce = key.key.seal_in_place_append_tag(Aad::from(key.name), &mut body).ok()?;
        Some([key.name.as_slice(), nonce.as_ref(), &body].concat())
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let (name, rest) = cipher.split_at_checked(NAME_BYTES)?;
        let (nonce, body) = rest.split_at_checked(NONCE_LEN)?;
        if body.len() < TAG_BYTES {
            return None;
        }
        let keys = self.keys();
        let key = [Some(&keys.current), keys.previous.as_ref()].into_iter().flatten().find(|key| key.name == name)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let length = key.key.open_in_place(nonce, Aad::from(key.name), &mut body).ok()?.len();
        body.truncate(length);
        Some(body)
    }
}

impl fmt::Debug for Ticketer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ticketer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
