//! The registry as a whole, and the shell around every decision: read, decide, commit, show.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
    time::Duration,
};

use tidegate_ids::{AccountId, Now, Tenant};
use tidegate_kv::{CommitError, Revision, Snapshot, Store, StoreError, Transaction};
use tidegate_pki::seal::MasterKey;

use crate::{
    Chance, Directory, FaultPoints, GenerationId, Propagated, RegistryChange, RegistryError, RegistryEvent, ResourceId,
    connect::Registrations,
    directory::{Feed, endpoint_prefix},
    events,
    iam::KeyUses,
    operations::Issuers,
};

/// What a registry is made of.
pub struct Parts {
    /// Where the rows are.
    pub store: Arc<dyn Store>,
    /// What seals the secrets in the rows.
    pub master_key: MasterKey,
    /// Random bytes for codes, keys and serial numbers.
    pub chance: Box<dyn Chance>,
    /// See [`Settings`].
    pub settings: Settings,
    /// `Box::new(())`, except in tests that stop the process at a named point.
    pub faults: Box<dyn FaultPoints>,
}

/// What the configuration says about the registry.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// `mqtt.endpoint_domain`: accounts have endpoints below it, `<prefix>-ats.iot.<region>.<domain>`. None: every
    /// account shares the plain host name.
    pub endpoint_domain: Option<String>,
    /// The names of the broker itself, which no account may have: DNS names (a leading `*.` is allowed) and addresses.
    pub host_names: Vec<String>,
    /// The accounts whose transfer notices are kept until somebody says that they were told.
    pub transfer_notices_for: BTreeSet<AccountId>,
    /// How long the devices' edge does not see a change of certificates, CA certificates, policies, things and their groups; zero: it
    /// is seen at once, and nothing is kept twice.
    ///
    /// AWS: developer guide, "AWS IoT Core policies": changes take minutes, for policies are cached. Whoever sets it calls
    /// [`Registry::propagate`].
    pub propagation_delay: Duration,
}

/// What accounts own. A clone is the same registry.
#[derive(Clone)]
pub struct Registry(Arc<Inner>);

struct Inner {
    store: Arc<dyn Store>,
    directory: Arc<Directory>,
    feed: Feed,
    master_key: Arc<MasterKey>,
    issuers: Issuers,
    registrations: Registrations,
    key_uses: KeyUses,
    chance: Box<dyn Chance>,
    settings: Settings,
    faults: Box<dyn FaultPoints>,
    /// Who publishes events.
    events: OnceLock<Box<EventListener>>,
}

/// Told of registry events.
type EventListener = dyn Fn(&RegistryEvent) + Send + Sync;

impl Registry {
    /// Reads every row that the [`Directory`] keeps, and makes the broker's own CAs if there are none yet.
    ///
    /// The store's schema has been opened before. Takes a few microseconds per certificate.
    pub async fn open(parts: Parts, now: Now) -> Result<Self, RegistryError> {
        let Parts { store, master_key, chance, settings, faults } = parts;
        let master_key = Arc::new(master_key);
        let new_directory = || Arc::new(Directory::new(&settings, Arc::clone(&master_key)));
        let directory = new_directory();
        let delay = settings.propagation_delay;
        let late = (!delay.is_zero()).then(|| (new_directory(), delay));
        let feed = Feed::open(Arc::clone(&store), Arc::clone(&directory), late).await?;
        let issuers = Issuers::open(&*store, &master_key, now).await?;
        let registrations = Registrations::default();
        let inner = Inner {
            store,
            directory,
            feed,
            master_key,
            issuers,
            registrations,
            key_uses: KeyUses::default(),
            chance,
            settings,
            faults,
            events: OnceLock::new(),
        };
        Ok(Self(Arc::new(inner)))
    }

    /// What is stored, as the API sees it.
    pub fn directory(&self) -> &Arc<Directory> {
        &self.0.directory
    }

    /// What the devices' edge asks: the [`directory`](Self::directory) itself, or with a
    /// [delay](Settings::propagation_delay) what it was.
    ///
    /// Access keys, users, roles, accounts and authorizers are the same in both.
    pub fn propagated(&self) -> &Arc<Directory> {
        self.0.feed.propagated()
    }

    /// As [`Self::on_change`], once [`Self::propagated`] shows the change.
    pub fn on_propagated(&self, listener: impl Fn(&RegistryChange) + Send + Sync + 'static) {
        self.0.feed.on_propagated(Box::new(listener));
    }

    /// How many changes the devices' edge has not seen yet, and how long each takes.
    pub fn propagating(&self) -> (usize, Duration) {
        self.0.feed.propagating()
    }

    /// Lets the devices' edge see what has waited for [`Settings::propagation_delay`]. Changes wait from the first call after they
    /// were made; to be called again when [`Propagated::next`] has passed, and at each [`departure`](Self::departure).
    ///
    /// # Errors
    /// When a row cannot be read; what the edge sees is then stale and the process should end.
    pub fn propagate(&self, now: Now) -> Result<Propagated, RegistryError> {
        Ok(self.0.feed.propagate(now.monotonic)?)
    }

    /// Returns when changes have been made that the devices' edge does not see yet; never without a delay.
    pub async fn departure(&self) {
        self.0.feed.departure().await;
    }

    /// Calls `listener` after each change, in order, from whatever task applied it. It must not block, await or
    /// add listeners; a listener stays for the registry's life. Add listeners before clients are served.
    pub fn on_change(&self, listener: impl Fn(&RegistryChange) + Send + Sync + 'static) {
        self.0.feed.on_change(Box::new(listener));
    }

    /// Calls `listener` with each event that an account has switched on, once what caused it is durable, from the task that caused it: on
    /// the node that made the change only. It must not block. Only the first listener counts.
    pub fn on_event(&self, listener: impl Fn(&RegistryEvent) + Send + Sync + 'static) {
        let _ = self.0.events.set(Box::new(listener));
    }

    /// Follows the store's changes until the store closes: changes that others made, and those whose own operation
    /// was abandoned. Run it as one task for the life of the process.
    ///
    /// # Errors
    /// When a row cannot be read; the directory is then stale and the process should end.
    pub async fn run_directory(&self) -> Result<(), RegistryError> {
        self.0.feed.run().await
    }

    /// The endpoint of an account, as SNI and DescribeEndpoint name it: `<prefix>-ats.iot.<region>.<domain>`; `None`
    /// without an endpoint domain.
    ///
    /// AWS: DescribeEndpoint, `iot:Data-ATS`. Decision: the prefix is made of the account alone; the region follows in the name.
    pub fn endpoint(&self, tenant: Tenant) -> Option<String> {
        let domain = self.0.settings.endpoint_domain.as_ref()?;
        Some(format!("{}-ats.iot.{}.{domain}", endpoint_prefix(tenant.account), tenant.region))
    }

    /// Reads a snapshot, decides, commits, decides again on conflict; then waits until the directory shows it.
    pub(crate) async fn change<T, D>(&self, mut decide: impl FnMut(Snapshot) -> D) -> Result<T, RegistryError>
    where
        D: Future<Output = Result<(Transaction, T), RegistryError>>,
    {
        let listener = self.0.events.get();
        let decide = |read: Snapshot| {
            let deciding = decide(read.clone());
            async move {
                let (transaction, answer) = deciding.await?;
                let events = match listener {
                    Some(_) => events::thing::of(&read, &transaction).await?,
                    None => Vec::new(),
                };
                Ok::<_, RegistryError>((transaction, (answer, events)))
            }
        };
        let ((answer, events), revision) = tidegate_kv::commit_with(&*self.0.store, decide).await?;
        self.0.feed.catch_up(revision).await?;
        listener.into_iter().for_each(|listener| events.iter().for_each(listener));
        Ok(answer)
    }

    /// As [`Self::change`], for rows that the directory does not keep: nobody waits for it.
    pub(crate) async fn change_unseen<T, D>(&self, decide: impl FnMut(Snapshot) -> D) -> Result<T, RegistryError>
    where
        D: Future<Output = Result<(Transaction, T), RegistryError>>,
    {
        let (answer, _) = tidegate_kv::commit_with(&*self.0.store, decide).await?;
        Ok(answer)
    }

    /// Commits what was decided from memory; then waits until the directory shows it. `false`: a precondition does not
    /// hold.
    pub(crate) async fn commit(&self, transaction: Transaction) -> Result<bool, RegistryError> {
        match self.0.store.commit(transaction).await {
            Ok(revision) => self.0.feed.catch_up(revision).await.map(|()| true),
            Err(CommitError::Conflict) => Ok(false),
            Err(CommitError::Store(error)) => Err(error.into()),
        }
    }

    /// The newest transaction that the devices' edge surely sees: what is read from [`Self::propagated`] afterwards is no older.
    pub(crate) fn seen(&self) -> Revision {
        self.0.feed.seen()
    }

    /// Waits until the directory shows everything that is committed now.
    #[cfg(test)]
    pub(crate) async fn show(&self) -> Result<(), RegistryError> {
        let newest = self.read().await?.revision();
        self.0.feed.catch_up(newest).await
    }

    /// The rows as they are now.
    pub(crate) async fn read(&self) -> Result<Snapshot, StoreError> {
        self.0.store.snapshot().await
    }

    pub(crate) fn chance(&self) -> &dyn Chance {
        &*self.0.chance
    }

    pub(crate) fn faults(&self) -> &dyn FaultPoints {
        &*self.0.faults
    }

    pub(crate) fn master_key(&self) -> &MasterKey {
        &self.0.master_key
    }

    /// Whether somebody tells this account of what is offered to it.
    pub(crate) fn is_told_of_transfers(&self, account: AccountId) -> bool {
        self.0.settings.transfer_notices_for.contains(&account)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.0.settings
    }

    pub(crate) fn issuers(&self) -> &Issuers {
        &self.0.issuers
    }

    pub(crate) fn registrations(&self) -> &Registrations {
        &self.0.registrations
    }

    pub(crate) fn key_uses(&self) -> &KeyUses {
        &self.0.key_uses
    }

    pub(crate) fn resource_id(&self) -> ResourceId {
        ResourceId::from_random(self.chance().bytes())
    }

    pub(crate) fn generation_id(&self) -> GenerationId {
        GenerationId::from_random(self.chance().bytes())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}
