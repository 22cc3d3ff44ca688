//! The words of a scenario: lengths of time, shares, rates, source addresses.

use std::{fmt, net::IpAddr, time::Duration};

use serde::{Deserialize, Deserializer, de};

/// Most source addresses of a group.
const SOURCES_MAX: usize = 256;

/// A length of time, such as `500ms`, `10s`, `5m` or `1h`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl Period {
    /// So many seconds.
    pub const fn seconds(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// In microseconds.
    pub(crate) fn micros(self) -> u64 {
        self.0.as_micros().try_into().unwrap_or(u64::MAX)
    }
}

impl std::str::FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refused = || format!("{text:?} is no length of time: write a number and ms, s, m or h, such as \"10s\"");
        let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let number: f64 = text[..digits].parse().map_err(|_| refused())?;
        let seconds = match text[digits..].trim() {
            "ms" => number / 1e3,
            "s" => number,
            "m" => number * 60.0,
            "h" => number * 3600.0,
            _ => return Err(refused()),
        };
        if seconds > 366.0 * 86_400.0 {
            return Err(format!("{text:?} is more than a year"));
        }
        Ok(Self(Duration::from_secs_f64(seconds)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.0)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A part of all, such as `"5%"` or `0.05`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(pub f64);

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a share: a number from 0 to 1, or a text such as \"5%\"")]
        enum Written {
            Number(f64),
            Text(String),
        }
        let share = match Written::deserialize(deserializer)? {
            Written::Number(share) => Some(share),
            Written::Text(text) => text.strip_suffix('%').and_then(|n| n.trim().parse().ok()).map(|n: f64| n / 100.0),
        };
        match share.filter(|share| (0.0..=1.0).contains(share)) {
            Some(share) => Ok(Self(share)),
            None => Err(de::Error::custom("a share is a number from 0 to 1, or a text such as \"5%\"")),
        }
    }
}

/// How fast a group connects.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ConnectRate {
    /// Every device at the first moment.
    AtOnce,
    /// So many a second.
    PerSecond(f64),
}

impl std::str::FromStr for ConnectRate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "at once" {
            return Ok(Self::AtOnce);
        }
        let rate = text.strip_suffix("/s").and_then(|number| number.trim().parse().ok());
        match rate.filter(|rate| *rate > 0.0 && *rate <= 1e6) {
            Some(rate) => Ok(Self::PerSecond(rate)),
            None => Err(format!("{text:?} is no way to connect: write \"100/s\" or \"at once\"")),
        }
    }
}

impl ConnectRate {
    /// When device `number` of a group connects, in microseconds after the group's start.
    pub(crate) fn due_micros(self, number: u64) -> u64 {
        match self {
            Self::AtOnce => 0,
            Self::PerSecond(rate) => (number as f64 * 1e6 / rate) as u64,
        }
    }
}

impl<'de> Deserialize<'de> for ConnectRate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// The addresses that connections come from, in turn; none leaves the choice to the kernel.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources(pub Vec<IpAddr>);

impl Sources {
    /// One address, or a range such as `127.0.0.2-127.0.0.9`.
    fn push(&mut self, text: &str) -> Result<(), String> {
        let refused = || format!("{text:?} is neither an address nor a range such as \"127.0.0.2-127.0.0.9\"");
        let parse = |text: &str| text.trim().parse::<IpAddr>().map_err(|_| refused());
        match text.split_once('-') {
            None => self.0.push(parse(text)?),
            Some((first, last)) => {
                let (IpAddr::V4(first), IpAddr::V4(last)) = (parse(first)?, parse(last)?) else {
                    return Err(refused());
                };
                let (first, last) = (u32::from(first), u32::from(last));
                if first > last || (last - first) as usize >= SOURCES_MAX {
                    return Err(refused());
                }
                self.0.extend((first..=last).map(|bits| IpAddr::V4(bits.into())));
            }
        }
        if self.0.len() > SOURCES_MAX { Err(format!("more than {SOURCES_MAX} source addresses")) } else { Ok(()) }
    }
}

impl std::str::FromStr for Sources {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut sources = Self::default();
        text.split(',').try_for_each(|one| sources.push(one))?;
        Ok(sources)
    }
}

impl<'de> Deserialize<'de> for Sources {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "an address, a range such as \"127.0.0.2-127.0.0.9\", or a list of them")]
        enum Written {
            One(String),
            Several(Vec<String>),
        }
        let written = match Written::deserialize(deserializer)? {
            Written::One(one) => vec![one],
            Written::Several(several) => several,
        };
        let mut sources = Self::default();
        written.iter().try_for_each(|one| sources.push(one)).map_err(de::Error::custom)?;
        Ok(sources)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read() {
        for (text, millis) in [
            ("500ms", Some(500)),
            ("10s", Some(10_000)),
            ("1.5 m", Some(90_000)),
            ("1h", Some(3_600_000)),
            ("0s", Some(0)),
        ] {
            assert_eq!(text.parse::<Period>().ok().map(|p| p.0.as_millis()), millis, "{text}");
        }
        for text in ["", "10", "s", "-1s", "1d", "1..2s", "99999999h"] {
            assert!(text.parse::<Period>().is_err(), "{text}");
        }
    }

    #[test]
    fn connect_rates_are_read_and_spread_devices() {
        for (text, third) in [("at once", Some(0)), ("100/s", Some(20_000)), ("0.5/s", Some(4_000_000))] {
            assert_eq!(text.parse::<ConnectRate>().ok().map(|rate| rate.due_micros(2)), third, "{text}");
        }
        for text in ["", "100", "0/s", "-1/s", "x/s", "NaN/s", "inf/s"] {
            assert!(text.parse::<ConnectRate>().is_err(), "{text}");
        }
    }

    #[test]
    fn source_addresses_are_single_ones_and_ranges() {
        for (text, count) in [
            ("127.0.0.2", Some(1)),
            ("127.0.0.2-127.0.0.9", Some(8)),
            ("127.0.0.2-127.0.0.3,10.0.0.1,::1", Some(4)),
            ("127.0.0.9-127.0.0.2", None),
            ("10.0.0.0-10.0.1.0", None),
            ("localhost", None),
            ("::1-::2", None),
        ] {
            assert_eq!(text.parse::<Sources>().ok().map(|s| s.0.len()), count, "{text}");
        }
    }
}
