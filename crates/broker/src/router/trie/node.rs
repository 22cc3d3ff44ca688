use super::super::{Entry, NONE};

/// One level of some filter; a cache line.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Node {
    pub(super) parent: u32,
    /// Another child of the same parent whose level has the same hash.
    pub(super) twin: u32,
    pub(super) plus: u32,
    pub(super) hash: u32,
    pub(super) only: u32,
    /// How many children the tree's edges lead to.
    pub(super) edges: u32,
    pub(super) step: Step,
    pub(super) entry: Entry,
}

const _: () = assert!(size_of::<Node>() == 64, "a node is a cache line");

/// How a node is reached from its parent.
#[derive(Debug)]
pub(super) enum Step {
    Root,
    Plus,
    Hash,
    Level(Text),
}

/// The text of a level: a short one stands here.
#[derive(Debug)]
pub(super) enum Text {
    Short { bytes: [u8; SHORT_MAX], length: u8 },
    Long(Box<str>),
}

const SHORT_MAX: usize = 22;

impl Node {
    pub(super) fn new(parent: u32, step: Step) -> Self {
        Self { parent, twin: NONE, plus: NONE, hash: NONE, only: NONE, edges: 0, step, entry: Entry::Nobody }
    }

    /// Whether no child of it names a level.
    pub(super) fn names_none(&self) -> bool {
        self.only == NONE && self.edges == 0
    }

    /// Whether neither a filter ends nor another node begins here.
    pub(super) fn is_needless(&self) -> bool {
        self.names_none() && self.plus == NONE && self.hash == NONE && self.entry.is_empty()
    }
}

impl Step {
    /// Of the level `text` of a filter.
    pub(super) fn of(text: &str) -> Self {
        match text {
            "+" => Self::Plus,
            "#" => Self::Hash,
            text => Self::Level(Text::new(text)),
        }
    }

    /// The level that it names; empty when it names none.
    pub(super) fn level(&self) -> &[u8] {
        match self {
            Self::Level(text) => text.bytes(),
            Self::Root | Self::Plus | Self::Hash => &[],
        }
    }
}

impl Text {
    fn new(text: &str) -> Self {
        let mut bytes = [0; SHORT_MAX];
        match bytes.get_mut(..text.len()) {
            Some(start) => start.copy_from_slice(text.as_bytes()),
            None => return Self::Long(text.into()),
        }
        Self::Short { bytes, length: text.len() as u8 }
    }

    fn bytes(&self) -> &[u8] {
        match self {
            Self::Short { bytes, length } => &bytes[..usize::from(*length)],
            Self::Long(text) => text.as_bytes(),
        }
    }
}
