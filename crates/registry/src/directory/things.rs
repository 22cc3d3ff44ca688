//! Things, and which certificates are attached to them: for policy variables and events.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use parking_lot::RwLock;
use tidegate_ids::{CertificateId, Tenant, ThingName, ThingTypeName};
use tidegate_policy::Variables;

use super::groups::GroupSlot;
use crate::{ThingPrincipalType, ThingRecord};

/// Parts that are locked separately. A power of two.
const SHARDS: usize = 64;
/// Counters that the names of things share: 128 KiB, and of a thousand updates in a second each connection hears one in
/// 16 seconds that is not about its thing.
const STRIPES: usize = 16 * 1024;

/// A thing as policies see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThingState {
    /// Its type.
    pub thing_type: Option<ThingTypeName>,
    /// Its attributes, names and values, in the order of their names: a map would take twice the room.
    pub attributes: Box<[(Box<str>, Box<str>)]>,
}

impl ThingState {
    fn new(record: ThingRecord) -> Self {
        let attributes = record.attributes.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self { thing_type: record.thing_type, attributes: attributes.collect() }
    }

    /// The value of an attribute. O(attributes).
    pub fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| **known == *name).map(|(_, value)| &**value)
    }
}

/// The thing that a connection stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundThing {
    /// Its name.
    pub name: ThingName,
    /// What it is at this moment.
    pub state: Arc<ThingState>,
    /// How the connection's certificate is attached to it; `None`: not at all.
    pub attached: Option<ThingPrincipalType>,
}

impl BoundThing {
    /// Adds what policies can ask about the thing.
    pub fn add_to(&self, variables: &mut Variables) {
        let attributes = self.state.attributes.iter().map(|(name, value)| (&**name, &**value));
        let type_name = self.state.thing_type.as_ref().map(|name| name.as_str());
        variables.thing(self.name.as_str(), type_name, attributes, self.attached.is_some());
    }

    /// Its name, where events of the connection carry it: for exclusive attachments.
    ///
    /// AWS: developer guide, "Lifecycle events", member `thingName`.
    pub fn name_in_events(&self) -> Option<&ThingName> {
        match self.attached {
            Some(ThingPrincipalType::ExclusiveThing) => Some(&self.name),
            Some(ThingPrincipalType::NonExclusiveThing) | None => None,
        }
    }
}

/// All things of all accounts, and the things of each certificate. Measured with 200 000: 255 bytes for a thing with a name of 20
/// characters, 100 more for each short attribute, 220 for an attachment.
///
/// **Invariant:** connections leave no trace here: whoever follows a thing compares a counter, which things whose names have one
/// digest share.
pub(crate) struct Things {
    hasher: RandomState,
    by_name: Box<[RwLock<ByName>]>,
    by_certificate: Box<[RwLock<ByCertificate>]>,
    generations: Box<[AtomicU64]>,
}

type ByName = HashMap<(Tenant, ThingName), Thing>;
type ByCertificate = HashMap<(Tenant, CertificateId), Attachments>;

struct Thing {
    state: Arc<ThingState>,
    /// Whose only thing it is: nearly always one certificate or none.
    exclusive_of: Vec<CertificateId>,
    /// The groups that it is in itself, in ascending order.
    groups: Box<[GroupSlot]>,
}

/// The things of a certificate: nearly always one.
enum Attachments {
    One(ThingName, ThingPrincipalType),
    Several(BTreeMap<ThingName, ThingPrincipalType>),
}

/// Which counter tells of a thing's changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stripe(usize);

impl Things {
    pub(super) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            by_name: (0..SHARDS).map(|_| RwLock::default()).collect(),
            by_certificate: (0..SHARDS).map(|_| RwLock::default()).collect(),
            generations: (0..STRIPES).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// See [`Directory::bound_thing`](super::Directory::bound_thing).
    pub(super) fn bound(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        client_id: Option<&ThingName>,
    ) -> Option<BoundThing> {
        let (name, attached) = {
            let shard = self.certificate_shard(certificate_id).read();
            match (shard.get(&(tenant, certificate_id)), client_id) {
                (Some(Attachments::One(name, kind @ ThingPrincipalType::ExclusiveThing)), _) => {
                    (name.clone(), Some(*kind))
                }
                (_, None) => return None,
                (attachments, Some(client_id)) => {
                    (client_id.clone(), attachments.and_then(|attachments| attachments.kind(client_id)))
                }
            }
        };
        let state = self.state(tenant, &name)?;
        Some(BoundThing { name, state, attached })
    }

    fn state(&self, tenant: Tenant, name: &ThingName) -> Option<Arc<ThingState>> {
        let key = (tenant, name.clone());
        self.name_shard(&key).read().get(&key).map(|thing| Arc::clone(&thing.state))
    }

    /// The thing is there, or changed. Returns whether it was otherwise before.
    pub(super) fn put(&self, tenant: Tenant, name: &ThingName, record: ThingRecord) -> bool {
        let state = ThingState::new(record);
        let key = (tenant, name.clone());
        match self.name_shard(&key).write().entry(key) {
            Entry::Occupied(there) if *there.get().state == state => return false,
            Entry::Occupied(mut there) => there.get_mut().state = Arc::new(state),
            Entry::Vacant(vacant) => {
                vacant.insert(Thing { state: Arc::new(state), exclusive_of: Vec::new(), groups: Box::default() });
            }
        }
        self.count(self.stripe(tenant, name));
        true
    }

    /// There is no such thing any more.
    pub(super) fn remove(&self, tenant: Tenant, name: &ThingName) {
        let key = (tenant, name.clone());
        let removed = self.name_shard(&key).write().remove(&key);
        if removed.is_some() {
            self.count(self.stripe(tenant, name));
        }
    }

    /// The certificates whose exclusive thing this is.
    pub(super) fn exclusive_of(&self, tenant: Tenant, name: &ThingName) -> Vec<CertificateId> {
        let key = (tenant, name.clone());
        self.name_shard(&key).read().get(&key).map_or_else(Vec::new, |thing| thing.exclusive_of.clone())
    }

    /// The certificate is attached to the thing so. Returns whether it was not before.
    pub(super) fn attach(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        name: &ThingName,
        kind: ThingPrincipalType,
    ) -> bool {
        let former = {
            let mut shard = self.certificate_shard(certificate_id).write();
            match shard.entry((tenant, certificate_id)) {
                Entry::Vacant(vacant) => {
                    vacant.insert(Attachments::One(name.clone(), kind));
                    None
                }
                Entry::Occupied(mut there) => there.get_mut().put(name, kind),
            }
        };
        if former == Some(kind) {
            return false;
        }
        self.note_exclusive(tenant, certificate_id, name, kind == ThingPrincipalType::ExclusiveThing);
        true
    }

    /// The certificate is not attached to the thing any more. Returns whether it was.
    pub(super) fn detach(&self, tenant: Tenant, certificate_id: CertificateId, name: &ThingName) -> bool {
        let removed = {
            let mut shard = self.certificate_shard(certificate_id).write();
            let Entry::Occupied(mut there) = shard.entry((tenant, certificate_id)) else { return false };
            match there.get_mut().take(name) {
                Left::Nothing => drop(there.remove()),
                Left::Others => {}
                Left::All => return false,
            }
            true
        };
        self.note_exclusive(tenant, certificate_id, name, false);
        removed
    }

    fn note_exclusive(&self, tenant: Tenant, certificate_id: CertificateId, name: &ThingName, is_exclusive: bool) {
        let key = (tenant, name.clone());
        if let Some(thing) = self.name_shard(&key).write().get_mut(&key) {
            thing.exclusive_of.retain(|other| *other != certificate_id);
            if is_exclusive {
                thing.exclusive_of.reserve_exact(1); // the only one, nearly always
                thing.exclusive_of.push(certificate_id);
            }
        }
    }

    /// The groups that a thing is in itself.
    pub(crate) fn groups(&self, tenant: Tenant, name: &ThingName) -> Box<[GroupSlot]> {
        let key = (tenant, name.clone());
        self.name_shard(&key).read().get(&key).map_or_else(Box::default, |thing| thing.groups.clone())
    }

    /// The thing is in the group. Returns whether it was not before.
    pub(super) fn join(&self, tenant: Tenant, name: &ThingName, group: GroupSlot) -> bool {
        self.change_groups(tenant, name, |groups| match groups.binary_search(&group) {
            Ok(_) => false,
            Err(at) => {
                groups.insert(at, group);
                true
            }
        })
    }

    /// The thing is not in the group any more. Returns whether it was.
    pub(super) fn leave(&self, tenant: Tenant, name: &ThingName, group: GroupSlot) -> bool {
        self.change_groups(tenant, name, |groups| match groups.binary_search(&group) {
            Ok(at) => {
                groups.remove(at);
                true
            }
            Err(_) => false,
        })
    }

    fn change_groups(
        &self,
        tenant: Tenant,
        name: &ThingName,
        change: impl FnOnce(&mut Vec<GroupSlot>) -> bool,
    ) -> bool {
        let key = (tenant, name.clone());
        let changed = {
            let mut shard = self.name_shard(&key).write();
            let Some(thing) = shard.get_mut(&key) else { return false };
            let mut groups = std::mem::take(&mut thing.groups).into_vec();
            let changed = change(&mut groups);
            thing.groups = groups.into();
            changed
        };
        if changed {
            self.count(self.stripe(tenant, name));
        }
        changed
    }

    /// Puts every thing into exactly these groups. Returns the things that were in others.
    pub(super) fn regroup(
        &self,
        mut groups: HashMap<(Tenant, ThingName), BTreeSet<GroupSlot>>,
    ) -> Vec<(Tenant, ThingName)> {
        let mut changed = Vec::new();
        for shard in &self.by_name {
            for (key, thing) in shard.write().iter_mut() {
                let now: Box<[_]> = groups.remove(key).into_iter().flatten().collect();
                if thing.groups != now {
                    thing.groups = now;
                    changed.push(key.clone());
                }
            }
        }
        changed.iter().for_each(|(tenant, name)| self.count(self.stripe(*tenant, name)));
        changed
    }

    /// The counter for a thing of this name, which need not exist.
    pub(super) fn stripe(&self, tenant: Tenant, name: &ThingName) -> Stripe {
        Stripe(self.hasher.hash_one((tenant, name)) as usize % STRIPES)
    }

    /// How often things of this stripe have changed, been made, been deleted, joined and left groups.
    pub(super) fn generation(&self, stripe: Stripe) -> u64 {
        self.generations[stripe.0].load(Ordering::Acquire)
    }

    fn count(&self, stripe: Stripe) {
        self.generations[stripe.0].fetch_add(1, Ordering::Release);
    }

    /// Things that are not kept.
    pub(super) fn absent(&self, keep: &HashSet<(Tenant, ThingName)>) -> Vec<(Tenant, ThingName)> {
        let mut absent = Vec::new();
        for shard in &self.by_name {
            absent.extend(shard.read().keys().filter(|key| !keep.contains(*key)).cloned());
        }
        absent
    }

    /// Attachments that are not kept.
    pub(super) fn detached(
        &self,
        keep: &HashSet<(Tenant, CertificateId, ThingName)>,
    ) -> Vec<(Tenant, CertificateId, ThingName)> {
        let mut detached = Vec::new();
        for shard in &self.by_certificate {
            for ((tenant, id), attachments) in shard.read().iter() {
                let keys = attachments.names().map(|name| (*tenant, *id, name.clone()));
                detached.extend(keys.filter(|key| !keep.contains(key)));
            }
        }
        detached
    }

    pub(super) fn len(&self) -> usize {
        self.by_name.iter().map(|shard| shard.read().len()).sum()
    }

    fn name_shard(&self, key: &(Tenant, ThingName)) -> &RwLock<ByName> {
        &self.by_name[self.hasher.hash_one(key) as usize % SHARDS]
    }

    fn certificate_shard(&self, id: CertificateId) -> &RwLock<ByCertificate> {
        &self.by_certificate[usize::from(id.as_bytes()[31]) % SHARDS]
    }
}

/// What a certificate has after one of its things was taken away.
enum Left {
    Nothing,
    Others,
    /// It did not have the thing.
    All,
}

impl Attachments {
    fn kind(&self, name: &ThingName) -> Option<ThingPrincipalType> {
        match self {
            Self::One(only, kind) => (only == name).then_some(*kind),
            Self::Several(things) => things.get(name).copied(),
        }
    }

    fn names(&self) -> Box<dyn Iterator<Item = &ThingName> + '_> {
        match self {
            Self::One(only, _) => Box::new(std::iter::once(only)),
            Self::Several(things) => Box::new(things.keys()),
        }
    }

    /// Returns how the thing was attached before.
    fn put(&mut self, name: &ThingName, kind: ThingPrincipalType) -> Option<ThingPrincipalType> {
        match self {
            Self::One(only, former) if only == name => Some(std::mem::replace(former, kind)),
            Self::One(only, former) => {
                *self = Self::Several([(only.clone(), *former), (name.clone(), kind)].into());
                None
            }
            Self::Several(things) => things.insert(name.clone(), kind),
        }
    }

    fn take(&mut self, name: &ThingName) -> Left {
        match self {
            Self::One(only, _) if only == name => Left::Nothing,
            Self::One(..) => Left::All,
            Self::Several(things) => {
                if things.remove(name).is_none() {
                    return Left::All;
                }
                if things.len() == 1
                    && let Some((only, kind)) = things.pop_first()
                {
                    *self = Self::One(only, kind);
                }
                Left::Others
            }
        }
    }
}
