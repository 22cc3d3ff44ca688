// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `LookupEvents` of cloudtrail.

#[allow(unused_imports, reason = "the same head in every file")]
use {
    super::shapes::*,
    crate::{
        constraint::*,
        wire::{EpochSeconds, Iso8601},
    },
    serde::{Deserialize, Serialize},
    tidegate_ids::{
        AuthorizerName, CaCertificateId, CertificateId, PolicyName, ThingGroupName, ThingName, ThingTypeName,
    },
};

/// Where each member of the input travels, and what it must satisfy.
pub(crate) static INPUT: &[Member] = &[
    body("EndTime", &TIMESTAMP),
    body("EventCategory", &EVENT_CATEGORY),
    body("LookupAttributes", &LOOKUP_ATTRIBUTES_LIST),
    body("MaxResults", &MAX_RESULTS),
    body("NextToken", &TEXT),
    body("StartTime", &TIMESTAMP),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    #[serde(rename = "EndTime")]
    pub(crate) end_time: Option<EpochSeconds>,
    #[serde(rename = "EventCategory")]
    pub(crate) event_category: Option<EventCategory>,
    #[serde(rename = "LookupAttributes")]
    pub(crate) lookup_attributes: Option<Vec<LookupAttribute>>,
    #[serde(rename = "MaxResults")]
    pub(crate) max_results: Option<i32>,
    #[serde(rename = "NextToken")]
    pub(crate) next_token: Option<String>,
    #[serde(rename = "StartTime")]
    pub(crate) start_time: Option<EpochSeconds>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(rename = "Events", skip_serializing_if = "Option::is_none")]
    pub(crate) events: Option<Vec<Event>>,
    #[serde(rename = "NextToken", skip_serializing_if = "Option::is_none")]
    pub(crate) next_token: Option<String>,
}
