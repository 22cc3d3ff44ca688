//! What a service model demands of an input: where each member travels, and what its value must satisfy.
//!
//! The generated tables are made of these; [`check`] holds a value against them and words the answer as AWS does.

#![allow(dead_code, reason = "the models' words; which of them occur depends on what is served")]

mod check;
mod pattern;

pub(crate) use check::{Fault, check};
pub(crate) use pattern::{Item::*, Node, Node::*};

/// One member of an input or of a structure inside it.
pub(crate) struct Member {
    /// Its name in the model and in a JSON body.
    pub(crate) name: &'static str,
    pub(crate) location: Location,
    pub(crate) required: bool,
    pub(crate) shape: &'static Shape,
}

/// Where a member travels, with the name it has there. Protocols other than rest-json know the body only.
pub(crate) enum Location {
    Body,
    Uri(&'static str),
    Query(&'static str),
    Header(&'static str),
}

pub(crate) const fn body(name: &'static str, shape: &'static Shape) -> Member {
    Member { name, location: Location::Body, required: false, shape }
}

pub(crate) const fn uri(name: &'static str, at: &'static str, shape: &'static Shape) -> Member {
    Member { name, location: Location::Uri(at), required: false, shape }
}

pub(crate) const fn query(name: &'static str, at: &'static str, shape: &'static Shape) -> Member {
    Member { name, location: Location::Query(at), required: false, shape }
}

pub(crate) const fn header(name: &'static str, at: &'static str, shape: &'static Shape) -> Member {
    Member { name, location: Location::Header(at), required: false, shape }
}

impl Member {
    pub(crate) const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

/// Kind of a value, with the constraints on it.
pub(crate) enum Shape {
    Text(Text),
    /// An enumeration.
    OneOf(&'static [&'static str]),
    /// Bounds are inclusive.
    Integer {
        min: i64,
        max: i64,
    },
    Float,
    Boolean,
    /// Seconds since the epoch, with a fraction.
    Timestamp,
    /// Base64 in JSON.
    Blob,
    List(List),
    Map {
        key: &'static Shape,
        value: &'static Shape,
    },
    Structure(&'static [Member]),
}

pub(crate) static TEXT: Shape = Shape::Text(Text::ANY);
pub(crate) static BOOLEAN: Shape = Shape::Boolean;
pub(crate) static FLOAT: Shape = Shape::Float;
pub(crate) static TIMESTAMP: Shape = Shape::Timestamp;
pub(crate) static BLOB: Shape = Shape::Blob;

/// Constraints on a string. Lengths are in characters.
pub(crate) struct Text {
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) pattern: Option<(&'static str, &'static Node)>,
    /// Never to be repeated in an answer.
    pub(crate) sensitive: bool,
}

impl Text {
    /// No constraint at all.
    pub(crate) const ANY: Self = Self { min: 0, max: u64::MAX, pattern: None, sensitive: false };

    pub(crate) const fn length(mut self, min: u64, max: u64) -> Self {
        self.min = min;
        self.max = max;
        self
    }

    pub(crate) const fn pattern(mut self, text: &'static str, node: &'static Node) -> Self {
        self.pattern = Some((text, node));
        self
    }

    pub(crate) const fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }
}

/// Constraints on a list.
pub(crate) struct List {
    pub(crate) min: u64,
    pub(crate) max: u64,
    pub(crate) item: &'static Shape,
}

impl List {
    pub(crate) const fn of(item: &'static Shape) -> Self {
        Self { min: 0, max: u64::MAX, item }
    }

    pub(crate) const fn length(mut self, min: u64, max: u64) -> Self {
        self.min = min;
        self.max = max;
        self
    }
}
