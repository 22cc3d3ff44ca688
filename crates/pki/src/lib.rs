//! X.509 for a broker that registers certificates: parse (version 1 too), check signatures and possession, find the
//! issuer, issue, seal keys.
//!
//! Start at [`ClientLeaf`] and [`CaCertificate`]; [`IssuerIndex`] finds the CA of a leaf in constant time;
//! [`issue`] and [`PrivateKey`] make certificates; [`seal`] keeps secrets at rest.
//!
//! **Invariant:** nothing here does I/O or reads a clock; `now` is an argument. The only randomness is aws-lc's, for keys,
//! serial numbers, signatures and seals. Every input is taken as hostile: bounded, and an error, never a panic.

mod attributes;
mod ca;
mod der;
mod error;
pub mod issue;
mod issuer_index;
mod key;
mod leaf;
pub mod pem;
mod private_key;
mod request;
pub mod seal;
mod signature;
#[cfg(test)]
mod testing;
mod x509;

pub use attributes::{ATTRIBUTE_VALUES_MAX, Attributes, NameAttribute};
pub use ca::{CaCertificate, ca_certificate_id};
pub use error::PkiError;
pub use issuer_index::{CANDIDATES_MAX, Issuer, IssuerIndex, Ranked};
pub use key::{KeyAlgorithm, PublicKey, RSA_BITS_MAX, RSA_BITS_MIN};
pub use leaf::{ClientLeaf, certificate_id};
pub use private_key::PrivateKey;
pub use request::{Csr, REQUEST_BYTES_MAX};
pub use signature::{Hash, Salt, SignatureAlgorithm, check_possession};
pub use x509::{CERTIFICATE_BYTES_MAX, DNS_NAMES_MAX, X509};

/// SHA-256 of `bytes`.
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    digest.as_ref().try_into().expect("SHA-256 is 32 bytes")
}

/// Lower-case hexadecimal.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
