//! Operations of AWS CloudTrail that read the audit trail, one file each.

mod lookup_events;

pub(crate) use lookup_events::lookup_events;
