// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! What the service models say: routes, types, constraints.

#![allow(dead_code, reason = "a type has all members of its model, used or not")]

pub(crate) mod cloudtrail;
pub(crate) mod iam;
pub(crate) mod iot;
pub(crate) mod iot_data;
pub(crate) mod logs;
pub(crate) mod routes;
pub(crate) mod sts;
