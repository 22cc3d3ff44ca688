//! AWS: API_TestAuthorization.

use std::{collections::BTreeSet, sync::Arc};

use tidegate_ids::{PolicyName, Tenant};
use tidegate_pki::ClientLeaf;
use tidegate_policy::{AttachedPolicy, Document, PolicySet, Variables};

use super::{
    describe_certificate::read_certificate,
    get_effective_policies::{EffectivePolicy, effective_names, names_through_groups, read_effective},
};
use crate::{CertificateStatus, PolicyTarget, Registry, RegistryError, certificate_variables};

/// Whose rights are asked about, and under which policies. Nothing of it need exist on a live connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Subject {
    /// Who connects; without one, only `policies_to_add` decide.
    pub principal: Option<PolicyTarget>,
    /// The client id it connects with: `${iot:ClientId}`.
    pub client_id: Option<String>,
    /// Policies that are treated as attached.
    pub policies_to_add: Vec<PolicyName>,
    /// Policies that are treated as not attached; one that is not anyway changes nothing.
    pub policies_to_skip: Vec<PolicyName>,
    /// What else is known about the connection, by variable or condition key; wins over what the registry knows.
    pub known: Vec<(String, Vec<String>)>,
}

/// What decides about a [`Subject`]: ask [`PolicySet::explain`] with these variables.
#[derive(Debug, Clone)]
pub struct SubjectRights {
    /// Its policies, compiled as for a live connection, ascending by name.
    pub policies: PolicySet,
    /// What is known about it.
    pub variables: Variables,
    /// The status of its certificate. A certificate that is not ACTIVE cannot connect, whatever its policies allow.
    pub status: Option<CertificateStatus>,
}

impl Registry {
    /// The policies and variables by which `subject` would be judged, as the rows say at this moment: with those of the
    /// groups of its thing, if its certificate is attached to that.
    ///
    /// The status of a certificate changes nothing about its policies: Unverified, whether AWS's TestAuthorization asks for it.
    ///
    /// # Errors
    /// `CertificateNotFound`; `PolicyNotFound` for a policy to add.
    pub async fn subject_rights(&self, tenant: Tenant, subject: &Subject) -> Result<SubjectRights, RegistryError> {
        let read = self.read().await?;
        let mut names = BTreeSet::new();
        let (mut variables, mut status) = (Variables::new(), None);
        if let Some(principal) = &subject.principal {
            names = effective_names(&read, tenant, principal).await?;
            match principal {
                PolicyTarget::ThingGroup(_) => {}
                PolicyTarget::Certificate(id) => {
                    let record = read_certificate(&read, tenant, *id).await?.value;
                    let leaf =
                        ClientLeaf::from_pem(&record.pem).map_err(|error| RegistryError::Internal(error.into()))?;
                    variables = certificate_variables(&leaf);
                    status = Some(record.status);
                }
            }
        }
        if let Some(client_id) = &subject.client_id {
            variables.client_id(client_id);
        }
        if let Some(PolicyTarget::Certificate(id)) = subject.principal {
            let client_id = subject.client_id.as_deref().unwrap_or_default();
            if let Some(thing) = self.directory().bound_thing(tenant, id, client_id) {
                thing.add_to(&mut variables);
                if thing.attached.is_some() {
                    names.extend(names_through_groups(&read, tenant, &thing.name).await?);
                }
            }
        }
        for (name, values) in &subject.known {
            variables.set(name, values.iter().map(String::as_str));
        }
        names.retain(|name| !subject.policies_to_skip.contains(name));
        names.extend(subject.policies_to_add.iter().cloned());
        let policies = read_effective(&read, tenant, names).await?;
        Ok(SubjectRights { policies: compile(tenant, policies)?, variables, status })
    }
}

fn compile(tenant: Tenant, policies: Vec<EffectivePolicy>) -> Result<PolicySet, RegistryError> {
    let attached = |policy: EffectivePolicy| {
        let document = Document::parse(&policy.document).map_err(|error| RegistryError::Internal(error.into()))?;
        let EffectivePolicy { name, version, .. } = policy;
        Ok(AttachedPolicy { name, version: version.number(), document: Arc::new(document) })
    };
    let attached: Vec<AttachedPolicy> = policies.into_iter().map(attached).collect::<Result<_, RegistryError>>()?;
    Ok(PolicySet::compile(tenant, attached))
}
