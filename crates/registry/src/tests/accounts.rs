use super::*;
use crate::{AccessKeyStatus, RegistryError};

#[tokio::test]
async fn an_account_is_made_once() {
    let registry = registry().await;
    let id = A.parse().unwrap();
    assert_eq!(registry.create_account(Some(id), at(1)).await.unwrap(), id);
    let again = registry.create_account(Some(id), at(2)).await;
    assert!(matches!(again, Err(RegistryError::AccountExists(taken)) if taken == id));
    let other = registry.create_account(None, at(3)).await.unwrap();
    let listed: Vec<_> = registry.list_accounts().await.unwrap().into_iter().map(|account| account.id).collect();
    assert_eq!(listed.len(), 2);
    assert!(listed.contains(&other) && listed.contains(&id));
}

#[tokio::test]
async fn an_access_key_opens_its_secret_until_it_is_deleted() {
    let registry = registry().await;
    let account = registry.create_account(Some(A.parse().unwrap()), at(1)).await.unwrap();
    let key = registry.create_access_key(account, at(2)).await.unwrap();
    assert_eq!(key.id.as_str().len(), 20);
    assert_eq!(key.secret.len(), 40);
    let found = registry.directory().credential(key.id.as_str(), None, at(3).wall);
    let (found, secret) = found.unwrap();
    assert_eq!((found.account, secret.as_bytes()), (account, key.secret.as_bytes()));
    let shown = format!("{found:?} {secret:?} {key:?}");
    assert!(!shown.contains(key.secret.as_str()), "{shown}");
    let listed = registry.list_access_keys(account).await.unwrap();
    assert_eq!(
        listed.iter().map(|key| (&key.id, key.status)).collect::<Vec<_>>(),
        [(&key.id, AccessKeyStatus::Active)]
    );
    registry.delete_access_key(&key.id).await.unwrap();
    assert!(registry.directory().credential(key.id.as_str(), None, at(4).wall).is_err());
    assert!(!found.is_in_force(registry.directory(), at(4).wall));
    assert!(matches!(registry.delete_access_key(&key.id).await, Err(RegistryError::AccessKeyNotFound(_))));
}

#[tokio::test]
async fn an_unknown_account_has_no_keys() {
    let registry = registry().await;
    let nobody = B.parse().unwrap();
    assert!(matches!(registry.create_access_key(nobody, at(1)).await, Err(RegistryError::AccountNotFound(_))));
    assert!(matches!(registry.list_access_keys(nobody).await, Err(RegistryError::AccountNotFound(_))));
}

#[tokio::test]
async fn no_secret_is_stored_in_the_clear() {
    let store = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store) as Arc<dyn Store>, Box::new(())).await;
    let account = registry.create_account(None, at(1)).await.unwrap();
    let key = registry.create_access_key(account, at(2)).await.unwrap();
    let read = store.snapshot().await.unwrap();
    let rows = read.scan("access-keys", &tidegate_kv::KeyRange::all(), 10, Default::default()).await.unwrap();
    assert_eq!(rows.len(), 1);
    let secret = key.secret.as_bytes();
    assert!(!rows[0].row.value.windows(secret.len()).any(|part| part == secret));
}

#[tokio::test]
async fn the_brokers_own_cas_and_certificates_survive_a_restart() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let registry = open(Arc::clone(&store), Box::new(())).await;
    let validity = crate::Validity { not_before: at(0).wall, not_after: at(86_400).wall };
    let names = ["localhost".to_owned(), "127.0.0.1".to_owned()];
    let issued = registry.issue_server_certificate("default", &names, validity, at(1)).await.unwrap();
    let ca = registry.server_ca_pem();
    assert!(issued.chain_pem.ends_with(&ca));
    drop(registry);
    let registry = open(store, Box::new(())).await;
    assert_eq!(registry.server_ca_pem(), ca);
    assert_eq!(registry.server_certificate_dates().await.unwrap(), [("default".to_owned(), validity)]);
    let stored = registry.server_certificate("default").await.unwrap().unwrap();
    assert_eq!((&*stored.name, &stored.names[..]), ("default", &names[..]));
    assert_eq!(stored.key_pkcs8, issued.key_pkcs8);
    assert_eq!(stored.validity, validity);
    assert!(registry.server_certificate("other").await.unwrap().is_none());
}

#[tokio::test]
async fn settings_are_kept() {
    let registry = registry().await;
    assert_eq!(registry.setting("first").await.unwrap(), None);
    registry.put_setting("first", serde_json::json!({"a": 1})).await.unwrap();
    assert_eq!(registry.setting("first").await.unwrap(), Some(serde_json::json!({"a": 1})));
}
