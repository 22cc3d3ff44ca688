//! Secrets at rest: AES-256-GCM under one master key.
//!
//! `version (1) ‖ master key id (4) ‖ nonce (12) ‖ ciphertext ‖ tag (16)`. Everything before the nonce, and whatever the
//! caller names as the secret's place, is authenticated: a row copied elsewhere does not open.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use zeroize::Zeroizing;

use crate::{PkiError, hex, sha256};

const VERSION: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES;

/// Bytes that [`MasterKey::seal`] adds to a secret.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + NONCE_LEN + 16;

/// The key that secrets are sealed under. Nonces are random: good for 2^32 seals.
pub struct MasterKey {
    key: RandomizedNonceKey,
    id: [u8; KEY_ID_BYTES],
}

impl MasterKey {
    /// Length of a master key.
    pub const BYTES: usize = 32;

    /// The master key with these bytes. The caller wipes its copy.
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Self {
        let key = RandomizedNonceKey::new(&AES_256_GCM, bytes).expect("AES-256 takes any 32 bytes");
        let named = Zeroizing::new([b"tidegate master key\0".as_slice(), bytes].concat());
        let id = sha256(&named).first_chunk().copied().expect("a digest is longer");
        Self { key, id }
    }

    /// A new random master key's bytes, to be stored by the caller.
    pub fn generate() -> Zeroizing<[u8; Self::BYTES]> {
        let mut bytes = Zeroizing::new([0; Self::BYTES]);
        aws_lc_rs::rand::fill(bytes.as_mut_slice()).expect("the system's random source works");
        bytes
    }

    /// What tells master keys apart, 8 hexadecimal digits; it tells nothing about the key.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    /// Seals `secret`; it opens only with the same `place` (table and key of its row, say).
    pub fn seal(&self, place: &[u8], secret: &[u8]) -> Vec<u8> {
        let header = self.header();
        let mut body = Zeroizing::new(secret.to_vec());
        let (nonce, tag) = self
            .key
            .seal_in_place_separate_tag(aad(&header, place), &mut body)
            .expect("secrets are far shorter than 64 GiB");
        let mut sealed = Vec::with_capacity(secret.len() + OVERHEAD_BYTES);
        sealed.extend_from_slice(&header);
        sealed.extend_from_slice(nonce.as_ref());
        sealed.extend_from_slice(&body);
        sealed.extend_from_slice(tag.as_ref());
        sealed
    }

    /// The secret in `sealed`, if this key sealed it for that `place`.
    pub fn open(&self, place: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, PkiError> {
        if sealed.len() < OVERHEAD_BYTES || sealed[0] != VERSION {
            return Err(PkiError::NotSealed);
        }
        let (header, rest) = sealed.split_at(HEADER_BYTES);
        if header[1..] != self.id {
            return Err(PkiError::OtherMasterKey { sealed: hex(&header[1..]), ours: self.id() });
        }
        let (nonce, body) = rest.split_at(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| PkiError::NotSealed)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .key
            .open_in_place(nonce, aad(&self.header(), place), &mut body)
            .map_err(|_| PkiError::SealBroken)?
            .len();
        body.truncate(length);
        Ok(body)
    }

    fn header(&self) -> [u8; HEADER_BYTES] {
        let mut header = [VERSION; HEADER_BYTES];
        header[1..].copy_from_slice(&self.id);
        header
    }
}

fn aad(header: &[u8; HEADER_BYTES], place: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([header.as_slice(), place].concat())
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MasterKey({}, hidden)", self.id())
    }
}

#[cfg(test)]
mod tests;
