//! Requests of clients without a certificate, about which a custom authorizer is asked.
//!
//! AWS: developer guide, "Connecting to AWS IoT Core by using custom authentication", "HTTPS": only publishing.

use std::sync::Arc;

use tidegate_authorizer::{Http, Presented};
use tidegate_ids::{Monotonic, Tenant};
use tidegate_logs::Case;
use tidegate_pki::ClientLeaf;
use tidegate_policy::PolicySet;

use super::{Connection, Rights, route::Refused};
use crate::{
    CustomAuthentication,
    connection_log::Identity,
    custom::{self, NotAdmitted},
    http::Head,
    reason, remedy,
};

/// Headers that say nothing about who asks, and differ from one request to the next.
const OF_ONE_REQUEST: [&str; 3] = ["content-length", "x-amz-mqtt5-correlation-data", "x-amz-mqtt5-user-properties"];

/// An answer that holds for further requests of this connection, as long as they present the same.
///
/// AWS: `enableCachingForHttp`.
pub(crate) struct Cached {
    http: Http,
    until: Monotonic,
    tenant: Tenant,
    policies: Arc<PolicySet>,
}

/// What a request presents.
fn presented(head: &Head<'_>) -> Http {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = head.headers().map(|(name, value)| (name.to_owned(), text(value)));
    Http { headers: headers.collect(), query: head.query().to_owned() }
}

/// Without what belongs to one request alone.
fn lasting(mut http: Http) -> Http {
    http.headers.retain(|(name, _)| !OF_ONE_REQUEST.iter().any(|one| one.eq_ignore_ascii_case(name)));
    http
}

impl Connection<'_> {
    /// Asks the custom authorizer that the request names, or its domain's or account's default. `leaf`: the certificate that had to be
    /// shown beside, which is in order.
    pub(super) async fn identify_custom(
        &mut self,
        custom: &CustomAuthentication,
        head: &Head<'_>,
        leaf: Option<&ClientLeaf>,
    ) -> Result<Rights, Refused> {
        self.origin.authentication_type = Some(if leaf.is_some() { "CUSTOM_AUTH_X509" } else { "CUSTOM_AUTH" });
        let http = presented(head);
        let key = lasting(http.clone());
        let now = self.shared.clock.now().monotonic;
        if let Some(cached) = self.cached.as_ref().filter(|cached| now < cached.until && cached.http == key) {
            return Ok(self.rights_of(cached.tenant, Arc::clone(&cached.policies)));
        }
        self.cached = None;
        let tenant = custom.tenant_of(&self.destination.server_name);
        let server_name = self.origin.server_name.as_deref().map(str::to_owned);
        let certificate = leaf.map(custom::certificate);
        let presented = Presented { server_name, certificate, http: Some(http), mqtt: None };
        let authorizers = self.destination.authorizers();
        let found = custom.find(self.shared.registry.propagated(), tenant, &presented, authorizers);
        let authorizer = found.map_err(|refused| self.not_admitted(tenant, &refused))?;
        let asked = custom.ask(&authorizer, &presented, &self.origin.trace_id.to_string()).await;
        let permit = asked.map_err(|refusal| {
            self.not_admitted(tenant, &NotAdmitted { name: Some(authorizer.name.to_string()), refusal })
        })?;
        let policies = Arc::new(custom::compile(tenant, &permit));
        if authorizer.record.enable_caching_for_http {
            let until = now + permit.refresh_after;
            self.cached = Some(Cached { http: key, until, tenant, policies: Arc::clone(&policies) });
        }
        Ok(self.rights_of(tenant, policies))
    }

    fn rights_of(&self, tenant: Tenant, policies: Arc<PolicySet>) -> Rights {
        let identity = Identity { tenant: Some(tenant), certificate_id: None, client_id: None };
        let variables = custom::variables(None, self.origin.peer.ip(), self.origin.server_name.as_deref());
        Rights { tenant, identity, policies, variables, publishes_only: true }
    }

    fn not_admitted(&self, tenant: Tenant, refused: &NotAdmitted) -> Refused {
        let NotAdmitted { name, refusal } = refused;
        let identity = Identity { tenant: Some(tenant), certificate_id: None, client_id: None };
        let mut case = Case::default();
        remedy::of_authorizer(&mut case, Some(tenant), name.as_deref(), refusal);
        let reason = reason::of_authorizer(name.as_deref(), refusal);
        self.scribe().authentication_failed(&self.origin, identity, &reason, &case);
        Refused::forbidden()
    }
}
