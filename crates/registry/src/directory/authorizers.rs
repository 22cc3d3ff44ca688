//! Custom authorizers: accounts have few.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use parking_lot::RwLock;
use tidegate_ids::{AuthorizerName, Tenant};

use crate::Authorizer;

/// All authorizers, and which of them are defaults.
#[derive(Default)]
pub(super) struct Authorizers(RwLock<HashMap<Tenant, OfTenant>>);

#[derive(Default)]
struct OfTenant {
    by_name: HashMap<AuthorizerName, Arc<Authorizer>>,
    default: Option<AuthorizerName>,
}

impl Authorizers {
    pub(super) fn put(&self, authorizer: Authorizer) {
        let mut tenants = self.0.write();
        let of_tenant = tenants.entry(authorizer.tenant).or_default();
        of_tenant.by_name.insert(authorizer.name.clone(), Arc::new(authorizer));
    }

    pub(super) fn remove(&self, tenant: Tenant, name: &AuthorizerName) {
        self.change(tenant, |of_tenant| drop(of_tenant.by_name.remove(name)));
    }

    pub(super) fn set_default(&self, tenant: Tenant, name: Option<AuthorizerName>) {
        match name {
            Some(name) => self.0.write().entry(tenant).or_default().default = Some(name),
            None => self.change(tenant, |of_tenant| of_tenant.default = None),
        }
    }

    fn change(&self, tenant: Tenant, change: impl FnOnce(&mut OfTenant)) {
        let mut tenants = self.0.write();
        let Some(of_tenant) = tenants.get_mut(&tenant) else { return };
        change(of_tenant);
        if of_tenant.by_name.is_empty() && of_tenant.default.is_none() {
            tenants.remove(&tenant);
        }
    }

    pub(super) fn get(&self, tenant: Tenant, name: &AuthorizerName) -> Option<Arc<Authorizer>> {
        self.0.read().get(&tenant)?.by_name.get(name).cloned()
    }

    pub(super) fn default_of(&self, tenant: Tenant) -> Option<Arc<Authorizer>> {
        let tenants = self.0.read();
        let of_tenant = tenants.get(&tenant)?;
        of_tenant.by_name.get(of_tenant.default.as_ref()?).cloned()
    }

    /// Forgets what is not among `there`.
    pub(super) fn retain(&self, there: &HashSet<(Tenant, AuthorizerName)>, defaults: &HashSet<Tenant>) {
        self.0.write().retain(|tenant, of_tenant| {
            of_tenant.by_name.retain(|name, _| there.contains(&(*tenant, name.clone())));
            if !defaults.contains(tenant) {
                of_tenant.default = None;
            }
            !of_tenant.by_name.is_empty() || of_tenant.default.is_some()
        });
    }
}
