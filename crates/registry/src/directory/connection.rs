//! What the registry says of one connection, for its life.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use tidegate_ids::{CertificateId, Tenant, ThingName};
use tidegate_policy::PolicySet;

use super::{BoundThing, Directory, Grants, groups::GroupStripe, things::Stripe};
use crate::{Admitted, PropagatingAttribute};

/// The policies of a connection's certificate and the thing that it stands for, now and after each change.
///
/// A connection binds [`Self::policies`] and [`Self::thing`] at CONNECT, remembers [`Self::generation`], and binds anew when the
/// number differs: three loads for each packet. Nothing remembers the connection.
pub struct ConnectionGrants {
    directory: Arc<Directory>,
    grants: Arc<Grants>,
    tenant: Tenant,
    certificate_id: CertificateId,
    /// The client id, where it can be the name of a thing, and what tells of that thing's changes.
    client_id: Option<(ThingName, Stripe)>,
    /// The client id as it is.
    client_id_text: Arc<str>,
    /// What tells of changes to the policies of the account's thing groups.
    groups: GroupStripe,
    /// Keeps what was compiled for the certificate's policies and its thing's groups together, so that others find it.
    with_groups: Mutex<Option<Arc<PolicySet>>>,
}

impl ConnectionGrants {
    /// For a connection of the certificate that calls itself `client_id`.
    pub fn new(directory: &Arc<Directory>, admitted: Admitted, client_id: &str) -> Self {
        let Admitted { tenant, certificate_id, grants } = admitted;
        let client_id_text = client_id.into();
        let client_id = client_id.parse::<ThingName>().ok();
        let client_id = client_id.map(|name| {
            let stripe = directory.things.stripe(tenant, &name);
            (name, stripe)
        });
        let groups = directory.groups.stripe(tenant);
        Self {
            directory: Arc::clone(directory),
            grants,
            tenant,
            certificate_id,
            client_id,
            client_id_text,
            groups,
            with_groups: Mutex::default(),
        }
    }

    /// Counts the changes: of what [`Grants`] follow, of the certificate's things, of the thing that the client id names and the groups
    /// that it is in, and of the policies of the account's thing groups. It may count others'.
    ///
    /// Read it before the rest: what is bound under a generation is never older than it.
    pub fn generation(&self) -> u64 {
        let things = self.client_id.as_ref().map_or(0, |(_, stripe)| self.directory.things.generation(*stripe));
        let groups = self.directory.groups.generation(self.groups);
        // None ever counts down.
        self.grants.generation().wrapping_add(things).wrapping_add(groups)
    }

    /// The policies in force, as [`Grants::policies`]: those of the certificate, and those of the groups of the thing that
    /// the connection stands for, if the certificate is attached to it, and of all groups above them.
    ///
    /// AWS: developer guide, "Static thing groups", "Attach a policy to a thing group".
    pub fn policies(&self) -> Arc<PolicySet> {
        match self.thing().filter(|thing| thing.attached.is_some()) {
            Some(thing) => {
                let groups = self.directory.things.groups(self.tenant, &thing.name);
                let policies = self.grants.policies_with(self.directory.groups.policies(&groups));
                *self.with_groups.lock() = Some(Arc::clone(&policies));
                policies
            }
            None => self.grants.policies(),
        }
    }

    /// User properties, names and values, that each message of the connection gets: those of the type of the thing that it stands for, if its
    /// certificate is attached to it. What the thing has not is left out.
    ///
    /// AWS: developer guide, "Adding propagating attributes for message enrichment". `iot:ClientId` and `iot:Thing.ThingName` are known of
    /// a connection; Unverified: that an attribute of any other name has no value.
    pub fn enrichment(&self) -> Vec<(String, String)> {
        if !self.directory.enrichments.has_any(self.tenant) {
            return Vec::new();
        }
        let Some(thing) = self.thing().filter(|thing| thing.attached.is_some()) else { return Vec::new() };
        let of_type = thing.state.thing_type.as_ref().and_then(|name| self.directory.enrichments.of(self.tenant, name));
        let value = |attribute: &PropagatingAttribute| -> Option<String> {
            match (attribute.thing_attribute.as_deref(), attribute.connection_attribute.as_deref()) {
                (Some(name), _) => thing.state.attribute(name).map(str::to_owned),
                (None, Some("iot:ClientId")) => Some(self.client_id_text.to_string()),
                (None, Some("iot:Thing.ThingName")) => Some(thing.name.to_string()),
                (None, Some(_) | None) => None,
            }
        };
        let named = |attribute: &PropagatingAttribute| Some((attribute.user_property_key.clone()?, value(attribute)?));
        of_type.iter().flat_map(|attributes| attributes.iter()).filter_map(named).collect()
    }

    /// The thing that the connection stands for; see [`Directory::bound_thing`].
    pub fn thing(&self) -> Option<BoundThing> {
        let client_id = self.client_id.as_ref().map(|(name, _)| name);
        self.directory.things.bound(self.tenant, self.certificate_id, client_id)
    }
}

impl fmt::Debug for ConnectionGrants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConnectionGrants").field("grants", &self.grants).finish_non_exhaustive()
    }
}
