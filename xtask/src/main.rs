//! Commands for people who work on Tidegate.
fn main() {}
