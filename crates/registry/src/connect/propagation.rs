//! A certificate that its account admits, and the devices' edge has not heard of yet.

use std::sync::Arc;

use tidegate_pki::ClientLeaf;

use super::{
    Refusal, Refused, ServerName,
    decide::{self, Known},
};
use crate::Registry;

impl Registry {
    /// `refused` as it is to be told: where the certificate would be admitted if [changes took no
    /// time](crate::Settings::propagation_delay), that is the reason.
    pub fn retold(&self, refused: Refused, leaf: &ClientLeaf, server_name: ServerName) -> Refused {
        if Arc::ptr_eq(self.propagated(), self.directory()) || !is_about_the_registry(&refused.reason) {
            return refused;
        }
        let owners = self.directory().certificates.owners(leaf.certificate_id());
        match decide::known(&owners, server_name) {
            Known::By(owner) if decide::judge_status(owner.status) == Ok(true) => {
                Refused { reason: Refusal::NotPropagated, tenant: Some(owner.tenant), ..refused }
            }
            Known::By(_) | Known::Unknown | Known::Ambiguous => refused,
        }
    }
}

/// Whether another state of the registry would have admitted the client.
fn is_about_the_registry(reason: &Refusal) -> bool {
    match reason {
        Refusal::NoIssuer { .. }
        | Refusal::NotSignedByIssuer { .. }
        | Refusal::CaInactive(_)
        | Refusal::AutoRegistrationDisabled(_)
        | Refusal::Inactive
        | Refusal::Revoked
        | Refusal::InTransfer
        | Refusal::EndpointRequired(_)
        | Refusal::OtherAccount
        | Refusal::OtherForm(_)
        | Refusal::OnlyByMqtt
        | Refusal::NotPropagated => true,
        Refusal::Expired(_)
        | Refusal::NotYetValid(_)
        | Refusal::Algorithm(_)
        | Refusal::Throttled
        | Refusal::Unavailable(_) => false,
    }
}
