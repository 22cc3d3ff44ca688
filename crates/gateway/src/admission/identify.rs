//! Who a client is, and whether it may connect: by its certificate, by who signed, or as nobody.

use std::sync::Arc;

use tidegate_broker::{Authorize, Principal};
use tidegate_ids::{CertificateId, Tenant};
use tidegate_logs::Case;
use tidegate_mqtt::Connect;
use tidegate_pki::ClientLeaf;
use tidegate_policy::PolicySet;
use tidegate_registry::{
    Admission, Admitted, AuthenticationType, BoundThing, ConnectionGrants, Credential, Presented, ServerName,
};

use super::{Newcomer, custom::Vigil};
use crate::{
    arrival::Arrival,
    authorize::{self, AllowAll, AnonymousRights, CertificateGrants, Rights, SignerGrants},
    clients,
    connection_log::Reason,
    domain::Destination,
    evidence,
    listener::{Below, TlsListener},
    reason, remedy,
    signed::Signer,
};

/// Whom a connection turned out to act for.
pub(super) struct Known {
    pub(super) tenant: Tenant,
    pub(super) principal: Arc<Principal>,
    pub(super) certificate_id: Option<CertificateId>,
    /// Of who signed.
    pub(super) credential: Option<Credential>,
    /// For events.
    pub(super) thing_name: Option<Arc<str>>,
    pub(super) authorize: Arc<dyn Authorize>,
    /// What ends the connection, or renews its policies, as its custom authorizer says.
    pub(super) vigil: Option<Box<Vigil>>,
}

/// A refusal for who somebody is.
pub(super) struct Refused {
    pub(super) reason: Reason,
    /// What stands behind it.
    pub(super) case: Box<Case>,
    /// Whether its certificate is in order, and only its policies are not.
    pub(super) authenticated: bool,
    pub(super) tenant: Option<Tenant>,
    pub(super) certificate_id: Option<CertificateId>,
}

impl Newcomer<'_> {
    /// Asks whoever knows: the signature's, the listener's or the certificate's, or a custom authorizer.
    pub(super) async fn identify(
        &self,
        arrival: &Arrival,
        connect: &Connect<'_>,
        client_id: &str,
        destination: &Destination,
    ) -> Result<Known, Refused> {
        if let Some(signer) = &arrival.signer {
            return self.identify_signer(signer, connect, client_id);
        }
        match &self.listener.below {
            Below::Plain { tenant, policies } => {
                self.identify_anonymous(*tenant, policies.as_ref(), connect, client_id)
            }
            Below::Tls(tls) => self.identify_by_tls(tls, arrival, connect, client_id, destination).await,
        }
    }

    /// Asks whom the domain configuration says, or whoever knows what the client shows.
    async fn identify_by_tls(
        &self,
        tls: &TlsListener,
        arrival: &Arrival,
        connect: &Connect<'_>,
        client_id: &str,
        destination: &Destination,
    ) -> Result<Known, Refused> {
        let certified = arrival.tls.as_ref().is_some_and(|tls| tls.peer_leaf().is_some());
        let by_certificate = match destination.authentication() {
            AuthenticationType::AwsX509 => true,
            AuthenticationType::AwsSigv4 => return Err(self.unsigned(destination)),
            AuthenticationType::CustomAuth => false,
            AuthenticationType::CustomAuthX509 => {
                let admitted = self.admit_certificate(tls, arrival, client_id, destination.server_name).await?;
                return self.identify_custom(arrival, connect, client_id, destination, Some(&admitted)).await;
            }
            AuthenticationType::Default => certified || self.shared.custom_authentication.is_none(),
        };
        if by_certificate {
            let (leaf, admitted) = self.admit_certificate(tls, arrival, client_id, destination.server_name).await?;
            return self.authorize(&leaf, admitted, connect, client_id);
        }
        self.identify_custom(arrival, connect, client_id, destination, None).await
    }

    /// Refuses a client without a signature where nothing else counts.
    fn unsigned(&self, destination: &Destination) -> Refused {
        let mut case = Case::default();
        remedy::of_unsigned(&mut case, destination.domain.as_deref());
        Refused {
            reason: reason::unsigned(),
            case: Box::new(case),
            authenticated: false,
            tenant: destination.domain.as_ref().map(|domain| domain.tenant),
            certificate_id: None,
        }
    }

    /// Lets in whom the listener's policy lets in; everybody when it has none.
    fn identify_anonymous(
        &self,
        tenant: Tenant,
        policies: Option<&PolicySet>,
        connect: &Connect<'_>,
        client_id: &str,
    ) -> Result<Known, Refused> {
        let principal = Principal::anonymous();
        let Some(policies) = policies else {
            return Ok(Known {
                tenant,
                principal,
                certificate_id: None,
                credential: None,
                thing_name: None,
                authorize: Arc::new(AllowAll),
                vigil: None,
            });
        };
        let rights = AnonymousRights::new(policies, client_id, self.origin.peer.ip(), self.shared.clock.clone());
        let Err(denial) = rights.connect(tenant, connect, client_id) else {
            return Ok(Known {
                tenant,
                principal,
                certificate_id: None,
                credential: None,
                thing_name: None,
                authorize: Arc::new(rights),
                vigil: None,
            });
        };
        self.announce_failure(tenant, principal, None, client_id);
        let mut case = Case::default();
        let name = evidence::policy_name(self.origin.trace_id);
        remedy::of_connect(&mut case, (tenant, None), client_id, &denial, &name);
        Err(Refused {
            reason: reason::of_policy(tenant, None, client_id, &denial),
            case: Box::new(case),
            authenticated: true,
            tenant: Some(tenant),
            certificate_id: None,
        })
    }

    /// Asks the policies of who signed. The connection ends with their key or session.
    fn identify_signer(&self, signer: &Signer, connect: &Connect<'_>, client_id: &str) -> Result<Known, Refused> {
        let (tenant, principal) = (signer.tenant, Arc::new(signer.principal()));
        let refused = |reason: Reason, advice: &str, authenticated| {
            let case = Box::new(Case { advice: Some(advice.to_owned()), ..Case::default() });
            Err(Refused { reason, case, authenticated, tenant: Some(tenant), certificate_id: None })
        };
        let entered = self.shared.signed_in.enter(signer);
        if !signer.credential.is_in_force(self.shared.registry.propagated(), self.now().wall) {
            let advice = "sign with a key that is active, or a session that is not over";
            return refused(reason::of_ended_credential(signer.credential.arn()), advice, false);
        }
        let secure = matches!(self.listener.below, Below::Tls(_));
        let server_name = self.origin.server_name.as_deref();
        let variables = authorize::signer_variables(signer, client_id, self.origin.peer.ip(), server_name, secure);
        let narrowing = signer.credential.session_policies(tenant.region);
        let grants = SignerGrants::new(signer, entered);
        let rights = Rights::new(grants, variables, narrowing.as_ref(), self.shared.clock.clone());
        if let Err(denial) = rights.connect(tenant, connect, client_id) {
            self.announce_failure(tenant, principal, None, client_id);
            let advice = "let a policy of the user or role, and of the session if it has one, allow iot:Connect on the client id";
            return refused(
                reason::of_signers_policy(tenant, signer.credential.arn(), client_id, &denial),
                advice,
                true,
            );
        }
        Ok(Known {
            tenant,
            principal,
            certificate_id: None,
            credential: Some(signer.credential.clone()),
            thing_name: None,
            authorize: Arc::new(rights),
            vigil: None,
        })
    }

    /// Asks the registry: at every CONNECT, because a resumed session has checked nothing.
    async fn admit_certificate(
        &self,
        tls: &TlsListener,
        arrival: &Arrival,
        client_id: &str,
        server_name: ServerName,
    ) -> Result<(Arc<ClientLeaf>, Admitted), Refused> {
        let leaf = arrival.tls.as_ref().and_then(|tls| tls.peer_leaf());
        let leaf = leaf.and_then(|leaf| clients::parse(leaf).ok());
        let Some(leaf) = leaf else {
            let mut case = Case::default();
            remedy::of_no_certificate(&mut case);
            return Err(Refused {
                reason: reason::no_certificate(),
                case: Box::new(case),
                authenticated: false,
                tenant: None,
                certificate_id: None,
            });
        };
        let presented = Presented {
            leaf: &leaf,
            server_name,
            registers_without_sni: tls.settings.registers_without_server_name,
            client_id,
        };
        let limits = tls.settings.registration;
        let admission = self.shared.registry.connect_within(presented, limits, self.now()).await;
        match admission {
            Ok(Admission::Active(admitted)) => Ok((leaf, admitted)),
            Ok(Admission::Registered(event) | Admission::PendingActivation(event)) => {
                self.announce(&event);
                let directory = self.shared.registry.propagated();
                let mut case = evidence::of_leaf(directory, &leaf, Some(event.tenant));
                remedy::of_pending_activation(&mut case, event.tenant, event.certificate_id);
                Err(Refused {
                    case: Box::new(case),
                    reason: reason::of_pending_activation(event.certificate_id),
                    authenticated: false,
                    tenant: Some(event.tenant),
                    certificate_id: Some(event.certificate_id),
                })
            }
            Err(refused) => Err(Refused {
                reason: reason::of_registry(&refused),
                case: Box::new(evidence::of_registry(self.shared.registry.propagated(), &leaf, &refused)),
                authenticated: false,
                tenant: refused.tenant,
                certificate_id: Some(refused.certificate_id),
            }),
        }
    }

    /// Asks the policies.
    fn authorize(
        &self,
        leaf: &ClientLeaf,
        admitted: Admitted,
        connect: &Connect<'_>,
        client_id: &str,
    ) -> Result<Known, Refused> {
        let (tenant, certificate_id) = (admitted.tenant, admitted.certificate_id);
        let principal = Arc::new(Principal::Certificate { tenant, certificate_id });
        let server_name = self.origin.server_name.as_deref();
        let variables = authorize::variables(certificate_id, client_id, self.origin.peer.ip(), server_name);
        let grants = ConnectionGrants::new(self.shared.registry.propagated(), admitted, client_id);
        let thing = grants.thing();
        let thing_name = thing.as_ref().and_then(BoundThing::name_in_events).map(|name| name.as_str().into());
        let grants = CertificateGrants::new(grants, leaf.der());
        let rights = Rights::new(grants, variables, None, self.shared.clock.clone());
        if let Err(denial) = rights.connect(tenant, connect, client_id) {
            self.announce_failure(tenant, principal, thing_name, client_id);
            let mut case = evidence::of_leaf(self.shared.registry.propagated(), leaf, Some(tenant));
            let name = evidence::policy_name(self.origin.trace_id);
            remedy::of_connect(&mut case, (tenant, Some(certificate_id)), client_id, &denial, &name);
            return Err(Refused {
                reason: reason::of_policy(tenant, Some(certificate_id), client_id, &denial),
                case: Box::new(case),
                authenticated: true,
                tenant: Some(tenant),
                certificate_id: Some(certificate_id),
            });
        }
        Ok(Known {
            tenant,
            principal,
            certificate_id: Some(certificate_id),
            credential: None,
            thing_name,
            authorize: Arc::new(rights),
            vigil: None,
        })
    }
}
