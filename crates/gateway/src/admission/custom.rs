//! A CONNECT of a client that a custom authorizer is asked about, and the watch over its connection.

use std::{cell::RefCell, convert::Infallible, rc::Rc, sync::Arc};

use tidegate_authorizer::{Http, Mqtt, Permit, Presented, Refusal};
use tidegate_broker::{CloseReason, LinkAddress, Principal, Selector};
use tidegate_ids::{AuthorizerName, Monotonic, Tenant};
use tidegate_logs::Case;
use tidegate_mqtt::Connect;
use tidegate_pki::ClientLeaf;
use tidegate_registry::{Admitted, Authorizer, add_certificate_attributes};
use tidegate_sigv4::RequestParts;
use tokio::{sync::oneshot, time::sleep};
use tracing::info;

use super::{
    Newcomer,
    identify::{Known, Refused},
};
use crate::{
    arrival::Arrival,
    authorize::{self, Rights},
    core::{Core, Desk, Shared},
    custom::{self, AuthorizerGrants, NotAdmitted, Renewed},
    domain::Destination,
    reason, remedy,
};

/// What a function is told of a request for a WebSocket.
pub(super) fn http(request: &RequestParts<'_>) -> Http {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    let headers = request.headers.iter().map(|(name, value)| ((*name).to_owned(), text(value)));
    Http { headers: headers.collect(), query: request.raw_query.to_owned() }
}

impl Newcomer<'_> {
    /// Asks the custom authorizer that the client names, or its domain's or account's default, then the policies that it answers.
    ///
    /// `certified`: the certificate that the client had to show beside, which is in order.
    pub(super) async fn identify_custom(
        &self,
        arrival: &Arrival,
        connect: &Connect<'_>,
        client_id: &str,
        destination: &Destination,
        certified: Option<&(Arc<ClientLeaf>, Admitted)>,
    ) -> Result<Known, Refused> {
        let Some(custom) = &self.shared.custom_authentication else {
            // TLS asks for a certificate then, and a domain configuration lets nobody in.
            return Err(Refused {
                reason: reason::no_certificate(),
                case: Box::default(),
                authenticated: false,
                tenant: None,
                certificate_id: None,
            });
        };
        let presented = Presented {
            certificate: certified.map(|(leaf, _)| custom::certificate(leaf)),
            server_name: self.origin.server_name.as_deref().map(str::to_owned),
            http: arrival.http.as_deref().cloned(),
            mqtt: Some(Mqtt {
                user_name: connect.user_name.map(str::to_owned),
                password: connect.password.map(<[u8]>::to_vec),
                client_id: Some(connect.client_id.to_owned()).filter(|id| !id.is_empty()),
            }),
        };
        let tenant = custom.tenant_of(&destination.server_name);
        let found = custom.find(self.shared.registry.propagated(), tenant, &presented, destination.authorizers());
        let authorizer = found.map_err(|refused| not_admitted(tenant, &refused))?;
        let connection_id = self.origin.trace_id.to_string();
        let permit = custom.ask(&authorizer, &presented, &connection_id).await.map_err(|refusal| {
            not_admitted(tenant, &NotAdmitted { name: Some(authorizer.name.to_string()), refusal })
        })?;
        self.admit(&authorizer, &permit, (presented, connection_id), connect, (client_id, certified))
    }

    /// Asks the policies of a permit.
    fn admit(
        &self,
        authorizer: &Authorizer,
        permit: &Permit,
        (presented, connection_id): (Presented, String),
        connect: &Connect<'_>,
        (client_id, certified): (&str, Option<&(Arc<ClientLeaf>, Admitted)>),
    ) -> Result<Known, Refused> {
        let tenant = authorizer.tenant;
        let certificate_id = certified.map(|(_, admitted)| admitted.certificate_id);
        // Who shows a certificate is that, so that its sessions end with it. Unverified: whom AWS's events name.
        let principal = Arc::new(match certificate_id {
            Some(certificate_id) => Principal::Certificate { tenant, certificate_id },
            None => Principal::Custom {
                tenant,
                authorizer: authorizer.name.as_str().into(),
                principal_id: permit.principal_id.clone(),
            },
        });
        let renewed = Renewed::new(custom::compile(tenant, permit));
        let (alive, gone) = oneshot::channel();
        let grants = AuthorizerGrants::new(Arc::clone(&renewed), alive);
        let server_name = self.origin.server_name.as_deref();
        let address = self.origin.peer.ip();
        let variables = match certified {
            Some((leaf, admitted)) => {
                let mut variables = authorize::variables(admitted.certificate_id, client_id, address, server_name);
                add_certificate_attributes(leaf, &mut variables);
                variables
            }
            None => custom::variables(Some(client_id), address, server_name),
        };
        let rights = Rights::new(grants, variables, None, self.shared.clock.clone());
        if let Err(denial) = rights.connect(tenant, connect, client_id) {
            self.announce_failure(tenant, principal, None, client_id);
            let advice = "let a policy that the function answers allow iot:Connect on the client id";
            return Err(Refused {
                reason: reason::of_authorizers_policy(tenant, &authorizer.arn(), client_id, &denial),
                case: Box::new(Case { advice: Some(advice.to_owned()), ..Case::default() }),
                authenticated: true,
                tenant: Some(tenant),
                certificate_id,
            });
        }
        let now = self.now().monotonic;
        let watched = Watched {
            shared: Arc::clone(self.shared),
            tenant,
            client_id: client_id.into(),
            authorizer: authorizer.name.clone(),
            presented,
            connection_id,
            renewed,
            disconnect_at: now + permit.disconnect_after,
            refresh_at: now + permit.refresh_after,
        };
        Ok(Known {
            tenant,
            principal,
            certificate_id,
            credential: None,
            thing_name: None,
            authorize: Arc::new(rights),
            vigil: Some(Box::new(Vigil { watched, gone })),
        })
    }
}

fn not_admitted(tenant: Tenant, refused: &NotAdmitted) -> Refused {
    let NotAdmitted { name, refusal } = refused;
    let mut case = Case::default();
    remedy::of_authorizer(&mut case, Some(tenant), name.as_deref(), refusal);
    Refused {
        reason: reason::of_authorizer(name.as_deref(), refusal),
        case: Box::new(case),
        authenticated: false,
        tenant: Some(tenant),
        certificate_id: None,
    }
}

/// The watch over one connection: it ends when its time is over, and its function is asked again now and then.
///
/// A task on the connection's core, which ends with the connection's rights. It keeps what the client presented, as long.
pub(super) struct Vigil {
    watched: Watched,
    gone: oneshot::Receiver<Infallible>,
}

struct Watched {
    shared: Arc<Shared>,
    tenant: Tenant,
    client_id: Arc<str>,
    authorizer: AuthorizerName,
    presented: Presented,
    connection_id: String,
    renewed: Arc<Renewed>,
    disconnect_at: Monotonic,
    refresh_at: Monotonic,
}

impl Vigil {
    /// Begins it, over the connection at this address.
    pub(super) fn begin(self: Box<Self>, core: Rc<RefCell<Core>>, address: LinkAddress) {
        tokio::task::spawn_local(self.keep(core, address));
    }

    async fn keep(self: Box<Self>, core: Rc<RefCell<Core>>, address: LinkAddress) {
        let Self { mut watched, mut gone } = *self;
        loop {
            let wait = watched.next().since(watched.now());
            tokio::select! {
                biased;
                _ = &mut gone => return,
                () = sleep(wait) => {}
            }
            if !watched.is_connected(address) {
                return;
            }
            if watched.now() >= watched.disconnect_at {
                return watched.end(&core, CloseReason::TimeOver);
            }
            if watched.now() < watched.refresh_at {
                continue; // the timer was early
            }
            let answer = tokio::select! {
                biased;
                _ = &mut gone => return,
                answer = watched.ask() => answer,
            };
            if !watched.renew(answer) && watched.is_connected(address) {
                return watched.end(&core, CloseReason::PrincipalRefused);
            }
        }
    }
}

impl Watched {
    fn now(&self) -> Monotonic {
        self.shared.clock.now().monotonic
    }

    fn next(&self) -> Monotonic {
        self.disconnect_at.min(self.refresh_at)
    }

    async fn ask(&self) -> Result<Permit, Refusal> {
        let gone = |why: &str| Refusal::NotFound(why.to_owned());
        let custom = self.shared.custom_authentication.as_ref();
        let custom = custom.ok_or_else(|| gone("custom authentication is switched off"))?;
        let authorizer = self.shared.registry.propagated().authorizer(self.tenant, &self.authorizer);
        let authorizer = authorizer.filter(|authorizer| authorizer.is_active());
        let authorizer = authorizer.ok_or_else(|| gone("it was deleted, or is INACTIVE"))?;
        custom.ask(&authorizer, &self.presented, &self.connection_id).await
    }

    /// Takes on what was answered; whether the client may stay.
    ///
    /// A function that does not answer leaves all as it is until it is asked the next time; one that refuses, or answers what
    /// cannot be used, ends the connection. Unverified: AWS documents neither.
    fn renew(&mut self, answer: Result<Permit, Refusal>) -> bool {
        let (outcome, stays) = match &answer {
            Ok(permit) => {
                self.renewed.replace(custom::compile(self.tenant, permit));
                self.refresh_at = self.now() + permit.refresh_after;
                ("renewed".to_owned(), true)
            }
            Err(refusal @ Refusal::Function(_)) => {
                let bounds = self.shared.custom_authentication.as_ref().map(|custom| custom.bounds.shortest);
                self.refresh_at = self.now() + bounds.unwrap_or_default();
                (format!("asked again later: {refusal}"), true)
            }
            Err(refusal) => (format!("ended: {refusal}"), false),
        };
        info!(
            target: "tidegate::connections",
            eventType = "CustomAuthorizer",
            traceId = %self.connection_id,
            accountId = %self.tenant.account,
            clientId = &*self.client_id,
            authorizer = %self.authorizer,
            outcome,
            "an authorizer's function was asked again"
        );
        stays
    }

    /// Whether the client's connection is still the one that is watched.
    fn is_connected(&self, address: LinkAddress) -> bool {
        let known = self.shared.broker.connection(self.tenant, &self.client_id, self.shared.clock.now());
        matches!(known, Some(tidegate_broker::Known::Present(connection)) if connection.link_address == address)
    }

    fn end(&self, core: &RefCell<Core>, reason: CloseReason) {
        let selector = Selector::ClientId { tenant: self.tenant, client_id: Arc::clone(&self.client_id) };
        core.borrow_mut().act(|desk| {
            let Desk { shared, now, effects, .. } = desk;
            shared.broker.kick(&selector, reason, *now, effects);
        });
    }
}
