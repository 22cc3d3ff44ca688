//! Identifiers that are 32 bytes, written as 64 hexadecimal digits.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::IdError;

/// 32 bytes from 64 hexadecimal digits of either case, with or without `0x`.
///
/// AWS: the pattern of `CertificateId` and `RegistrationCode` is `(0x)?[a-fA-F0-9]+`, the length 64.
fn parse(text: &str) -> Result<[u8; 32], IdError> {
    let digits = text.strip_prefix("0x").unwrap_or(text).as_bytes();
    if digits.len() != 64 {
        return Err(IdError::Digest);
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        let nibble = |d: u8| char::from(d).to_digit(16).ok_or(IdError::Digest);
        *byte = (nibble(pair[0])? << 4 | nibble(pair[1])?) as u8;
    }
    Ok(bytes)
}

fn write(bytes: &[u8; 32], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = [0; 64];
    for (pair, byte) in text.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
    f.write_str(std::str::from_utf8(&text).expect("hexadecimal digits are ASCII"))
}

macro_rules! digest {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name([u8; 32]);

        impl $name {
            /// The identifier with these bytes.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }

            /// The 32 bytes.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = IdError;
            fn from_str(text: &str) -> Result<Self, IdError> {
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;
            fn try_from(text: String) -> Result<Self, IdError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

digest! {
    /// SHA-256 of a client certificate's DER. AWS: `certificateId`.
    CertificateId
}

digest! {
    /// SHA-256 of a CA certificate's DER. AWS: the `certificateId` of a CA, `caCertificateId` elsewhere.
    CaCertificateId
}

digest! {
    /// What a verification certificate must carry as its common name; one for each account and region until deleted.
    ///
    /// AWS: GetRegistrationCode.
    RegistrationCode
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn either_case_and_0x_are_read_and_lower_case_is_written() {
        let upper = "AB".repeat(32);
        let id: CertificateId = upper.parse().unwrap();
        assert_eq!(id.to_string(), "ab".repeat(32));
        assert_eq!(format!("0x{upper}").parse::<CertificateId>().unwrap(), id);
    }

    #[test]
    fn other_lengths_and_digits_are_refused() {
        for text in [
            "",
            "ab",
            &"a".repeat(63),
            &"a".repeat(65),
            &"g".repeat(64),
            &format!("0x{}", "a".repeat(62)),
            &"é".repeat(32),
        ] {
            assert_eq!(text.parse::<CaCertificateId>(), Err(IdError::Digest), "{text}");
        }
    }
}
