//! Who a client is that sends no CONNECT.

use tidegate_ids::Timestamp;
use tidegate_pki::ClientLeaf;

use super::{
    Admitted, EndpointRequired, Refusal, Refused, ServerName,
    decide::{self, Known},
};
use crate::{Registry, directory::Owner};

impl Registry {
    /// Who presents this certificate; nobody is registered by it. From memory, for every request: its status and dates count
    /// now.
    ///
    /// AWS: just-in-time registration is documented for MQTT connections only.
    ///
    /// # Errors
    /// As [`Self::connect`]; a certificate that waits for activation is inactive here.
    pub fn identify(&self, leaf: &ClientLeaf, server_name: ServerName, now: Timestamp) -> Result<Admitted, Refused> {
        let owners = self.propagated().certificates.owners(leaf.certificate_id());
        self.judge_known(leaf, server_name, &owners, now).map_err(|reason| {
            let tenant = decide::concerned(server_name, &owners, &[]);
            self.retold(Refused { tenant, certificate_id: leaf.certificate_id(), reason }, leaf, server_name)
        })
    }

    fn judge_known(
        &self,
        leaf: &ClientLeaf,
        server_name: ServerName,
        owners: &[Owner],
        now: Timestamp,
    ) -> Result<Admitted, Refusal> {
        decide::judge_leaf(leaf, now)?;
        let owner = match decide::known(owners, server_name) {
            Known::By(owner) => owner,
            Known::Ambiguous => return Err(Refusal::EndpointRequired(EndpointRequired::SeveralOwners)),
            Known::Unknown if owners.is_empty() => return Err(Refusal::OnlyByMqtt),
            Known::Unknown => return Err(decide::known_elsewhere(owners, server_name, Refusal::OtherAccount)),
        };
        if !decide::judge_status(owner.status)? {
            return Err(Refusal::Inactive);
        }
        let certificate_id = leaf.certificate_id();
        let grants = self.propagated().grants(owner.tenant, certificate_id).ok_or(Refusal::Inactive)?;
        Ok(Admitted { tenant: owner.tenant, certificate_id, grants })
    }
}
