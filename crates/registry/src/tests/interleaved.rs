//! Two operations on things at the same moment, in the worst order there is: one reads and decides, the other comes and goes, and then
//! the first commits. What is left behind must be whole, whatever the two were.

use parking_lot::Mutex;
use tidegate_ids::CertificateId;
use tidegate_kv::{BoxFuture, Changes, CommitError, Revision, Snapshot, StoreError, Transaction};

use super::{material::self_signed, thing_agreement::check_indexes, *};
use crate::{
    AttributePayload, CreateThing, RegistryError, ThingPrincipal, ThingPrincipalType::*, ThingTypeProperties,
    UpdateThing,
};

/// A store whose next commit lets somebody else go first.
struct Polite {
    store: Arc<dyn Store>,
    first: Mutex<Option<BoxFuture<'static, ()>>>,
}

impl Store for Polite {
    fn snapshot(&self) -> BoxFuture<'_, Result<Snapshot, StoreError>> {
        self.store.snapshot()
    }

    fn commit(&self, transaction: Transaction) -> BoxFuture<'_, Result<Revision, CommitError>> {
        Box::pin(async move {
            let first = self.first.lock().take();
            if let Some(first) = first {
                first.await;
            }
            self.store.commit(transaction).await
        })
    }

    fn changes(&self, from: Revision) -> Changes {
        self.store.changes(from)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Attach(&'static str, bool),
    Detach(&'static str),
    DeleteThing(&'static str),
    CreateTyped,
    GiveType(&'static str),
    DeleteType,
    UpdateThing(&'static str),
    DeleteCertificate,
    TransferCertificate,
}

const ACTS: [Act; 13] = [
    Act::Attach("t", true),
    Act::Attach("t", false),
    Act::Attach("u", true),
    Act::Attach("u", false),
    Act::Detach("t"),
    Act::DeleteThing("t"),
    Act::DeleteThing("u"),
    Act::CreateTyped,
    Act::GiveType("t"),
    Act::DeleteType,
    Act::UpdateThing("t"),
    Act::DeleteCertificate,
    Act::TransferCertificate,
];

async fn play(registry: &Registry, act: Act, id: CertificateId) -> Result<(), RegistryError> {
    let (owner, principal, now) = (tenant(A), ThingPrincipal::Certificate(id), at(10));
    let thing = |name: &str| name.parse().unwrap();
    let kind = || "k".parse().unwrap();
    let update = |name: &str| UpdateThing {
        name: thing(name),
        thing_type: None,
        remove_thing_type: false,
        attributes: super::things::payload(&[("a", "2"), ("b", "3")], true),
        expected_version: None,
    };
    match act {
        Act::Attach(name, exclusive) => {
            let kind = if exclusive { ExclusiveThing } else { NonExclusiveThing };
            registry.attach_thing_principal(owner, &thing(name), principal, kind).await
        }
        Act::Detach(name) => registry.detach_thing_principal(owner, &thing(name), principal).await,
        Act::DeleteThing(name) => registry.delete_thing(owner, thing(name), None).await,
        Act::CreateTyped => {
            let attributes = AttributePayload::default();
            let request = CreateThing { name: thing("typed"), thing_type: Some(kind()), attributes };
            registry.create_thing(owner, request, now).await.map(drop)
        }
        Act::GiveType(name) => {
            registry.update_thing(owner, UpdateThing { thing_type: Some(kind()), ..update(name) }, now).await
        }
        Act::DeleteType => {
            registry.deprecate_thing_type(owner, &kind(), false, now).await?;
            registry.delete_thing_type(owner, &kind(), at(1000)).await
        }
        Act::UpdateThing(name) => registry.update_thing(owner, update(name), now).await,
        Act::DeleteCertificate => registry.delete_certificate(owner, id, true).await,
        Act::TransferCertificate => {
            registry.transfer_certificate(owner, id, B.parse().unwrap(), None, now).await.map(drop)
        }
    }
}

/// Two things, a thing type, and a certificate that has the first thing (exclusively, or not) or none.
async fn prepare(registry: &Registry, pem: &str, attached: Option<bool>) -> CertificateId {
    let owner = tenant(A);
    for name in ["t", "u"] {
        registry.create_thing(owner, super::things::new(name, &[("a", "1")]), at(1)).await.unwrap();
    }
    let properties = ThingTypeProperties { searchable_attributes: vec!["a".into()], ..Default::default() };
    registry.create_thing_type(owner, "k".parse().unwrap(), properties, Vec::new(), at(1)).await.unwrap();
    let id = registry.register_certificate_without_ca(owner, pem, None, at(1)).await.unwrap();
    if let Some(exclusive) = attached {
        play(registry, Act::Attach("t", exclusive), id).await.unwrap();
    }
    id
}

#[tokio::test]
async fn whatever_comes_between_decision_and_commit_leaves_things_whole() {
    let pem = self_signed("d");
    let mut interleaved = 0;
    for attached in [None, Some(false), Some(true)] {
        for (decided, between) in ACTS.into_iter().flat_map(|one| ACTS.map(|other| (one, other))) {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let other = open(Arc::clone(&store), Box::new(())).await;
            let id = prepare(&other, &pem, attached).await;
            let polite = Arc::new(Polite { store: Arc::clone(&store), first: Mutex::new(None) });
            let registry = open(Arc::<Polite>::clone(&polite), Box::new(())).await;
            let (came, meanwhile) = (Arc::new(Mutex::new(None)), other.clone());
            let outcome = Arc::clone(&came);
            *polite.first.lock() = Some(Box::pin(async move {
                *outcome.lock() = Some(play(&meanwhile, between, id).await.map_err(|error| error.to_string()));
            }));
            let done = play(&registry, decided, id).await.map_err(|error| error.to_string());
            let came = came.lock().take();
            interleaved += usize::from(came.is_some());
            let read = store.snapshot().await.unwrap();
            check_indexes(&read).await.unwrap_or_else(|error| {
                panic!("{error}: {decided:?} ({done:?}), and {between:?} ({came:?}) in between; attached: {attached:?}")
            });
        }
    }
    // Refusals, and what changes nothing, are decided without a commit.
    assert!(interleaved > ACTS.len() * ACTS.len(), "{interleaved}");
}
