//! What messages of things are enriched with, by thing type.

use std::{collections::HashMap, sync::Arc};

use parking_lot::RwLock;
use tidegate_ids::{Tenant, ThingTypeName};

use crate::PropagatingAttribute;

/// The propagating attributes of the thing types that have any: few accounts do.
#[derive(Default)]
pub(super) struct Enrichments(RwLock<HashMap<Tenant, OfTypes>>);

type OfTypes = HashMap<ThingTypeName, Arc<[PropagatingAttribute]>>;

impl Enrichments {
    /// Keeps what a type says now; whether that differs from before.
    pub(super) fn put(&self, tenant: Tenant, name: &ThingTypeName, attributes: &[PropagatingAttribute]) -> bool {
        if attributes.is_empty() {
            return self.remove(tenant, name);
        }
        let mut tenants = self.0.write();
        let types = tenants.entry(tenant).or_default();
        let differs = types.get(name).is_none_or(|known| **known != *attributes);
        if differs {
            types.insert(name.clone(), attributes.into());
        }
        differs
    }

    /// Forgets a type; whether it was known.
    pub(super) fn remove(&self, tenant: Tenant, name: &ThingTypeName) -> bool {
        let mut tenants = self.0.write();
        let Some(types) = tenants.get_mut(&tenant) else { return false };
        let known = types.remove(name).is_some();
        if types.is_empty() {
            tenants.remove(&tenant);
        }
        known
    }

    /// Those that are kept and not among `there`.
    pub(super) fn absent(&self, there: impl Fn(Tenant, &ThingTypeName) -> bool) -> Vec<(Tenant, ThingTypeName)> {
        let tenants = self.0.read();
        let all = tenants.iter().flat_map(|(tenant, types)| types.keys().map(|name| (*tenant, name)));
        all.filter(|(tenant, name)| !there(*tenant, name)).map(|(tenant, name)| (tenant, name.clone())).collect()
    }

    /// Whether any type of the account has some.
    pub(super) fn has_any(&self, tenant: Tenant) -> bool {
        self.0.read().contains_key(&tenant)
    }

    /// What a type says.
    pub(super) fn of(&self, tenant: Tenant, name: &ThingTypeName) -> Option<Arc<[PropagatingAttribute]>> {
        self.0.read().get(&tenant)?.get(name).cloned()
    }
}
