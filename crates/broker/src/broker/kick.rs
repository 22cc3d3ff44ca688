//! Closing connections from outside.

use std::sync::Arc;

use tidegate_ids::{Now, Tenant};

use super::Broker;
use crate::{
    CloseReason, Effects, Principal,
    session::{Session, Surroundings},
    tenant::TenantState,
};

/// Which connections to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selector {
    /// The one with this client id.
    ClientId {
        /// Whose client.
        tenant: Tenant,
        /// Its name.
        client_id: Arc<str>,
    },
    /// All that act for this principal, in this tenant.
    Principal {
        /// Whose clients.
        tenant: Tenant,
        /// Who they act for.
        principal: Principal,
    },
    /// All of one tenant.
    Tenant(Tenant),
    /// All.
    Everyone,
}

impl Broker {
    /// Close connections from outside; how many. Each owner finds `Output::Ended` when it takes output.
    pub fn kick(&self, selector: &Selector, reason: CloseReason, now: Now, effects: &mut Effects) -> usize {
        match selector {
            Selector::ClientId { tenant, client_id } => {
                let Some(tenant) = self.known_tenant(*tenant) else { return 0 };
                let session = tenant.session(client_id);
                session.map_or(0, |session| usize::from(self.kick_one(&tenant, &session, reason, None, now, effects)))
            }
            Selector::Principal { tenant, principal } => {
                let Some(tenant) = self.known_tenant(*tenant) else { return 0 };
                let sessions = tenant.client_ids_of(principal).into_iter().filter_map(|id| tenant.session(&id));
                sessions
                    .filter(|session| self.kick_one(&tenant, session, reason, Some(principal), now, effects))
                    .count()
            }
            Selector::Tenant(tenant) => {
                self.known_tenant(*tenant).map_or(0, |tenant| self.kick_all(&tenant, reason, now, effects))
            }
            Selector::Everyone => {
                self.all_tenants().iter().map(|tenant| self.kick_all(tenant, reason, now, effects)).sum()
            }
        }
    }

    fn kick_all(&self, tenant: &TenantState, reason: CloseReason, now: Now, effects: &mut Effects) -> usize {
        let sessions = tenant.all().into_iter();
        sessions.filter(|session| self.kick_one(tenant, session, reason, None, now, effects)).count()
    }

    pub(super) fn kick_one(
        &self,
        tenant: &TenantState,
        session: &Arc<Session>,
        reason: CloseReason,
        only: Option<&Principal>,
        now: Now,
        effects: &mut Effects,
    ) -> bool {
        let _whole = self.whole();
        let around = Surroundings { tenant, deadlines: &self.deadlines, now };
        let wanted = |principal: &Principal| only.is_none_or(|only| only == principal);
        let (kicked, aftermath) = session.kick(reason, wanted, around, effects);
        self.clean_up(tenant, session, aftermath, now, effects);
        kicked
    }
}
