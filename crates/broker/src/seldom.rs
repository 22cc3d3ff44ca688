//! Parts that most sessions never need: made when they are first changed.

use std::ops::Deref;

/// A part that is not there until it is changed: a pointer until then. To read it is to read a blank one.
#[derive(Debug)]
pub(crate) struct Seldom<T>(Option<Box<T>>);

/// Something that can be blank.
pub(crate) trait Blank: 'static {
    /// What is read where nothing is.
    const BLANK: &'static Self;
}

impl<T> Seldom<T> {
    /// The part, if it is there: where it is not, there is nothing to change.
    pub(crate) fn get_mut(&mut self) -> Option<&mut T> {
        self.0.as_deref_mut()
    }

    /// The part, to be changed.
    pub(crate) fn make(&mut self) -> &mut T
    where
        T: Default,
    {
        self.0.get_or_insert_default()
    }

    /// The part, to be changed; as `new` says where it was not there.
    pub(crate) fn make_with(&mut self, new: impl FnOnce() -> T) -> &mut T {
        self.0.get_or_insert_with(|| Box::new(new()))
    }
}

impl<T: Blank> Deref for Seldom<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.0.as_deref().unwrap_or(T::BLANK)
    }
}

impl<T> Default for Seldom<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T> From<T> for Seldom<T> {
    fn from(part: T) -> Self {
        Self(Some(Box::new(part)))
    }
}
