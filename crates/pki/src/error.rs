//! Everything that can be wrong with a certificate, a request, a key or a sealed secret.

use std::fmt;

use tidegate_ids::Timestamp;

/// Why a certificate, request, key or sealed secret is not usable. The texts are shown to the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PkiError {
    /// The text holds no block of the wanted kind.
    #[error("no PEM block found: expected a line `-----BEGIN {expected}-----`")]
    PemMissing {
        /// The label looked for.
        expected: &'static str,
    },
    /// A block of another kind, most often a private key sent by mistake.
    #[error("expected a PEM block `{expected}`, found `{found}`")]
    PemLabel {
        /// The label looked for.
        expected: &'static str,
        /// The label found, cut at 64 characters.
        found: String,
    },
    /// More than one block where one is wanted.
    #[error("expected exactly one PEM block `{expected}`, found more: send the single certificate, not the chain")]
    PemSeveral {
        /// The label looked for.
        expected: &'static str,
    },
    /// The block does not end.
    #[error("the PEM block is cut off: no line `-----END {expected}-----`")]
    PemUnterminated {
        /// The label looked for.
        expected: &'static str,
    },
    /// What is between the lines is not base64.
    #[error("the PEM block holds something that is not base64")]
    PemBase64,
    /// Longer than the bound.
    #[error("too long: at most {max} bytes are read")]
    TooLong {
        /// The bound in bytes.
        max: usize,
    },
    /// The bytes are not the DER of what they should be.
    #[error("not a valid {what}: {reason}")]
    Der {
        /// `certificate`, `certificate signing request`, `private key`.
        what: &'static str,
        /// What the parser stumbled over.
        reason: String,
    },
    /// A CA certificate of another X.509 version than 3.
    #[error(
        "the CA certificate is X.509 version {0}, version 3 is required (`openssl req -x509` makes one; `openssl x509 -req` needs an extension file)"
    )]
    CaVersion(u8),
    /// A CA certificate without the extension that says so.
    #[error("the CA certificate has no basicConstraints extension; CA:TRUE is required")]
    NoBasicConstraints,
    /// The extension says that it is none.
    #[error("the certificate is not a CA certificate: basicConstraints says CA:FALSE")]
    NotCa,
    /// Signed with SHA-1 or older, with DSA, with Ed25519 …
    #[error(
        "the signature algorithm {0} is not accepted; use RSA (PKCS #1 or PSS) or ECDSA with SHA-256, SHA-384 or SHA-512"
    )]
    SignatureAlgorithm(String),
    /// A key of a kind that is not accepted.
    #[error("the key type {0} is not accepted; use RSA of at least 2048 bits or ECDSA on P-256, P-384 or P-521")]
    KeyAlgorithm(String),
    /// An RSA key outside 2048-8192 bits.
    #[error("an RSA key of {0} bits is not accepted; use 2048 to 8192 bits")]
    KeySize(usize),
    /// `notAfter` has passed.
    #[error("the certificate expired at {}", Date(*.0))]
    Expired(Timestamp),
    /// `notBefore` is still to come.
    #[error("the certificate is not valid before {}", Date(*.0))]
    NotYetValid(Timestamp),
    /// The issuer's name is not the subject of the CA.
    #[error("the certificate was issued by `{issuer}`, not by `{ca}`")]
    OtherIssuer {
        /// The certificate's issuer.
        issuer: String,
        /// The CA's subject.
        ca: String,
    },
    /// The name fits, the signature does not.
    #[error("the certificate is not signed by this CA's key")]
    BadIssuerSignature,
    /// The scheme is unknown, not allowed in that TLS version, or does not fit the key.
    #[error("signature scheme 0x{scheme:04x} does not fit a {key} key in {version}")]
    Scheme {
        /// IANA number of the TLS SignatureScheme.
        scheme: u16,
        /// The key's kind.
        key: String,
        /// `TLS 1.2` or `TLS 1.3`.
        version: &'static str,
    },
    /// The peer did not prove that it holds the private key.
    #[error("the client does not hold the certificate's private key")]
    NotPossessed,
    /// The request's own signature does not fit its key.
    #[error("the certificate signing request is not signed by its own key")]
    BadRequestSignature,
    /// Making or reading a private key failed.
    #[error("private key: {0}")]
    PrivateKey(String),
    /// A name or address that a server certificate cannot carry.
    #[error("`{0}` is neither a DNS name nor an IP address")]
    ServerName(String),
    /// Not something that `seal` wrote, or another version of it.
    #[error("not a sealed secret of version 1")]
    NotSealed,
    /// Sealed under another master key.
    #[error("sealed under master key {sealed}, this is {ours}")]
    OtherMasterKey {
        /// Key id in the envelope, 8 hexadecimal digits.
        sealed: String,
        /// Key id of the key at hand.
        ours: String,
    },
    /// The ciphertext or what it belongs to was changed.
    #[error("the sealed secret was altered or belongs to something else")]
    SealBroken,
}

impl PkiError {
    pub(crate) fn der(what: &'static str, reason: impl fmt::Display) -> Self {
        Self::Der { what, reason: reason.to_string() }
    }
}

/// A moment as people write it: `2049-12-31T23:59:59Z`.
struct Date(Timestamp);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = i64::try_from(self.0.seconds()).unwrap_or(i64::MAX);
        match time::OffsetDateTime::from_unix_timestamp(seconds) {
            Ok(t) => write!(
                f,
                "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z",
                t.year(),
                u8::from(t.month()),
                t.day(),
                t.hour(),
                t.minute(),
                t.second()
            ),
            Err(_) => write!(f, "{} s", self.0.seconds()),
        }
    }
}
