//! Custom authorizers: what they must be, their life, and what connections see of them.

use super::*;
use crate::{
    ACTIVE_AUTHORIZERS_MAX, AUTHORIZERS_MAX, AuthorizerStatus, CreateAuthorizer, RegistryError, UpdateAuthorizer,
};

/// An RSA key of 2 048 bits, and one of 1 024.
const KEY: &str = include_str!("../../testdata/rsa2048.pub.pem");
const SHORT: &str = include_str!("../../testdata/rsa1024.pub.pem");
const CURVE: &str = include_str!("../../testdata/p256.pub.pem");
const LAMBDA: &str = "arn:aws:lambda:eu-central-1:111111111111:function:f";

fn request(name: &str) -> CreateAuthorizer {
    CreateAuthorizer {
        name: name.parse().unwrap(),
        function_arn: LAMBDA.into(),
        token_key_name: None,
        token_signing_public_keys: Default::default(),
        status: None,
        signing_disabled: true,
        enable_caching_for_http: false,
        tags: Vec::new(),
    }
}

fn keys(pems: &[&str]) -> std::collections::BTreeMap<String, String> {
    pems.iter().enumerate().map(|(n, pem)| (format!("k{n}"), (*pem).to_owned())).collect()
}

#[tokio::test]
async fn an_authorizer_that_could_never_answer_is_refused() {
    let registry = registry().await;
    let signed = |token: Option<&str>, pems: &[&str]| CreateAuthorizer {
        signing_disabled: false,
        token_key_name: token.map(str::to_owned),
        token_signing_public_keys: keys(pems),
        ..request("a")
    };
    for (number, (request, valid)) in [
        (request("a"), true),
        (CreateAuthorizer { function_arn: String::new(), ..request("a") }, false),
        (signed(Some("token"), &[KEY]), true),
        (signed(Some("token"), &[KEY, KEY]), true),
        (signed(Some("token"), &[KEY, KEY, KEY]), false),
        (signed(None, &[KEY]), false),
        (signed(Some("token"), &[]), false),
        (signed(Some("token"), &["no key"]), false),
        (signed(Some("token"), &[SHORT]), false),
        (signed(Some("token"), &[CURVE]), false),
    ]
    .into_iter()
    .enumerate()
    {
        let request = CreateAuthorizer { name: format!("a{number}").parse().unwrap(), ..request };
        let made = registry.create_authorizer(tenant(A), request, at(1)).await;
        assert_eq!(made.is_ok(), valid, "{number}: {made:?}");
        assert!(valid || matches!(made, Err(RegistryError::InvalidRequest(_))), "{number}: {made:?}");
    }
}

#[tokio::test]
async fn an_authorizer_lives_and_the_directory_shows_it() {
    let (registry, a) = (registry().await, tenant(A));
    let name = || "a".parse().unwrap();
    let directory = registry.directory();
    let made = registry.create_authorizer(a, request("a"), at(1)).await.unwrap();
    assert_eq!(made.arn().to_string(), "arn:aws:iot:eu-central-1:111111111111:authorizer/a");
    assert_eq!(made.record.status, AuthorizerStatus::Inactive);
    assert!(!directory.authorizer(a, &name()).unwrap().is_active());
    assert!(directory.authorizer(tenant(B), &name()).is_none());
    let again = registry.create_authorizer(a, request("a"), at(2)).await;
    assert!(matches!(again, Err(RegistryError::AuthorizerExists(..))), "{again:?}");

    let update = UpdateAuthorizer { status: Some(AuthorizerStatus::Active), ..Default::default() };
    let updated = registry.update_authorizer(a, name(), update, at(3)).await.unwrap();
    assert_eq!((updated.record.created, updated.record.modified), (at(1).wall, at(3).wall));
    assert_eq!(*directory.authorizer(a, &name()).unwrap(), updated);
    let active = registry.delete_authorizer(a, &name()).await;
    assert!(matches!(active, Err(RegistryError::AuthorizerActive(_))), "{active:?}");

    assert!(directory.default_authorizer(a).is_none());
    assert!(matches!(registry.describe_default_authorizer(a).await, Err(RegistryError::NoDefaultAuthorizer)));
    registry.set_default_authorizer(a, name()).await.unwrap();
    registry.set_default_authorizer(a, name()).await.unwrap();
    assert_eq!(directory.default_authorizer(a).unwrap().name, name());
    registry.create_authorizer(a, request("b"), at(4)).await.unwrap();
    let other = registry.set_default_authorizer(a, "b".parse().unwrap()).await;
    assert!(matches!(other, Err(RegistryError::DefaultAuthorizerExists(..))), "{other:?}");

    let update = UpdateAuthorizer { status: Some(AuthorizerStatus::Inactive), ..Default::default() };
    registry.update_authorizer(a, name(), update, at(5)).await.unwrap();
    let default = registry.delete_authorizer(a, &name()).await;
    assert!(matches!(default, Err(RegistryError::AuthorizerIsDefault(_))), "{default:?}");
    registry.clear_default_authorizer(a).await.unwrap();
    assert!(matches!(registry.clear_default_authorizer(a).await, Err(RegistryError::NoDefaultAuthorizer)));
    registry.delete_authorizer(a, &name()).await.unwrap();
    assert!(directory.authorizer(a, &name()).is_none());
    assert!(matches!(registry.describe_authorizer(a, name()).await, Err(RegistryError::AuthorizerNotFound(_))));
}

#[tokio::test]
async fn listings_go_by_the_alphabet_and_by_status() {
    let (registry, a) = (registry().await, tenant(A));
    for (name, status) in
        [("b", AuthorizerStatus::Active), ("c", AuthorizerStatus::Inactive), ("a", AuthorizerStatus::Active)]
    {
        let request = CreateAuthorizer { status: Some(status), ..request(name) };
        registry.create_authorizer(a, request, at(1)).await.unwrap();
    }
    let names = |items: Vec<tidegate_ids::AuthorizerName>| -> Vec<String> {
        items.iter().map(|name| name.as_str().to_owned()).collect()
    };
    for (status, ascending, expected) in [
        (None, true, vec!["a", "b", "c"]),
        (None, false, vec!["c", "b", "a"]),
        (Some(AuthorizerStatus::Active), true, vec!["a", "b"]),
        (Some(AuthorizerStatus::Inactive), true, vec!["c"]),
    ] {
        let page = PageRequest { ascending, ..Default::default() };
        let found = registry.list_authorizers(a, status, page).await.unwrap();
        assert_eq!(names(found.items), expected);
        assert_eq!(found.next_marker, None);
    }
    let (mut marker, mut seen) = (None, Vec::new());
    loop {
        let page = PageRequest { size: Some(1), marker, ascending: true };
        let found = registry.list_authorizers(a, None, page).await.unwrap();
        seen.extend(names(found.items));
        marker = found.next_marker;
        if marker.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["a", "b", "c"]);
}

#[tokio::test]
async fn an_account_has_so_many_authorizers_and_fewer_that_are_active() {
    let (registry, a) = (registry().await, tenant(A));
    for n in 0..ACTIVE_AUTHORIZERS_MAX {
        let request = CreateAuthorizer { status: Some(AuthorizerStatus::Active), ..request(&format!("a{n}")) };
        registry.create_authorizer(a, request, at(1)).await.unwrap();
    }
    let one_more = CreateAuthorizer { status: Some(AuthorizerStatus::Active), ..request("more") };
    let refused = registry.create_authorizer(a, one_more, at(1)).await;
    assert!(matches!(refused, Err(RegistryError::TooManyActiveAuthorizers(_))), "{refused:?}");
    for n in ACTIVE_AUTHORIZERS_MAX..AUTHORIZERS_MAX {
        registry.create_authorizer(a, request(&format!("a{n}")), at(1)).await.unwrap();
    }
    let refused = registry.create_authorizer(a, request("more"), at(1)).await;
    assert!(matches!(refused, Err(RegistryError::TooManyAuthorizers(_))), "{refused:?}");
    let update = || UpdateAuthorizer { status: Some(AuthorizerStatus::Active), ..Default::default() };
    let refused = registry.update_authorizer(a, "a99".parse().unwrap(), update(), at(2)).await;
    assert!(matches!(refused, Err(RegistryError::TooManyActiveAuthorizers(_))), "{refused:?}");
    registry.update_authorizer(a, "a0".parse().unwrap(), update(), at(2)).await.unwrap();
}
