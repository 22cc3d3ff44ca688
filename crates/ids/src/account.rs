//! Accounts, regions, and the two together.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::IdError;

/// An AWS account number: 12 decimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId([u8; 12]);

impl AccountId {
    /// The 12 ASCII digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("an account id holds ASCII digits only")
    }

    /// The account number with the value `number` modulo 10^12, padded with zeros: for making new accounts from random bits.
    pub fn from_number(number: u64) -> Self {
        let mut rest = number % 1_000_000_000_000;
        let mut digits = [b'0'; 12];
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        Self(digits)
    }
}

impl FromStr for AccountId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits: [u8; 12] = text.as_bytes().try_into().map_err(|_| IdError::Account)?;
        if digits.iter().all(u8::is_ascii_digit) { Ok(Self(digits)) } else { Err(IdError::Account) }
    }
}

/// A region such as `eu-central-1`; at most 24 bytes, so that it can be copied.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region {
    bytes: [u8; Region::BYTES_MAX],
    len: u8,
}

impl Region {
    /// Longest region name. The longest of AWS has 16.
    pub const BYTES_MAX: usize = 24;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).expect("a region holds ASCII only")
    }
}

impl FromStr for Region {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let (words, number) = text.rsplit_once('-').ok_or(IdError::Region)?;
        let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase());
        let numbered = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
        if !numbered || !words.split('-').all(word) || text.len() > Self::BYTES_MAX {
            return Err(IdError::Region);
        }
        let mut bytes = [0; Self::BYTES_MAX];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self { bytes, len: text.len() as u8 })
    }
}

/// One account in one region: what owns certificates, policies, topics and sessions. Nothing crosses it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Tenant {
    /// The account.
    pub account: AccountId,
    /// The region of that account.
    pub region: Region,
}

impl fmt::Display for Tenant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.account, self.region)
    }
}

macro_rules! text_type {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
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
                id.as_str().to_owned()
            }
        }
    };
}
pub(crate) use text_type;

text_type!(AccountId);
text_type!(Region);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_id_is_twelve_digits() {
        for (text, valid) in [
            ("123456789012", true),
            ("000000000000", true),
            ("12345678901", false),
            ("1234567890123", false),
            ("12345678901a", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<AccountId>().is_ok(), valid, "{text}");
        }
        assert_eq!(AccountId::from_number(7_000_000_000_042).to_string(), "000000000042");
    }

    #[test]
    fn a_region_is_words_and_a_number() {
        for (text, valid) in [
            ("eu-central-1", true),
            ("ap-southeast-2", true),
            ("us-gov-west-1", true),
            ("local-1", true),
            ("", false),
            ("eu", false),
            ("EU-central-1", false),
            ("eu--1", false),
            ("eu-central-", false),
            ("a-region-with-a-name-too-long-1", false),
        ] {
            assert_eq!(text.parse::<Region>().is_ok(), valid, "{text}");
        }
    }
}
