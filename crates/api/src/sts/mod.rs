//! Operations of AWS Security Token Service, one file each.

mod assume_role;
mod convert;
mod get_caller_identity;
mod get_session_token;

pub(crate) use assume_role::assume_role;
pub(crate) use get_caller_identity::get_caller_identity;
pub(crate) use get_session_token::get_session_token;
