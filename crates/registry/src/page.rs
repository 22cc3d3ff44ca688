//! Listings in pages: `pageSize`, `marker`, `nextMarker`.

use base64::{Engine, engine::general_purpose::STANDARD};
use tidegate_kv::{Direction, Key, KeyRange, PrefixOf, Record, Row, Snapshot, Table};

use crate::RegistryError;

/// Which page of a listing a caller asks for.
///
/// AWS: `pageSize` 1-250, 25 when absent; `marker` as the page before answered it; `isAscendingOrder`.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// Most items on the page; [`Self::SIZE_DEFAULT`] when `None`.
    pub size: Option<u32>,
    /// Where the page begins; at the start when `None`.
    pub marker: Option<String>,
    /// Oldest first. Otherwise the newest is first.
    pub ascending: bool,
}

impl PageRequest {
    /// Page size when the caller names none.
    pub const SIZE_DEFAULT: usize = 25;
    /// Largest page.
    pub const SIZE_MAX: usize = 250;

    /// The size, checked.
    pub(crate) fn size(&self) -> Result<usize, RegistryError> {
        match self.size {
            None => Ok(Self::SIZE_DEFAULT),
            Some(size) if (1..=Self::SIZE_MAX as u32).contains(&size) => Ok(size as usize),
            Some(_) => Err(RegistryError::InvalidRequest("pageSize lies between 1 and 250".into())),
        }
    }
}

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// The items, at most as many as asked for.
    pub items: Vec<T>,
    /// The marker of the next page; `None` on the last.
    pub next_marker: Option<String>,
}

/// A table read page by page below a prefix of its keys.
///
/// The marker is the last key of the page, with a checksum over the operation, the account and the direction: one that
/// was altered, or that another listing or account was answered, is refused. It holds nothing secret.
pub(crate) struct Listing<K: 'static, V: 'static> {
    table: &'static Table<K, V>,
    prefix: Vec<u8>,
    operation: &'static str,
}

/// Bytes of the checksum in front of a marker.
const CHECKSUM_BYTES: usize = 8;
/// Longest marker, in characters. AWS: `Marker`.
const MARKER_MAX: usize = 1024;

impl<K: Key, V: Record> Listing<K, V> {
    /// The rows of `table` below `prefix`, for `operation`.
    pub(crate) fn new(table: &'static Table<K, V>, prefix: &impl PrefixOf<K>, operation: &'static str) -> Self {
        Self { table, prefix: prefix.to_bytes(), operation }
    }

    /// Only rows whose next part of the key, a text, begins with `text`.
    pub(crate) fn beginning_with(mut self, text: &str) -> Self {
        // Its encoding ends behind the text, so this is the beginning of every longer one's.
        self.prefix.extend_from_slice(text.as_bytes());
        self
    }

    /// The row of `table` with this key, if there is one: a listing that names what it looks for.
    pub(crate) fn under(table: &'static Table<K, V>, key: &K, operation: &'static str) -> Self {
        Self { table, prefix: key.to_bytes(), operation }
    }

    /// The rows of `table` below `prefix` whose next part, a text, begins with `beginning`, which has no zero byte.
    pub(crate) fn beginning(
        table: &'static Table<K, V>,
        prefix: &impl PrefixOf<K>,
        beginning: &str,
        operation: &'static str,
    ) -> Self {
        let prefix = [prefix.to_bytes(), beginning.as_bytes().to_vec()].concat();
        Self { table, prefix, operation }
    }

    /// The keys of one page, and the marker of the next. Costs as much as the page is long.
    pub(crate) async fn page(
        &self,
        read: &Snapshot,
        request: &PageRequest,
    ) -> Result<(Vec<K>, Option<String>), RegistryError> {
        let (rows, next_marker) = self.rows(read, request).await?;
        Ok((rows.into_iter().map(|row| row.key).collect(), next_marker))
    }

    /// As [`Self::page`], with the values.
    pub(crate) async fn rows(
        &self,
        read: &Snapshot,
        request: &PageRequest,
    ) -> Result<(Vec<Row<K, V>>, Option<String>), RegistryError> {
        let size = request.size()?;
        let range = self.range(request)?;
        let direction = if request.ascending { Direction::Ascending } else { Direction::Descending };
        let mut rows = self.table.scan(read, &range, size + 1, direction).await?;
        let more = rows.len() > size;
        rows.truncate(size);
        let last = rows.last().filter(|_| more);
        let next_marker = last.map(|row| self.marker(&row.key.to_bytes(), request.ascending));
        Ok((rows, next_marker))
    }

    /// As [`Self::page`], of keys that were gathered elsewhere and lie below the prefix, in ascending order.
    pub(crate) fn page_of(
        &self,
        keys: impl IntoIterator<Item = K>,
        request: &PageRequest,
    ) -> Result<(Vec<K>, Option<String>), RegistryError> {
        let size = request.size()?;
        let range = self.range(request)?;
        let mut keys: Vec<K> = keys.into_iter().filter(|key| range.contains(&key.to_bytes())).collect();
        if !request.ascending {
            keys.reverse();
        }
        let more = keys.len() > size;
        keys.truncate(size);
        let last = keys.last().filter(|_| more);
        let next_marker = last.map(|key| self.marker(&key.to_bytes(), request.ascending));
        Ok((keys, next_marker))
    }

    /// The marker after `key`.
    pub(crate) fn marker(&self, key: &[u8], ascending: bool) -> String {
        let position = &key[self.prefix.len()..];
        let mut bytes = self.checksum(position, ascending).to_vec();
        bytes.extend_from_slice(position);
        STANDARD.encode(bytes)
    }

    /// What is left of the listing behind the request's marker.
    fn range(&self, request: &PageRequest) -> Result<KeyRange, RegistryError> {
        let all = KeyRange::prefix(self.prefix.clone());
        let Some(marker) = &request.marker else { return Ok(all) };
        if marker.len() > MARKER_MAX {
            return Err(RegistryError::InvalidMarker);
        }
        let bytes = STANDARD.decode(marker).map_err(|_| RegistryError::InvalidMarker)?;
        let (checksum, position) = bytes.split_at_checked(CHECKSUM_BYTES).ok_or(RegistryError::InvalidMarker)?;
        if checksum != self.checksum(position, request.ascending) {
            return Err(RegistryError::InvalidMarker);
        }
        let key = [&self.prefix, position].concat();
        Ok(if request.ascending { all.after_bytes(&key) } else { all.before_bytes(&key) })
    }

    fn checksum(&self, position: &[u8], ascending: bool) -> [u8; CHECKSUM_BYTES] {
        let direction: &[u8] = if ascending { b"\0up\0" } else { b"\0down\0" };
        let digest = tidegate_pki::sha256(&[self.operation.as_bytes(), direction, &self.prefix, position].concat());
        *digest.first_chunk().expect("a digest is longer than a checksum")
    }
}
