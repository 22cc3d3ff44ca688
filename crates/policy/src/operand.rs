//! The value a condition compares with, read once, and the comparison itself.

use std::net::IpAddr;

use tidegate_ids::Timestamp;
use time::{Date, Month, PrimitiveDateTime, Time, UtcOffset};

use crate::{
    condition::{Comparison, Relation},
    pattern::Pattern,
    template::{Template, WhyUnresolved},
    variables::Variables,
};

/// A value of the policy.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operand {
    Text(Box<str>),
    TextIgnoringCase(Box<str>),
    Like(Pattern),
    Number(Relation, f64),
    /// Milliseconds since 1970.
    Date(Relation, i64),
    Bool(bool),
    /// Addresses that agree with this one in so many bits.
    Network(IpAddr, u8),
    /// The six parts of an ARN, each with its own wildcards.
    Arn(Box<[Pattern; 6]>),
    /// Not of the operator's type: equals nothing.
    Unreadable,
    /// Equals everything: a value that is withheld, in a Deny.
    Anything,
}

/// A value of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Time(Timestamp),
}

impl Operand {
    /// An error when a variable in it is not replaced.
    pub(crate) fn bind(
        comparison: Comparison,
        template: &Template,
        variables: &Variables,
    ) -> Result<Self, WhyUnresolved> {
        Ok(match comparison {
            Comparison::StringEquals => Self::Text(template.text(variables)?.into()),
            Comparison::StringEqualsIgnoreCase => Self::TextIgnoringCase(template.text(variables)?.into()),
            Comparison::StringLike => Self::Like(Pattern::new(&template.pattern(variables)?)),
            Comparison::Arn => arn(&template.pattern(variables)?).map_or(Self::Unreadable, Self::Arn),
            Comparison::Numeric(relation) => {
                number(&template.text(variables)?).map_or(Self::Unreadable, |number| Self::Number(relation, number))
            }
            Comparison::Date(relation) => {
                date(&template.text(variables)?).map_or(Self::Unreadable, |date| Self::Date(relation, date))
            }
            Comparison::Bool | Comparison::Null => {
                boolean(&template.text(variables)?).map_or(Self::Unreadable, Self::Bool)
            }
            Comparison::IpAddress => network(&template.text(variables)?)
                .map_or(Self::Unreadable, |(address, bits)| Self::Network(address, bits)),
        })
    }

    /// Whether `value` is what the policy asks for. No allocation.
    pub(crate) fn fits(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Self::Text(expected), Value::Text(text)) => **expected == *text,
            (Self::TextIgnoringCase(expected), Value::Text(text)) => same_ignoring_case(expected, text),
            (Self::Like(pattern), Value::Text(text)) => pattern.matches(text),
            (Self::Number(relation, expected), Value::Text(text)) => {
                number(text).is_some_and(|number| relation.holds(&number, expected))
            }
            (Self::Number(relation, expected), Value::Time(now)) => relation.holds(&(now.seconds() as f64), expected),
            (Self::Date(relation, expected), Value::Text(text)) => {
                date(text).is_some_and(|date| relation.holds(&date, expected))
            }
            (Self::Date(relation, expected), Value::Time(now)) => {
                relation.holds(&i64::try_from(now.millis()).unwrap_or(i64::MAX), expected)
            }
            (Self::Bool(expected), Value::Text(text)) => boolean(text) == Some(*expected),
            (Self::Network(network, bits), Value::Text(text)) => {
                text.parse().is_ok_and(|address: IpAddr| within(address.to_canonical(), *network, *bits))
            }
            (Self::Arn(parts), Value::Text(text)) => {
                let mut found = text.splitn(6, ':');
                parts.iter().all(|part| found.next().is_some_and(|text| part.matches(text)))
            }
            (Self::Unreadable, _) => false,
            (Self::Anything, _) => true,
            (
                Self::Text(_)
                | Self::TextIgnoringCase(_)
                | Self::Like(_)
                | Self::Bool(_)
                | Self::Network(..)
                | Self::Arn(_),
                Value::Time(_),
            ) => false,
        }
    }
}

impl Relation {
    fn holds<T: PartialOrd>(self, value: &T, expected: &T) -> bool {
        match self {
            Self::Equal => value == expected,
            Self::Less => value < expected,
            Self::LessOrEqual => value <= expected,
            Self::Greater => value > expected,
            Self::GreaterOrEqual => value >= expected,
        }
    }
}

fn same_ignoring_case(a: &str, b: &str) -> bool {
    a.chars().flat_map(char::to_lowercase).eq(b.chars().flat_map(char::to_lowercase))
}

fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// `ADDRESS` or `ADDRESS/BITS`.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address.parse::<IpAddr>().ok()?, Some(bits.parse::<u8>().ok()?)),
        None => (text.parse().ok()?, None),
    };
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(bits_max);
    (bits <= bits_max).then_some((address, bits))
}

fn within(address: IpAddr, network: IpAddr, bits: u8) -> bool {
    match (address, network) {
        (IpAddr::V4(a), IpAddr::V4(n)) => (a.to_bits() ^ n.to_bits()).leading_zeros() >= u32::from(bits),
        (IpAddr::V6(a), IpAddr::V6(n)) => (a.to_bits() ^ n.to_bits()).leading_zeros() >= u32::from(bits),
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}

/// The six parts; wildcards do not reach across the first five colons.
///
/// AWS: "each of the six colon-delimited components of the ARN is checked separately".
fn arn(pattern: &[u8]) -> Option<Box<[Pattern; 6]>> {
    let parts: Vec<Pattern> = pattern.splitn(6, |byte| *byte == b':').map(Pattern::new).collect();
    Some(Box::new(parts.try_into().ok()?))
}

/// Milliseconds since 1970 of a date: `2026-11-25`, `2026-11-25T03:04[:05[.678]]` with `Z` or `±hh:mm`, or seconds
/// since 1970.
///
/// AWS: "W3C implementations of the ISO 8601 date formats, or epoch (UNIX) time".
fn date(text: &str) -> Option<i64> {
    if text.len() <= 15 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse::<i64>().ok()?.checked_mul(1000);
    }
    let (day, clock) = match text.split_once('T') {
        Some((day, clock)) => (day, Some(clock)),
        None => (text, None),
    };
    let mut numbers = day.splitn(3, '-');
    let year = digits(numbers.next()?, 4)?;
    let month = Month::try_from(digits(numbers.next()?, 2)? as u8).ok()?;
    let day = Date::from_calendar_date(year as i32, month, digits(numbers.next()?, 2)? as u8).ok()?;
    let (time, offset) = match clock {
        Some(clock) => clock_and_offset(clock)?,
        None => (Time::MIDNIGHT, UtcOffset::UTC),
    };
    let nanoseconds = PrimitiveDateTime::new(day, time).assume_offset(offset).unix_timestamp_nanos();
    i64::try_from(nanoseconds.div_euclid(1_000_000)).ok()
}

fn clock_and_offset(text: &str) -> Option<(Time, UtcOffset)> {
    let at = text.find(['Z', '+', '-'])?;
    let (clock, zone) = text.split_at(at);
    let offset = match zone {
        "Z" => UtcOffset::UTC,
        _ => {
            let (hours, minutes) = zone[1..].split_once(':')?;
            let sign = if zone.starts_with('-') { -1 } else { 1 };
            UtcOffset::from_hms(sign * digits(hours, 2)? as i8, sign * digits(minutes, 2)? as i8, 0).ok()?
        }
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.splitn(3, ':');
    let (hour, minute) = (digits(parts.next()?, 2)?, digits(parts.next()?, 2)?);
    let second = parts.next().map_or(Some(0), |second| digits(second, 2))?;
    if fraction.is_empty() || fraction.len() > 9 {
        return None;
    }
    let nanoseconds = digits(fraction, fraction.len())? * 10u32.pow(9 - fraction.len() as u32);
    Some((Time::from_hms_nano(hour as u8, minute as u8, second as u8, nanoseconds).ok()?, offset))
}

/// The number that exactly `count` (at most 9) decimal digits write.
fn digits(text: &str, count: usize) -> Option<u32> {
    if text.len() != count {
        return None;
    }
    text.bytes().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u32::from(b - b'0')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_all_forms_are_read() {
        for (text, seconds) in [
            ("1970-01-01", Some(0.0)),
            ("2015-08-30T12:36:00Z", Some(1_440_938_160.0)),
            ("2015-08-30T12:36Z", Some(1_440_938_160.0)),
            ("2015-08-30T14:36:00+02:00", Some(1_440_938_160.0)),
            ("2015-08-30T12:36:00.5Z", Some(1_440_938_160.5)),
            ("1440938160", Some(1_440_938_160.0)),
            ("2015-02-30", None),
            ("2015-08-30T12:36:00", None),
            ("2015-08-30T25:36:00Z", None),
            ("2015-08-30T12:36:00+99:00", None),
            ("yesterday", None),
            ("", None),
            ("-", None),
            ("2015-08-30TZ", None),
        ] {
            assert_eq!(date(text), seconds.map(|s| (s * 1000.0) as i64), "{text}");
        }
    }

    #[test]
    fn networks_are_compared_by_their_bits() {
        for (network_text, address, expected) in [
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::/0", "::1", true),
        ] {
            let (network, bits) = network(network_text).unwrap();
            assert_eq!(within(address.parse().unwrap(), network, bits), expected, "{address} in {network_text}");
        }
        for text in ["10.0.0.0/33", "10.0.0/8", "x", "::/129", "10.0.0.0/"] {
            assert_eq!(network(text), None, "{text}");
        }
    }
}
