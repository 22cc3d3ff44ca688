use std::time::Duration;

use tidegate_ids::{AccountId, Now};
use tidegate_policy::RequestContext;

use super::*;
use crate::{
    AccessKeyStatus, Credential, CredentialRefused, IamError, IdentityKind, NewManagedPolicy, NewRole, RegistryError,
    SessionOf, Verdict,
};

const EVERYTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
const NOTHING: &str = r#"{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}"#;
const TRUST: &str =
    r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}"#;

async fn account(registry: &Registry) -> AccountId {
    registry.create_account(Some(A.parse().unwrap()), at(1)).await.unwrap()
}

async fn user(registry: &Registry, account: AccountId, name: &str) -> Credential {
    registry.create_user(account, name.into(), None, at(2)).await.unwrap();
    let key = registry.create_user_access_key(account, name, at(3)).await.unwrap();
    registry.directory().credential(key.id.as_str(), None, at(4).wall).unwrap().0
}

fn decide(credential: &Credential) -> Verdict {
    let region = "eu-central-1".parse().unwrap();
    let context = RequestContext::at(at(5).wall);
    credential.decide(region, "iot:ListThings", "*", &credential.variables(), &context)
}

fn is_allowed(credential: &Credential) -> bool {
    decide(credential) == Verdict::Allowed
}

#[tokio::test]
async fn a_users_rights_follow_its_policies_at_once() {
    let registry = registry().await;
    let account = account(&registry).await;
    let alice = user(&registry, account, "alice").await;
    assert_eq!(alice.arn().to_string(), format!("arn:aws:iam::{A}:user/alice"));
    assert!(!is_allowed(&alice));
    let name = || "own".parse().unwrap();
    let generation = alice.identity().unwrap().generation();
    registry.put_identity_policy(account, IdentityKind::User, "alice", name(), EVERYTHING.into()).await.unwrap();
    assert!(is_allowed(&alice) && alice.identity().unwrap().generation() > generation);
    let policy = NewManagedPolicy { name: name(), path: None, description: None, document: NOTHING.into() };
    let policy = registry.create_managed_policy(account, policy, at(6)).await.unwrap();
    registry.attach_identity_policy(account, IdentityKind::User, "alice", &policy.arn).await.unwrap();
    assert!(matches!(decide(&alice), Verdict::ExplicitDeny(_)));
    let attached = registry.delete_managed_policy(account, &policy.arn).await;
    assert!(matches!(attached, Err(RegistryError::Iam(IamError::PolicyAttached))));
    registry.detach_identity_policy(account, IdentityKind::User, "alice", &policy.arn).await.unwrap();
    assert!(is_allowed(&alice));
    registry.delete_managed_policy(account, &policy.arn).await.unwrap();
}

#[tokio::test]
async fn who_comes_under_the_name_of_a_deleted_user_is_somebody_else() {
    let registry = registry().await;
    let account = account(&registry).await;
    let first = user(&registry, account, "alice").await;
    let of = |credential: &Credential| SessionOf::Identity {
        role: false,
        name: "alice".into(),
        id: credential.user_id().into(),
        session_name: None,
    };
    let session = |credential: &Credential| {
        registry.new_session(account, of(credential), None, None, Duration::from_secs(900), at(5))
    };
    let old = session(&first);
    registry.delete_access_key(&first.access_key_id).await.unwrap();
    registry.delete_identity(account, IdentityKind::User, "alice").await.unwrap();
    let second = user(&registry, account, "alice").await;
    let name = "own".parse().unwrap();
    registry.put_identity_policy(account, IdentityKind::User, "alice", name, EVERYTHING.into()).await.unwrap();
    assert!(is_allowed(&second) && !is_allowed(&first));
    let known = |session: &crate::NewSession, now: Now| {
        registry.directory().credential(session.access_key_id.as_str(), Some(&session.token), now.wall).map(|(c, _)| c)
    };
    assert_eq!(known(&old, at(6)).unwrap_err(), CredentialRefused::Unknown);
    let new = session(&second);
    assert!(is_allowed(&known(&new, at(6)).unwrap()));
    assert_eq!(known(&new, at(905)).unwrap_err(), CredentialRefused::Expired);
}

#[tokio::test]
async fn an_inactive_key_signs_nothing_and_neither_does_its_session() {
    let registry = registry().await;
    let account = account(&registry).await;
    let key = registry.create_access_key(account, at(2)).await.unwrap();
    let parent = Some(key.id.clone());
    let session = registry.new_session(account, SessionOf::Root, parent, None, Duration::from_secs(900), at(3));
    let known = || registry.directory().credential(session.access_key_id.as_str(), Some(&session.token), at(4).wall);
    let credential = known().unwrap().0;
    assert!(is_allowed(&credential) && credential.is_in_force(registry.directory(), at(4).wall));
    assert!(!credential.is_in_force(registry.directory(), at(904).wall));
    let told = told(&registry);
    registry.update_access_key(account, None, &key.id, AccessKeyStatus::Inactive).await.unwrap();
    assert_eq!(known().unwrap_err(), CredentialRefused::Unknown);
    assert!(!credential.is_in_force(registry.directory(), at(4).wall));
    assert_eq!(*told.lock().unwrap(), [RegistryChange::Credentials { account }]);
    let shown = format!("{session:?} {credential:?}");
    assert!(!shown.contains(session.secret.as_str()) && !shown.contains(session.token.as_str()), "{shown}");
}

#[tokio::test]
async fn names_that_differ_in_case_alone_are_taken_and_not_found() {
    let registry = registry().await;
    let account = account(&registry).await;
    user(&registry, account, "Alice").await;
    let again = registry.create_user(account, "alice".into(), None, at(5)).await;
    assert!(matches!(again, Err(RegistryError::Iam(IamError::IdentityExists { .. }))));
    let other = registry.get_identity(account, IdentityKind::User, "alice").await;
    assert!(matches!(other, Err(RegistryError::Iam(IamError::NoSuchIdentity { .. }))));
    // A role is no user.
    let role = NewRole { name: "alice".into(), trust_policy: TRUST.into(), ..NewRole::default() };
    registry.create_role(account, role, at(6)).await.unwrap();
    let page = registry.list_identities(account, IdentityKind::User, "/", first_page()).await.unwrap();
    assert_eq!(page.items.iter().map(|record| record.name.as_str()).collect::<Vec<_>>(), ["Alice"]);
}

#[tokio::test]
async fn what_was_stored_is_read_again() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let credential = {
        let registry = open(Arc::clone(&store), Box::new(())).await;
        let account = account(&registry).await;
        let alice = user(&registry, account, "alice").await;
        let name = "own".parse().unwrap();
        registry.put_identity_policy(account, IdentityKind::User, "alice", name, EVERYTHING.into()).await.unwrap();
        alice
    };
    let registry = open(store, Box::new(())).await;
    let (again, _) = registry.directory().credential(credential.access_key_id.as_str(), None, at(9).wall).unwrap();
    assert!(is_allowed(&again));
    assert_eq!(again.user_id(), credential.user_id());
}

#[tokio::test]
async fn the_last_use_of_a_key_is_known_at_once_and_written_with_those_of_others() {
    let store = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store) as Arc<dyn Store>, Box::new(())).await;
    let account = account(&registry).await;
    let alice = user(&registry, account, "alice").await;
    let root = registry.create_access_key(account, at(3)).await.unwrap();
    let root = registry.directory().credential(root.id.as_str(), None, at(4).wall).unwrap().0;
    let last_used = async |registry: &Registry, of: &Credential| {
        let (user, last) = registry.access_key_last_used(account, &of.access_key_id).await.unwrap();
        (user, last.map(|last| (last.at, last.service, last.region.to_string())))
    };
    assert_eq!(last_used(&registry, &alice).await, (Some("alice".into()), None));
    let before = store.snapshot().await.unwrap().revision();
    for (service, region, second) in [("iot", "eu-central-1", 5), ("iam", "us-east-1", 7), ("sts", "eu-west-1", 6)] {
        registry.note_access_key_use(&alice, service, region.parse().unwrap(), at(second).wall);
    }
    registry.note_access_key_use(&root, "iot", "eu-central-1".parse().unwrap(), at(8).wall);
    assert_eq!(store.snapshot().await.unwrap().revision(), before, "a use writes nothing");
    let last = Some((at(7).wall, "iam".to_owned(), "us-east-1".to_owned()));
    assert_eq!(last_used(&registry, &alice).await, (Some("alice".into()), last.clone()));
    let foreign = registry.access_key_last_used(B.parse().unwrap(), &alice.access_key_id).await;
    assert!(matches!(foreign, Err(RegistryError::Iam(IamError::NoSuchAccessKey(_)))));

    registry.keep_access_key_uses().await.unwrap();
    let written = store.snapshot().await.unwrap().revision();
    registry.keep_access_key_uses().await.unwrap();
    assert_eq!(store.snapshot().await.unwrap().revision(), written, "nothing was used since");
    let again = open(Arc::clone(&store) as Arc<dyn Store>, Box::new(())).await;
    assert_eq!(last_used(&again, &alice).await, (Some("alice".into()), last));
    assert_eq!(last_used(&again, &root).await, (None, Some((at(8).wall, "iot".to_owned(), "eu-central-1".to_owned()))));
}

#[tokio::test]
async fn of_a_deleted_key_no_use_is_left_and_of_a_session_none_is_noted() {
    let store = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store) as Arc<dyn Store>, Box::new(())).await;
    let account = account(&registry).await;
    let alice = user(&registry, account, "alice").await;
    let rows = async || {
        let read = store.snapshot().await.unwrap();
        read.scan("access-key-uses", &tidegate_kv::KeyRange::all(), 10, Default::default()).await.unwrap().len()
    };
    let region = || "eu-central-1".parse().unwrap();
    registry.note_access_key_use(&alice, "iot", region(), at(5).wall);
    registry.keep_access_key_uses().await.unwrap();
    assert_eq!(rows().await, 1);
    let session = registry.new_session(account, SessionOf::Root, None, None, Duration::from_secs(900), at(6));
    let session =
        registry.directory().credential(session.access_key_id.as_str(), Some(&session.token), at(6).wall).unwrap().0;
    registry.note_access_key_use(&session, "iot", region(), at(6).wall);
    registry.keep_access_key_uses().await.unwrap();
    assert_eq!(rows().await, 1);
    registry.note_access_key_use(&alice, "iot", region(), at(7).wall);
    registry.delete_access_key(&alice.access_key_id).await.unwrap();
    assert_eq!(rows().await, 0);
    registry.keep_access_key_uses().await.unwrap();
    assert_eq!(rows().await, 0);
}
