//! Clients that a custom authorizer is asked about: which one, what it answered, and what that allows from then on.
//!
//! AWS: developer guide, "Custom authentication and authorization".

use std::{
    convert::Infallible,
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arc_swap::ArcSwap;
use tidegate_authorizer::{
    Bounds, Certificate, Domain, Functions, NAME_KEY, Permit, Presented, Questioned, Refusal, choose, consult,
};
use tidegate_ids::Tenant;
use tidegate_pki::ClientLeaf;
use tidegate_policy::{AttachedPolicy, BoundPolicy, PolicySet, Variables, keys};
use tidegate_registry::{Authorizer, Directory, ServerName};
use tokio::sync::oneshot;

use crate::authorize::Grants;

/// What is asked about clients without a certificate.
#[derive(Clone)]
pub struct CustomAuthentication {
    /// The functions behind the authorizers.
    pub functions: Arc<dyn Functions>,
    /// Which intervals they may answer.
    pub bounds: Bounds,
    /// Whose authorizers are asked when the server name is no account's endpoint.
    pub tenant: Tenant,
}

impl fmt::Debug for CustomAuthentication {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CustomAuthentication").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

/// Why a client is not let in, and which authorizer was meant.
pub(crate) struct NotAdmitted {
    pub(crate) name: Option<String>,
    pub(crate) refusal: Refusal,
}

impl CustomAuthentication {
    /// Whose authorizers are asked.
    ///
    /// Decision: a client that does not name an account's endpoint means the first account, as on a listener without TLS.
    pub(crate) fn tenant_of(&self, server_name: &ServerName) -> Tenant {
        match server_name {
            ServerName::Endpoint(tenant) => *tenant,
            ServerName::Host | ServerName::Absent => self.tenant,
        }
    }

    /// The authorizer that is asked about a client. `domain`: what its domain configuration says about authorizers.
    pub(crate) fn find(
        &self,
        directory: &Directory,
        tenant: Tenant,
        presented: &Presented,
        domain: Option<Domain<'_>>,
    ) -> Result<Arc<Authorizer>, NotAdmitted> {
        let asked = presented.parameter(NAME_KEY);
        let default = directory.default_authorizer(tenant);
        let default_name = default.as_ref().map(|default| default.name.as_str());
        let refused = |name: Option<&str>, refusal| NotAdmitted { name: name.map(str::to_owned), refusal };
        let name = choose(asked.as_deref(), domain, default_name).map_err(|why| refused(None, why.into()))?;
        let Ok(parsed) = name.parse() else {
            return Err(refused(None, Refusal::NotFound("the client names what is no name of an authorizer".into())));
        };
        match directory.authorizer(tenant, &parsed) {
            Some(authorizer) if authorizer.is_active() => Ok(authorizer),
            Some(_) => Err(refused(Some(name), Refusal::NotFound("it is INACTIVE".into()))),
            None => {
                let text = format!("there is none of this name in account {}, {}", tenant.account, tenant.region);
                Err(refused(Some(name), Refusal::NotFound(text)))
            }
        }
    }

    /// Asks it.
    pub(crate) async fn ask(
        &self,
        authorizer: &Authorizer,
        presented: &Presented,
        connection_id: &str,
    ) -> Result<Permit, Refusal> {
        let record = &authorizer.record;
        let public_keys: Vec<&str> = record.token_signing_public_keys.values().map(String::as_str).collect();
        let questioned = Questioned {
            tenant: authorizer.tenant,
            function_arn: &record.function_arn,
            token_key_name: record.token_key_name.as_deref(),
            public_keys: &public_keys,
            signing_disabled: record.signing_disabled,
        };
        consult(&*self.functions, questioned, presented, (None, None), connection_id, self.bounds).await
    }
}

/// What a function is told of a client's certificate.
pub(crate) fn certificate(leaf: &ClientLeaf) -> Certificate {
    Certificate { pem: leaf.pem(), principal_id: leaf.certificate_id().to_string() }
}

/// The policies that a function answered, compiled.
pub(crate) fn compile(tenant: Tenant, permit: &Permit) -> PolicySet {
    let policies = permit.policies.iter().enumerate().map(|(index, (_, document))| AttachedPolicy {
        name: format!("policyDocuments-{}", index + 1).parse().expect("a policy name"),
        version: 1,
        document: Arc::clone(document),
    });
    PolicySet::compile(tenant, policies)
}

/// What these policies can ask about a connection. Unverified: that the domain name is known as for certificates.
pub(crate) fn variables(client_id: Option<&str>, address: IpAddr, server_name: Option<&str>) -> Variables {
    let mut variables = Variables::new();
    variables.source_ip(address);
    if let Some(client_id) = client_id {
        variables.client_id(client_id);
    }
    if let Some(name) = server_name {
        variables.set(keys::DOMAIN_NAME, [name]);
    }
    variables
}

/// The policies of one connection, which are replaced when its function is asked again.
pub(crate) struct Renewed {
    policies: ArcSwap<PolicySet>,
    generation: AtomicU64,
}

impl Renewed {
    pub(crate) fn new(policies: PolicySet) -> Arc<Self> {
        Arc::new(Self { policies: ArcSwap::from_pointee(policies), generation: AtomicU64::new(0) })
    }

    /// From now on these.
    pub(crate) fn replace(&self, policies: PolicySet) {
        self.policies.store(Arc::new(policies));
        // Who sees the number sees the policies.
        self.generation.fetch_add(1, Ordering::Release);
    }
}

/// Those policies, as long as somebody may do something by them.
pub(crate) struct AuthorizerGrants {
    renewed: Arc<Renewed>,
    /// Dropped with the last use.
    _alive: oneshot::Sender<Infallible>,
}

impl AuthorizerGrants {
    /// The other end of `alive` hears when the last use is over.
    pub(crate) fn new(renewed: Arc<Renewed>, alive: oneshot::Sender<Infallible>) -> Self {
        Self { renewed, _alive: alive }
    }
}

impl Grants for AuthorizerGrants {
    fn generation(&self) -> u64 {
        self.renewed.generation.load(Ordering::Acquire)
    }

    fn bind(&self, variables: &Variables) -> BoundPolicy {
        self.renewed.policies.load().bind(variables)
    }

    /// Nothing: there is no thing.
    fn enrichment(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewed_policies_are_bound_by_the_next_who_sees_the_number() {
        let tenant = Tenant { account: "123456789012".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let renewed = Renewed::new(PolicySet::compile(tenant, []));
        let (alive, mut gone) = oneshot::channel();
        let grants = AuthorizerGrants::new(renewed.clone(), alive);
        assert_eq!(grants.generation(), 0);
        renewed.replace(PolicySet::compile(tenant, []));
        assert_eq!(grants.generation(), 1);
        assert_eq!(gone.try_recv(), Err(oneshot::error::TryRecvError::Empty));
        drop(grants);
        assert_eq!(gone.try_recv(), Err(oneshot::error::TryRecvError::Closed));
    }
}
