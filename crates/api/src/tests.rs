//! The API over plain HTTP and an in-memory store, asked by a signing client of a few lines.

mod authorization;
mod client;
mod crowds;
mod errors;
mod https;
mod operations;
mod refusals;
mod tags;
mod things;
