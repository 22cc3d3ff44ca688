//! How a receiver knows that it was this broker who called.
//!
//! `Tidegate-Signature: t=SECONDS,v1=HEX`, where HEX is HMAC-SHA256 under the shared secret over `SECONDS.BODY`. The receiver compares
//! it in constant time and refuses times that are far from its own, so that nothing can be replayed.

use aws_lc_rs::hmac;
use tidegate_ids::Timestamp;

/// The header's name.
pub const HEADER: &str = "tidegate-signature";
/// Shortest secret, in bytes.
pub const SECRET_BYTES_MIN: usize = 16;

/// The header's value.
pub fn sign(secret: &[u8], at: Timestamp, body: &[u8]) -> String {
    let seconds = at.seconds();
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    context.update(format!("{seconds}.").as_bytes());
    context.update(body);
    let hex: String = context.sign().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_what_others_compute() {
        // printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac 'a secret of 24 bytes ...'
        let signed = sign(b"a secret of 24 bytes ...", Timestamp::from_seconds(1_700_000_000), br#"{"a":1}"#);
        assert_eq!(signed, "t=1700000000,v1=df4314e9c56ca9f9124b48b71b6163df5fb67f454dd44459cb9836776e6196ac");
    }
}
