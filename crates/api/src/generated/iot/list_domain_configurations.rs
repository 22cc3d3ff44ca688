// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.

//! `ListDomainConfigurations` of iot.

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
    query("marker", "marker", &MARKER),
    query("pageSize", "pageSize", &PAGE_SIZE),
    query("serviceType", "serviceType", &SERVICE_TYPE),
];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    pub(crate) marker: Option<String>,
    pub(crate) page_size: Option<i32>,
    pub(crate) service_type: Option<ServiceType>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Output {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) domain_configurations: Option<Vec<DomainConfigurationSummary>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) next_marker: Option<String>,
}
