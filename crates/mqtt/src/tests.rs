//! What the crate does as a whole: golden packets, what may not be written, streams, images, and the fuzz bodies.

mod encode;
mod forward;
mod properties;
mod stream;
mod vectors;
