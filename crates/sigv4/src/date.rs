//! Dates as signatures write them.

use std::{fmt, ops::Range};

use tidegate_ids::Timestamp;
use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

/// A moment to the second, written `YYYYMMDDTHHMMSSZ`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AmzDate {
    /// Seconds since 1970, at most [`AmzDate::LAST_SECOND`].
    seconds: u64,
}

impl AmzDate {
    /// 9999-12-31T23:59:59Z: the last moment that has the form.
    const LAST_SECOND: u64 = 253_402_300_799;

    /// The second that `moment` lies in.
    pub fn of(moment: Timestamp) -> Self {
        Self { seconds: moment.seconds().min(Self::LAST_SECOND) }
    }

    /// Reads `YYYYMMDDTHHMMSSZ`; `None` before 1970, too.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
            return None;
        }
        let part = |range: Range<usize>| digits(&bytes[range]);
        let day = (part(0..4)?, Month::try_from(part(4..6)? as u8).ok()?, part(6..8)?);
        Self::from_parts(day, (part(9..11)?, part(11..13)?, part(13..15)?))
    }

    /// Reads the value of a `Date` header: the form above or `Sun, 30 Aug 2015 12:36:00 GMT`.
    ///
    /// Spec: RFC 9110, 5.6.7 (IMF-fixdate).
    pub(crate) fn parse_http(text: &str) -> Option<Self> {
        const MONTHS: [&[u8]; 12] =
            [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
        if let Some(date) = Self::parse(text) {
            return Some(date);
        }
        let bytes = text.as_bytes();
        let utc: [&[u8]; 3] = [b" GMT", b" +0000", b" -0000"]; // botocore writes the last
        if bytes.len() < 29 || &bytes[3..5] != b", " || !utc.contains(&&bytes[25..]) {
            return None;
        }
        let part = |range: Range<usize>| digits(&bytes[range]);
        let month = MONTHS.iter().position(|name| *name == &bytes[8..11])?;
        let month = Month::try_from(month as u8 + 1).ok()?;
        Self::from_parts((part(12..16)?, month, part(5..7)?), (part(17..19)?, part(20..22)?, part(23..25)?))
    }

    fn from_parts((year, month, day): (u16, Month, u16), (hour, minute, second): (u16, u16, u16)) -> Option<Self> {
        let date = Date::from_calendar_date(year.into(), month, day as u8).ok()?;
        let time = Time::from_hms(hour as u8, minute as u8, second as u8).ok()?;
        let seconds = PrimitiveDateTime::new(date, time).assume_utc().unix_timestamp();
        Some(Self { seconds: seconds.try_into().ok()? })
    }

    /// The moment itself.
    pub fn timestamp(self) -> Timestamp {
        Timestamp::from_seconds(self.seconds)
    }

    /// The day: `YYYYMMDD`.
    pub fn day(self) -> String {
        let mut text = self.to_string();
        text.truncate(8);
        text
    }
}

/// The number that at most four decimal digits write.
fn digits(bytes: &[u8]) -> Option<u16> {
    bytes.iter().try_fold(0, |n, b| b.is_ascii_digit().then(|| n * 10 + u16::from(b - b'0')))
}

impl fmt::Display for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let d = OffsetDateTime::from_unix_timestamp(self.seconds as i64).expect("dates end in the year 9999");
        let (year, month, day) = (d.year(), u8::from(d.month()), d.day());
        write!(f, "{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", d.hour(), d.minute(), d.second())
    }
}

impl fmt::Debug for AmzDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AmzDate({self})")
    }
}
