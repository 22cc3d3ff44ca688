//! The bytes of the journal's rows: a schema byte, then fields one after the other.

use std::sync::Arc;

/// The schema this program writes, and the newest it reads. Schema 1 has no numbers of groups, schema 2
/// no times of retained messages, else they are the same.
pub(super) const SCHEMA: u8 = 3;

/// Why a row cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RowError {
    /// A newer program wrote it.
    Newer(u8),
    /// No program of ours wrote it: what was expected.
    Corrupt(&'static str),
}

/// Writes a row.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new() -> Self {
        Self(vec![SCHEMA])
    }

    /// With room for `bytes` before it grows.
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut row = Vec::with_capacity(1 + bytes);
        row.push(SCHEMA);
        Self(row)
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }

    /// How long the row is so far.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn byte(&mut self, byte: u8) -> &mut Self {
        self.0.push(byte);
        self
    }

    pub(super) fn flag(&mut self, flag: bool) -> &mut Self {
        self.byte(u8::from(flag))
    }

    /// Seven bits a byte, the least significant first.
    pub(super) fn number(&mut self, mut number: u64) -> &mut Self {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8)
    }

    pub(super) fn option(&mut self, number: Option<u64>) -> &mut Self {
        self.flag(number.is_some());
        if let Some(number) = number {
            self.number(number);
        }
        self
    }

    pub(super) fn fixed(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.number(bytes.len() as u64).fixed(bytes)
    }

    pub(super) fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }
}

/// Reads a row; never panics, and takes no more memory than the row has.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// The fields of a row, behind its schema byte.
    pub(super) fn new(row: &'a [u8]) -> Result<Self, RowError> {
        match row.split_first() {
            Some((1..=SCHEMA, fields)) => Ok(Self(fields)),
            Some((&found, _)) if found > SCHEMA => Err(RowError::Newer(found)),
            Some(_) | None => Err(RowError::Corrupt("a schema byte")),
        }
    }

    pub(super) fn end(&self) -> Result<(), RowError> {
        if self.0.is_empty() { Ok(()) } else { Err(RowError::Corrupt("the end")) }
    }

    pub(super) fn byte(&mut self) -> Result<u8, RowError> {
        let (&byte, rest) = self.0.split_first().ok_or(RowError::Corrupt("a byte"))?;
        self.0 = rest;
        Ok(byte)
    }

    pub(super) fn flag(&mut self) -> Result<bool, RowError> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(RowError::Corrupt("a flag")),
        }
    }

    pub(super) fn number(&mut self) -> Result<u64, RowError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(RowError::Corrupt("a number"))
    }

    /// A number that fits a smaller type.
    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, RowError> {
        T::try_from(self.number()?).map_err(|_| RowError::Corrupt("a smaller number"))
    }

    pub(super) fn option(&mut self) -> Result<Option<u64>, RowError> {
        if self.flag()? { self.number().map(Some) } else { Ok(None) }
    }

    pub(super) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], RowError> {
        let (bytes, rest) = self.0.split_first_chunk().ok_or(RowError::Corrupt("more bytes"))?;
        self.0 = rest;
        Ok(*bytes)
    }

    pub(super) fn bytes(&mut self) -> Result<&'a [u8], RowError> {
        let length = self.small::<usize>()?;
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(RowError::Corrupt("more bytes"))?;
        self.0 = rest;
        Ok(bytes)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, RowError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| RowError::Corrupt("text"))
    }

    pub(super) fn shared_text(&mut self) -> Result<Arc<str>, RowError> {
        self.text().map(Into::into)
    }

    /// So many elements, each of at least one byte.
    pub(super) fn list<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, RowError>,
    ) -> Result<Vec<T>, RowError> {
        let count = self.small::<usize>()?;
        if count > self.0.len() {
            return Err(RowError::Corrupt("a list"));
        }
        (0..count).map(|_| read(self)).collect()
    }
}
