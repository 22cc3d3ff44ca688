//! Whatever one account does with the ids of another, it sees nothing of it and changes nothing.

use std::{collections::BTreeSet, fs};

use proptest::{collection::vec, prelude::*, sample::Index};
use tidegate_ids::{
    AuthorizerName, CertificateId, DomainConfigurationName, PolicyName, ThingGroupName, ThingName, ThingTypeName,
};
use tidegate_kv::Revision;
use tidegate_pki::{ClientLeaf, PrivateKey};
use tidegate_shadow::{Place, Update};

use super::{material::Ca, *};
use crate::{
    AttributePayload, AuthorizerStatus, CertificateStatus, CreateAuthorizer, CreateDomainConfiguration, CreateThing,
    CreateThingGroup, DomainConfigurationStatus, PolicyTarget, PolicyVersionId, RegisterCertificate, Subject, Tag,
    TaggedResource, ThingFilter, ThingGroupFilter, ThingPrincipal, ThingPrincipalType, ThingTypeProperties,
    UpdateAuthorizer, UpdateCaCertificate, UpdateDomainConfiguration, UpdateThing, UpdateThingGroup,
};

/// Files in `operations` that are no operation of an account: what they hold is the process's, or shared.
const OF_NOBODY: [&str; 6] = ["accounts", "issuers", "mod", "server_certificates", "settings", "transfer_notices"];
/// A third account, to transfer to.
const C: &str = "333333333333";
/// In every text that the first account gives.
const SECRET: &str = "of-a-alone";
/// The names that both accounts use.
const NAMES: [&str; 2] = ["one", "two"];

/// Every operation there is, by the name of its file: one that is new has no arm in [`attempt`], which then panics.
fn operations() -> BTreeSet<String> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/operations");
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.filter_map(|name| name.strip_suffix(".rs").map(str::to_owned));
    names.filter(|name| !OF_NOBODY.contains(&&**name)).collect()
}

/// What the first account has. Certificates are costly to make.
struct Victim {
    ca: Ca,
    /// Active and attached; offered to the third account; pending activation.
    leaves: Vec<ClientLeaf>,
    code: String,
}

fn attributes() -> AttributePayload {
    let attributes = [("floor".to_owned(), SECRET.to_owned())].into_iter().collect();
    AttributePayload { attributes: Some(attributes), merge: false }
}

fn tags() -> Vec<Tag> {
    vec![Tag { key: "k".into(), value: SECRET.into() }]
}

fn policy(topic: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:*","Resource":"*{topic}"}}]}}"#)
}

fn name<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is a name"))
}

fn shadow_update(text: &str) -> Update {
    Update::read(format!(r#"{{"state": {{"desired": {{"a": "{text}"}}}}}}"#).as_bytes()).1.unwrap()
}

fn authorizer(called: &str, secret: &str) -> CreateAuthorizer {
    CreateAuthorizer {
        name: name(called),
        function_arn: secret.into(),
        token_key_name: Some(secret.into()),
        token_signing_public_keys: Default::default(),
        status: Some(AuthorizerStatus::Inactive),
        signing_disabled: true,
        enable_caching_for_http: false,
        tags: vec![Tag { key: "k".into(), value: secret.into() }],
    }
}

fn domain(called: &str, domain_name: &str, secret: &str) -> CreateDomainConfiguration {
    CreateDomainConfiguration {
        name: name(called),
        domain_name: Some(domain_name.to_owned()),
        server_certificate_arn: None,
        validation_certificate_arn: None,
        authorizer_config: None,
        security_policy: None,
        authentication_type: None,
        application_protocol: None,
        tags: vec![Tag { key: "k".into(), value: secret.into() }],
    }
}

/// Gives the first account some of everything.
async fn settle(registry: &Registry) -> Victim {
    let owner = tenant(A);
    let ca = Ca::new("the first account's CA");
    let request = crate::RegisterCaCertificate { set_as_active: true, tags: tags(), ..ca.sni_only() };
    registry.register_ca_certificate(owner, request, at(1)).await.unwrap();
    let code = registry.get_registration_code(owner, at(1)).await.unwrap().to_string();
    let leaves: Vec<ClientLeaf> = (0..3).map(|n| ca.leaf(&format!("leaf {n}"))).collect();
    for (leaf, status) in
        leaves.iter().zip([CertificateStatus::Active, CertificateStatus::Inactive, CertificateStatus::Active])
    {
        let input = RegisterCertificate { certificate_pem: leaf.pem(), status: Some(status), ..Default::default() };
        registry.register_certificate(owner, input, at(2)).await.unwrap();
    }
    for one in NAMES {
        registry.create_policy(owner, name(one), policy(SECRET), tags(), at(3)).await.unwrap();
        registry.create_policy_version(owner, name(one), policy(SECRET), false, at(3)).await.unwrap();
        let target = PolicyTarget::Certificate(leaves[0].certificate_id());
        registry.attach_policy(owner, &name(one), target).await.unwrap();
        let properties = ThingTypeProperties { description: Some(SECRET.into()), ..Default::default() };
        registry.create_thing_type(owner, name(one), properties, tags(), at(4)).await.unwrap();
        let thing = CreateThing { name: name(one), thing_type: Some(name(one)), attributes: attributes() };
        registry.create_thing(owner, thing, at(4)).await.unwrap();
        let group = CreateThingGroup {
            name: name(one),
            parent: None,
            description: Some(SECRET.into()),
            attributes: attributes(),
            tags: tags(),
        };
        registry.create_thing_group(owner, group, at(4)).await.unwrap();
        registry.attach_policy(owner, &name(one), PolicyTarget::ThingGroup(name(one))).await.unwrap();
        registry.create_authorizer(owner, authorizer(one, SECRET), at(4)).await.unwrap();
        let own = domain(one, &format!("{one}.example.com"), SECRET);
        registry.create_domain_configuration(owner, own, at(4)).await.unwrap();
        registry.add_thing_to_thing_group(owner, &name(one), &name(one)).await.unwrap();
        for shadow in [None, Some(name("shadow"))] {
            let place = Place { thing: name(one), shadow };
            registry.update_thing_shadow(owner, &place, &shadow_update(SECRET), at(4)).await.unwrap().unwrap();
        }
    }
    registry.set_default_authorizer(owner, name(NAMES[0])).await.unwrap();
    let principal = ThingPrincipal::Certificate(leaves[0].certificate_id());
    registry
        .attach_thing_principal(owner, &name("one"), principal, ThingPrincipalType::NonExclusiveThing)
        .await
        .unwrap();
    let (offered, to) = (leaves[1].certificate_id(), tenant(C).account);
    registry.transfer_certificate(owner, offered, to, Some(SECRET.into()), at(5)).await.unwrap();
    Victim { ca, leaves, code }
}

/// Which of the first account's ids a call names, and how it is meant.
#[derive(Debug, Clone)]
struct Pick {
    leaf: Index,
    named: Index,
    yes: bool,
    status: Index,
}

fn pick() -> impl Strategy<Value = Pick> {
    (any::<Index>(), any::<Index>(), any::<bool>(), any::<Index>()).prop_map(|(leaf, named, yes, status)| Pick {
        leaf,
        named,
        yes,
        status,
    })
}

/// The second account calls `operation` with the first one's ids; all that it is answered, as text.
async fn attempt(registry: &Registry, operation: &str, pick: &Pick, victim: &Victim, now: Now) -> String {
    let b = tenant(B);
    let leaf = &victim.leaves[pick.leaf.index(3)];
    let (id, ca): (CertificateId, _) = (leaf.certificate_id(), victim.ca.id());
    let called = NAMES[pick.named.index(NAMES.len())];
    let (policy_name, version): (PolicyName, PolicyVersionId) =
        (name(called), if pick.yes { name("1") } else { name("2") });
    let (thing, group, kind): (ThingName, ThingGroupName, ThingTypeName) = (name(called), name(called), name(called));
    let authorizer_name: AuthorizerName = name(called);
    let domain_name: DomainConfigurationName = name(called);
    let shadow = Place { thing: name(called), shadow: pick.yes.then(|| name("shadow")) };
    let status = CertificateStatus::ALL[pick.status.index(CertificateStatus::ALL.len())];
    let principal = ThingPrincipal::Certificate(id);
    let target = match pick.leaf.index(2) {
        0 => PolicyTarget::Certificate(id),
        _ => PolicyTarget::ThingGroup(name(called)),
    };
    let tagged = match pick.status.index(6) {
        0 => TaggedResource::CaCertificate(ca),
        1 => TaggedResource::Policy(name(called)),
        2 => TaggedResource::ThingGroup(name(called)),
        3 => TaggedResource::Authorizer(name(called)),
        4 => TaggedResource::DomainConfiguration(name(called)),
        _ => TaggedResource::ThingType(name(called)),
    };
    let page = PageRequest::default;
    let mine = || AttributePayload { attributes: Some([("mine".to_owned(), "b".to_owned())].into()), merge: pick.yes };
    let attachment = if pick.yes { ThingPrincipalType::ExclusiveThing } else { ThingPrincipalType::NonExclusiveThing };
    /// The answer as text.
    macro_rules! told {
        ($call:expr) => {
            format!("{:?}", $call.await)
        };
    }
    match operation {
        "accept_certificate_transfer" => told!(registry.accept_certificate_transfer(b, id, pick.yes, now)),
        "add_thing_to_thing_group" => told!(registry.add_thing_to_thing_group(b, &thing, &group)),
        "attach_policy" => told!(registry.attach_policy(b, &policy_name, target)),
        "attach_thing_principal" => told!(registry.attach_thing_principal(b, &thing, principal, attachment)),
        "cancel_certificate_transfer" => told!(registry.cancel_certificate_transfer(b, id, now)),
        "clear_default_authorizer" => told!(registry.clear_default_authorizer(b)),
        "create_authorizer" => told!(registry.create_authorizer(b, authorizer(called, "b"), now)),
        "create_certificate_from_csr" => told!(registry.create_certificate_from_csr(b, &leaf.pem(), pick.yes, now)),
        "create_domain_configuration" => {
            let taken = format!("{}.example.com", if pick.yes { called } else { "b" });
            told!(registry.create_domain_configuration(b, domain(called, &taken, "b"), now))
        }
        "create_keys_and_certificate" => {
            let key = PrivateKey::generate_p256().unwrap();
            told!(registry.create_keys_and_certificate(b, &key, pick.yes, now))
        }
        "create_policy" => told!(registry.create_policy(b, policy_name, policy("b"), Vec::new(), now)),
        "create_policy_version" => told!(registry.create_policy_version(b, policy_name, policy("b"), pick.yes, now)),
        "create_thing" => {
            let thing_type = pick.yes.then_some(kind);
            told!(registry.create_thing(b, CreateThing { name: thing, thing_type, attributes: mine() }, now))
        }
        "create_thing_group" => {
            let parent = pick.yes.then(|| name(NAMES[0]));
            let request =
                CreateThingGroup { name: group, parent, description: None, attributes: mine(), tags: Vec::new() };
            told!(registry.create_thing_group(b, request, now))
        }
        "create_thing_type" => {
            told!(registry.create_thing_type(b, kind, ThingTypeProperties::default(), Vec::new(), now))
        }
        "delete_authorizer" => told!(registry.delete_authorizer(b, &authorizer_name)),
        "delete_ca_certificate" => told!(registry.delete_ca_certificate(b, ca)),
        "delete_certificate" => told!(registry.delete_certificate(b, id, pick.yes)),
        "delete_domain_configuration" => told!(registry.delete_domain_configuration(b, &domain_name)),
        "delete_policy" => told!(registry.delete_policy(b, &policy_name)),
        "delete_policy_version" => told!(registry.delete_policy_version(b, &policy_name, version, now)),
        "delete_registration_code" => told!(registry.delete_registration_code(b)),
        "delete_thing" => told!(registry.delete_thing(b, thing, None)),
        "delete_thing_group" => told!(registry.delete_thing_group(b, group, None)),
        "delete_thing_shadow" => told!(registry.delete_thing_shadow(b, &shadow, None, now)),
        "delete_thing_type" => told!(registry.delete_thing_type(b, &kind, now)),
        "deprecate_thing_type" => told!(registry.deprecate_thing_type(b, &kind, pick.yes, now)),
        "describe_authorizer" => told!(registry.describe_authorizer(b, authorizer_name)),
        "describe_ca_certificate" => told!(registry.describe_ca_certificate(b, ca)),
        "describe_certificate" => told!(registry.describe_certificate(b, id)),
        "describe_default_authorizer" => told!(registry.describe_default_authorizer(b)),
        "describe_domain_configuration" => told!(registry.describe_domain_configuration(b, domain_name, now)),
        "describe_event_configurations" => told!(registry.describe_event_configurations(b)),
        "describe_thing" => told!(registry.describe_thing(b, thing)),
        "describe_thing_group" => told!(registry.describe_thing_group(b, group)),
        "describe_thing_type" => told!(registry.describe_thing_type(b, kind)),
        "detach_policy" if pick.yes => told!(registry.detach_policy(b, &policy_name, target)),
        "detach_policy" => told!(registry.detach_principal_policy(b, &policy_name, target)),
        "detach_thing_principal" => told!(registry.detach_thing_principal(b, &thing, principal)),
        "get_effective_policies" => told!(registry.get_effective_policies(b, pick.yes.then_some(target), Some(&thing))),
        "get_policy" => told!(registry.get_policy(b, &policy_name)),
        "get_policy_version" => told!(registry.get_policy_version(b, &policy_name, version)),
        "get_thing_shadow" => told!(registry.get_thing_shadow(b, &shadow)),
        "get_registration_code" => told!(registry.get_registration_code(b, now)),
        "list_attached_policies" => told!(registry.list_attached_policies(b, target, pick.yes, page())),
        "list_authorizers" => told!(registry.list_authorizers(b, None, page())),
        "list_ca_certificates" => told!(registry.list_ca_certificates(b, None, page())),
        "list_certificates" => told!(registry.list_certificates(b, page())),
        "list_certificates_by_ca" => told!(registry.list_certificates_by_ca(b, ca, page())),
        "list_domain_configurations" => told!(registry.list_domain_configurations(b, page())),
        "list_named_shadows_for_thing" => told!(registry.list_named_shadows_for_thing(b, &thing, page())),
        "list_outgoing_certificates" => told!(registry.list_outgoing_certificates(b, page())),
        "list_policies" => told!(registry.list_policies(b, page())),
        "list_policy_versions" => told!(registry.list_policy_versions(b, &policy_name)),
        "list_principal_things" => told!(registry.list_principal_things(b, principal, None, page())),
        "list_tags_for_resource" => told!(registry.list_tags_for_resource(b, &tagged, None)),
        "list_targets_for_policy" => told!(registry.list_targets_for_policy(b, &policy_name, page())),
        "list_thing_groups" => {
            let filter = ThingGroupFilter { recursive: pick.yes, ..Default::default() };
            told!(registry.list_thing_groups(b, &filter, page()))
        }
        "list_thing_groups_for_thing" => told!(registry.list_thing_groups_for_thing(b, &thing, page())),
        "list_thing_principals" => told!(registry.list_thing_principals(b, &thing, None, page())),
        "list_thing_types" => told!(registry.list_thing_types(b, pick.yes.then_some(kind), page())),
        "list_things" => {
            let filter = ThingFilter {
                attribute_name: pick.yes.then(|| "floor".into()),
                attribute_value: pick.yes.then(|| SECRET.into()),
                ..Default::default()
            };
            told!(registry.list_things(b, filter, page()))
        }
        "list_things_in_thing_group" => told!(registry.list_things_in_thing_group(b, &group, pick.yes, page())),
        "register_ca_certificate" => told!(registry.register_ca_certificate(b, victim.ca.sni_only(), now)),
        "register_certificate" => {
            let input = RegisterCertificate { certificate_pem: leaf.pem(), ..Default::default() };
            told!(registry.register_certificate(b, input, now))
        }
        "register_certificate_without_ca" => {
            told!(registry.register_certificate_without_ca(b, &leaf.pem(), Some(status), now))
        }
        "reject_certificate_transfer" => told!(registry.reject_certificate_transfer(b, id, Some("no".into()), now)),
        "remove_thing_from_thing_group" => told!(registry.remove_thing_from_thing_group(b, &thing, &group)),
        "set_default_authorizer" => told!(registry.set_default_authorizer(b, authorizer_name)),
        "set_default_policy_version" => told!(registry.set_default_policy_version(b, &policy_name, version, now)),
        "tag_resource" => told!(registry.tag_resource(b, &tagged, &[Tag { key: "k".into(), value: "b".into() }])),
        "test_authorization" => {
            let subject = Subject {
                principal: pick.yes.then_some(target),
                client_id: Some(called.into()),
                policies_to_add: vec![policy_name],
                ..Default::default()
            };
            told!(registry.subject_rights(b, &subject))
        }
        "transfer_certificate" => told!(registry.transfer_certificate(b, id, tenant(C).account, None, now)),
        "untag_resource" => told!(registry.untag_resource(b, &tagged, &["k".into()])),
        "update_authorizer" => {
            let update = UpdateAuthorizer { enable_caching_for_http: Some(pick.yes), ..Default::default() };
            told!(registry.update_authorizer(b, authorizer_name, update, now))
        }
        "update_ca_certificate" => {
            let update = UpdateCaCertificate { new_status: Some(crate::CaStatus::Inactive), ..Default::default() };
            told!(registry.update_ca_certificate(b, ca, update, now))
        }
        "update_certificate" => told!(registry.update_certificate(b, id, status, now)),
        "update_domain_configuration" => {
            use DomainConfigurationStatus::{Disabled, Enabled};
            let status = Some(if pick.yes { Disabled } else { Enabled });
            let update = UpdateDomainConfiguration { status, ..Default::default() };
            told!(registry.update_domain_configuration(b, domain_name, update, now))
        }
        "update_event_configurations" => {
            let switches = [(crate::EventType::Thing, pick.yes)];
            told!(registry.update_event_configurations(b, &switches, now))
        }
        "update_thing" => {
            let request = UpdateThing {
                name: thing,
                thing_type: None,
                remove_thing_type: pick.yes,
                attributes: mine(),
                expected_version: None,
            };
            told!(registry.update_thing(b, request, now))
        }
        "update_thing_group" => {
            let request =
                UpdateThingGroup { name: group, description: None, attributes: mine(), expected_version: None };
            told!(registry.update_thing_group(b, request))
        }
        "update_thing_groups_for_thing" => {
            let (add, remove) = if pick.yes { (vec![group], Vec::new()) } else { (Vec::new(), vec![group]) };
            told!(registry.update_thing_groups_for_thing(b, &thing, &add, &remove))
        }
        "update_thing_shadow" => told!(registry.update_thing_shadow(b, &shadow, &shadow_update("b"), now)),
        "update_thing_type" => told!(registry.update_thing_type(b, &kind, ThingTypeProperties::default())),
        other => panic!("operations/{other}.rs has no row here: call it as the second account"),
    }
}

/// Every row written after `from` whose key has the first account in it. There is something to look through: the second
/// account made things of its own.
fn written_to_the_first(store: &dyn Store, from: Revision) -> Vec<String> {
    let mut changes = store.changes(from);
    let (mut found, mut transactions) = (Vec::new(), 0);
    while let Some(committed) = changes.ready() {
        let committed = committed.unwrap();
        transactions += 1;
        let of_a = |key: &[u8]| key.windows(A.len()).any(|part| part == A.as_bytes());
        found.extend(committed.changes.iter().filter(|change| of_a(&change.key)).map(|change| format!("{change:?}")));
    }
    assert!(transactions > 5, "the second account did next to nothing");
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn an_account_sees_and_changes_nothing_of_another(
        order in Just(operations().into_iter().collect::<Vec<_>>()).prop_shuffle(),
        picks in vec(pick(), 2 * operations().len()),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let registry = open(Arc::clone(&store), Box::new(())).await;
            let victim = settle(&registry).await;
            let before = store.snapshot().await.unwrap().revision();
            // Every operation twice: the second time the other account may have things of the same names.
            for (number, pick) in picks.iter().enumerate() {
                let operation = &order[number % order.len()];
                let answer = attempt(&registry, operation, pick, &victim, at(10 + number as u64)).await;
                for secret in [SECRET, A, &victim.code] {
                    assert!(!answer.contains(secret), "{operation} {pick:?} tells {secret}: {answer}");
                }
            }
            assert_eq!(written_to_the_first(&*store, before), [""; 0]);
        });
    }
}
