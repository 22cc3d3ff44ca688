//! Values as bytes: one schema byte, then JSON.

use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};

use crate::StoreError;

/// Why a stored value could not be brought to the present schema.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MigrationError(pub String);

/// A value that can be stored.
///
/// A field that is added with `#[serde(default)]` needs no new schema. Everything else does: count [`SCHEMA`] up and
/// teach [`migrate`] the step, so that rows written by any older program are read; they are rewritten when they
/// are next put, or all at once by [`schema::rewrite`](crate::schema::rewrite).
///
/// [`SCHEMA`]: Record::SCHEMA
/// [`migrate`]: Record::migrate
pub trait Record: Serialize + DeserializeOwned {
    /// The schema this program writes. The first is 1.
    const SCHEMA: u8;

    /// The JSON of schema `from + 1`, made of that of schema `from`. Called once per step; never for [`SCHEMA`].
    ///
    /// [`SCHEMA`]: Record::SCHEMA
    fn migrate(from: u8, value: serde_json::Value) -> Result<serde_json::Value, MigrationError> {
        let _ = value;
        Err(MigrationError(format!("no migration from schema {from}")))
    }
}

/// The row's bytes.
///
/// # Panics
/// When the type's `Serialize` fails, which is a mistake in the program: JSON can hold any value with text keys.
pub(crate) fn encode<V: Record>(value: &V) -> Bytes {
    let mut out = Vec::with_capacity(256);
    out.push(V::SCHEMA);
    serde_json::to_writer(&mut out, value).expect("a record is a value that JSON can hold");
    out.into()
}

/// The value in a row of `table`, migrated from whatever schema it was written with.
pub(crate) fn decode<V: Record>(table: &'static str, bytes: &[u8]) -> Result<V, StoreError> {
    let corrupt = |what: String| StoreError::Corrupt { table, what };
    let (&found, json) = bytes.split_first().ok_or_else(|| corrupt("no schema byte".to_owned()))?;
    if found == V::SCHEMA {
        return serde_json::from_slice(json).map_err(|error| corrupt(error.to_string()));
    }
    if found > V::SCHEMA {
        return Err(StoreError::NewerRecord { table, found, known: V::SCHEMA });
    }
    let mut value = serde_json::from_slice(json).map_err(|error| corrupt(error.to_string()))?;
    for from in found..V::SCHEMA {
        value = V::migrate(from, value).map_err(|error| corrupt(error.to_string()))?;
    }
    serde_json::from_value(value).map_err(|error| corrupt(error.to_string()))
}

/// The schema that a row was written with.
pub(crate) fn schema_of(bytes: &[u8]) -> Option<u8> {
    bytes.first().copied()
}
