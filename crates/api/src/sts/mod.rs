//! Operations of AWS Security Token Service, one file each.

mod get_caller_identity;

pub(crate) use get_caller_identity::get_caller_identity;
