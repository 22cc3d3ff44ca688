//! The key of one day, region and service.

use std::fmt;

use aws_lc_rs::{constant_time, hmac};
use zeroize::Zeroize;

use crate::request::hex;

/// The last part of every credential scope.
pub(crate) const TERMINATOR: &str = "aws4_request";

/// A signing key: derived from a secret for one date, region and service, and useless outside them.
///
/// Deriving costs five HMACs; a cache by (access key, date, region, service) is worth having.
/// AWS: IAM user guide, "Derive a signing key".
#[derive(Clone)]
pub struct SigningKey(hmac::Key);

impl SigningKey {
    /// Derives the key for `date` (`YYYYMMDD`), `region` and `service` from a secret access key.
    pub fn derive(secret_access_key: &[u8], date: &str, region: &str, service: &str) -> Self {
        let mut start = Vec::with_capacity(4 + secret_access_key.len());
        start.extend_from_slice(b"AWS4");
        start.extend_from_slice(secret_access_key);
        let mut key = hmac::Key::new(hmac::HMAC_SHA256, &start);
        start.zeroize();
        for part in [date, region, service, TERMINATOR] {
            key = hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref());
        }
        Self(key)
    }

    /// The signature of a string to sign: 64 lower-case hexadecimal digits.
    pub(crate) fn signature(&self, string_to_sign: &str) -> String {
        hex(hmac::sign(&self.0, string_to_sign.as_bytes()).as_ref())
    }

    /// Whether `signature` is the one of `string_to_sign`, compared in constant time.
    pub(crate) fn verifies(&self, string_to_sign: &str, signature: &str) -> bool {
        constant_time::verify_slices_are_equal(self.signature(string_to_sign).as_bytes(), signature.as_bytes()).is_ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(..)")
    }
}
