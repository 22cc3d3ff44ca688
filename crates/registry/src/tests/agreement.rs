//! After any operations, memory fed by changes equals memory read from the rows, and every index agrees with its rows.

use std::sync::LazyLock;

use proptest::prelude::*;
use tidegate_ids::{CaCertificateId, CertificateId, PolicyName};
use tidegate_kv::{Direction, KeyRange, Snapshot};
use tidegate_pki::ClientLeaf;
use tidegate_policy::{Access, Decision, RequestContext, Variables};

use super::{material::Ca, *};
use crate::{
    AutoRegistrationStatus, CaStatus, CertificateStatus, Directory, PolicyTarget, PolicyVersionId, Presented,
    RegisterCertificate, ServerName, UpdateCaCertificate, tables,
};

/// Certificates are costly to make: a few for all cases.
struct Material {
    cas: Vec<Ca>,
    leaves: Vec<ClientLeaf>,
}

static MATERIAL: LazyLock<Material> = LazyLock::new(|| {
    let cas = vec![Ca::new("one"), Ca::new("two")];
    let mut leaves: Vec<_> = (0..3).map(|n| cas[n % 2].leaf(&n.to_string())).collect();
    leaves.push(super::material::other_form(&leaves[0]));
    Material { cas, leaves }
});

const POLICIES: [&str; 3] = ["p0", "p1", "p2"];
const TOPICS: [&str; 3] = ["t0", "t1", "t2"];

#[derive(Debug, Clone)]
enum Step {
    RegisterCa { account: bool, ca: usize, sni_only: bool },
    UpdateCa { account: bool, ca: usize, active: bool, auto: bool },
    DeleteCa { account: bool, ca: usize },
    Connect { endpoint: Option<bool>, leaf: usize },
    Register { account: bool, leaf: usize, without_ca: bool },
    Update { account: bool, leaf: usize, status: usize },
    Delete { account: bool, leaf: usize, force: bool },
    Transfer { account: bool, leaf: usize },
    Accept { account: bool, leaf: usize, active: bool },
    Reject { account: bool, leaf: usize },
    Cancel { account: bool, leaf: usize },
    CreatePolicy { account: bool, policy: usize, topic: usize },
    CreateVersion { account: bool, policy: usize, topic: usize, default: bool },
    SetDefault { account: bool, policy: usize, version: u32 },
    DeleteVersion { account: bool, policy: usize, version: u32 },
    DeletePolicy { account: bool, policy: usize },
    Attach { account: bool, policy: usize, leaf: usize },
    Detach { account: bool, policy: usize, leaf: usize },
}

fn step() -> impl Strategy<Value = Step> {
    use Step::*;
    let account = any::<bool>;
    let (ca, leaf, policy, topic, version) = (0..2usize, 0..4usize, 0..3usize, 0..3usize, 1..4u32);
    prop_oneof![
        1 => (account(), ca.clone(), any::<bool>()).prop_map(|(account, ca, sni_only)| RegisterCa { account, ca, sni_only }),
        1 => (account(), ca.clone(), any::<bool>(), any::<bool>())
            .prop_map(|(account, ca, active, auto)| UpdateCa { account, ca, active, auto }),
        1 => (account(), ca).prop_map(|(account, ca)| DeleteCa { account, ca }),
        3 => (any::<Option<bool>>(), leaf.clone()).prop_map(|(endpoint, leaf)| Connect { endpoint, leaf }),
        1 => (account(), leaf.clone(), any::<bool>())
            .prop_map(|(account, leaf, without_ca)| Register { account, leaf, without_ca }),
        3 => (account(), leaf.clone(), 0..6usize)
            .prop_map(|(account, leaf, status)| Update { account, leaf, status }),
        1 => (account(), leaf.clone(), any::<bool>()).prop_map(|(account, leaf, force)| Delete { account, leaf, force }),
        3 => (account(), leaf.clone()).prop_map(|(account, leaf)| Transfer { account, leaf }),
        2 => (account(), leaf.clone(), any::<bool>())
            .prop_map(|(account, leaf, active)| Accept { account, leaf, active }),
        1 => (account(), leaf.clone()).prop_map(|(account, leaf)| Reject { account, leaf }),
        1 => (account(), leaf.clone()).prop_map(|(account, leaf)| Cancel { account, leaf }),
        2 => (account(), policy.clone(), topic.clone())
            .prop_map(|(account, policy, topic)| CreatePolicy { account, policy, topic }),
        1 => (account(), policy.clone(), topic, any::<bool>())
            .prop_map(|(account, policy, topic, default)| CreateVersion { account, policy, topic, default }),
        1 => (account(), policy.clone(), version.clone())
            .prop_map(|(account, policy, version)| SetDefault { account, policy, version }),
        1 => (account(), policy.clone(), version)
            .prop_map(|(account, policy, version)| DeleteVersion { account, policy, version }),
        1 => (account(), policy.clone()).prop_map(|(account, policy)| DeletePolicy { account, policy }),
        4 => (account(), policy.clone(), leaf.clone())
            .prop_map(|(account, policy, leaf)| Attach { account, policy, leaf }),
        1 => (account(), policy, leaf).prop_map(|(account, policy, leaf)| Detach { account, policy, leaf }),
    ]
}

fn owner(first: bool) -> Tenant {
    tenant(if first { A } else { B })
}

fn document(tenant: Tenant, topic: usize) -> String {
    let Tenant { account, region } = tenant;
    let topic = TOPICS[topic];
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":"iot:Publish","Resource":"arn:aws:iot:{region}:{account}:topic/{topic}"}}]}}"#
    )
}

/// Refusals are as good as successes here: only what is left behind counts.
async fn take(registry: &Registry, step: &Step, now: Now) {
    use Step::*;
    let material = &*MATERIAL;
    let policy_name = |policy: usize| -> PolicyName { POLICIES[policy].parse().unwrap() };
    let target = |leaf: usize| PolicyTarget::Certificate(material.leaves[leaf].certificate_id());
    match *step {
        RegisterCa { account, ca, sni_only } => {
            let ca = &material.cas[ca];
            let request = match sni_only {
                true => ca.sni_only(),
                false => ca.request(registry, owner(account), now).await,
            };
            let _ = registry.register_ca_certificate(owner(account), request, now).await;
        }
        UpdateCa { account, ca, active, auto } => {
            let update = UpdateCaCertificate {
                new_status: Some(if active { CaStatus::Active } else { CaStatus::Inactive }),
                new_auto_registration: Some(match auto {
                    true => AutoRegistrationStatus::Enable,
                    false => AutoRegistrationStatus::Disable,
                }),
                ..Default::default()
            };
            let _ = registry.update_ca_certificate(owner(account), material.cas[ca].id(), update, now).await;
        }
        DeleteCa { account, ca } => {
            let _ = registry.delete_ca_certificate(owner(account), material.cas[ca].id()).await;
        }
        Connect { endpoint, leaf } => {
            let server_name = endpoint.map_or(ServerName::Host, |first| ServerName::Endpoint(owner(first)));
            let leaf = &material.leaves[leaf];
            let presented = Presented { leaf, server_name, registers_without_sni: true, client_id: "d" };
            let _ = registry.connect(presented, now).await;
        }
        Register { account, leaf, without_ca } => {
            let certificate_pem = material.leaves[leaf].pem();
            if without_ca {
                let _ = registry.register_certificate_without_ca(owner(account), &certificate_pem, None, now).await;
            } else {
                let input = RegisterCertificate { certificate_pem, ..Default::default() };
                let _ = registry.register_certificate(owner(account), input, now).await;
            }
        }
        Update { account, leaf, status } => {
            let (id, status) = (material.leaves[leaf].certificate_id(), CertificateStatus::ALL[status]);
            let _ = registry.update_certificate(owner(account), id, status, now).await;
        }
        Delete { account, leaf, force } => {
            let id = material.leaves[leaf].certificate_id();
            let _ = registry.delete_certificate(owner(account), id, force).await;
        }
        Transfer { account, leaf } => {
            let (id, to) = (material.leaves[leaf].certificate_id(), owner(!account).account);
            let _ = registry.transfer_certificate(owner(account), id, to, None, now).await;
        }
        Accept { account, leaf, active } => {
            let id = material.leaves[leaf].certificate_id();
            let _ = registry.accept_certificate_transfer(owner(account), id, active, now).await;
        }
        Reject { account, leaf } => {
            let id = material.leaves[leaf].certificate_id();
            let _ = registry.reject_certificate_transfer(owner(account), id, None, now).await;
        }
        Cancel { account, leaf } => {
            let id = material.leaves[leaf].certificate_id();
            let _ = registry.cancel_certificate_transfer(owner(account), id, now).await;
        }
        CreatePolicy { account, policy, topic } => {
            let text = document(owner(account), topic);
            let _ = registry.create_policy(owner(account), policy_name(policy), text, Vec::new(), now).await;
        }
        CreateVersion { account, policy, topic, default } => {
            let text = document(owner(account), topic);
            let _ = registry.create_policy_version(owner(account), policy_name(policy), text, default, now).await;
        }
        SetDefault { account, policy, version } => {
            let (name, version) = (policy_name(policy), PolicyVersionId(version));
            let _ = registry.set_default_policy_version(owner(account), &name, version, now).await;
        }
        DeleteVersion { account, policy, version } => {
            let (name, version) = (policy_name(policy), PolicyVersionId(version));
            let _ = registry.delete_policy_version(owner(account), &name, version, now).await;
        }
        DeletePolicy { account, policy } => {
            let _ = registry.delete_policy(owner(account), &policy_name(policy)).await;
        }
        Attach { account, policy, leaf } => {
            let _ = registry.attach_policy(owner(account), &policy_name(policy), target(leaf)).await;
        }
        Detach { account, policy, leaf } => {
            let _ = registry.detach_policy(owner(account), &policy_name(policy), target(leaf)).await;
        }
    }
}

/// All that the message path can learn from a directory.
fn answers(directory: &Directory) -> Vec<String> {
    let mut answers = vec![format!("{:?}", directory.counts())];
    for leaf in &MATERIAL.leaves {
        let mut owners = directory.certificates.owners(leaf.certificate_id());
        owners.sort_by_key(|owner| owner.tenant);
        let mut signers = directory.issuers.signers(leaf, |_| true).found;
        signers.sort_by_key(|(id, ca)| (*id, ca.tenant));
        let mut forms = directory.other_forms(leaf);
        forms.sort_by_key(|(id, owner)| (*id, owner.tenant));
        answers.push(format!("{owners:?} {signers:?} {forms:?}"));
        for first in [true, false] {
            let grants = directory.grants(owner(first), leaf.certificate_id());
            let bound = grants.map(|grants| grants.policies().bind(&Variables::new()));
            let context = RequestContext::at(at(0).wall);
            let may = |topic| {
                bound
                    .as_ref()
                    .map(|bound| matches!(bound.decide(Access::Publish, topic, &context), Decision::Allowed(_)))
            };
            answers.push(format!("{:?}", TOPICS.map(may)));
        }
    }
    answers
}

async fn keys<K: tidegate_kv::Key, V: tidegate_kv::Record>(
    read: &Snapshot,
    table: &'static tidegate_kv::Table<K, V>,
) -> Vec<(K, V)> {
    let rows = table.scan(read, &KeyRange::all(), 1000, Direction::Ascending).await.unwrap();
    rows.into_iter().map(|row| (row.key, row.value)).collect()
}

/// Every row has its index rows, and there are no others.
async fn check_indexes(read: &Snapshot) {
    let certificates = keys(read, &tables::CERTIFICATES).await;
    let mut by_creation: Vec<_> = certificates.iter().map(|((tenant, id), row)| (*tenant, row.created, *id)).collect();
    by_creation.sort();
    let index: Vec<_> = keys(read, &tables::CERTIFICATES_BY_CREATION).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, by_creation);
    let mut by_ca: Vec<(Tenant, CaCertificateId, Timestamp, CertificateId)> = certificates
        .iter()
        .filter_map(|((tenant, id), row)| Some((*tenant, row.ca_certificate_id?, row.created, *id)))
        .collect();
    by_ca.sort();
    let index: Vec<_> = keys(read, &tables::CERTIFICATES_BY_CA).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, by_ca);
    let mut owners: Vec<_> = certificates.iter().map(|((t, id), row)| ((*id, t.region, t.account), row.mode)).collect();
    owners.sort_by_key(|(key, _)| *key);
    let index: Vec<_> =
        keys(read, &tables::CERTIFICATE_OWNERS).await.into_iter().map(|(key, row)| (key, row.mode)).collect();
    assert_eq!(index, owners);

    // A pending transfer is seen by both accounts, or by none.
    let mut outgoing = Vec::new();
    for ((tenant, id), row) in &certificates {
        let Some(transfer) = row.pending_transfer() else {
            assert_ne!(row.status, CertificateStatus::PendingTransfer);
            continue;
        };
        let of = |account| (Tenant { account, ..*tenant }, *id);
        for account in [transfer.from, transfer.to] {
            let (_, other) = certificates.iter().find(|(key, _)| *key == of(account)).expect("both have it");
            assert_eq!(other.pending_transfer(), Some(transfer));
        }
        if tenant.account == transfer.from {
            outgoing.push((*tenant, row.created, *id));
        }
    }
    outgoing.sort();
    let index: Vec<_> = keys(read, &tables::CERTIFICATES_OUTGOING).await.into_iter().map(|(key, ())| key).collect();
    assert_eq!(index, outgoing);

    let mut forms: Vec<_> = certificates
        .iter()
        .map(|((t, id), row)| {
            let part = ClientLeaf::from_pem(&row.pem).unwrap().signed_part_sha256();
            ((part, t.region, t.account, *id), row.mode)
        })
        .collect();
    forms.sort_by_key(|(key, _)| *key);
    for pair in forms.windows(2) {
        let ((part, region, account, _), (other, region2, account2, _)) = (pair[0].0, pair[1].0);
        assert_ne!((part, region, account), (other, region2, account2), "one account has two forms");
    }
    let index: Vec<_> =
        keys(read, &tables::CERTIFICATES_BY_SIGNED_PART).await.into_iter().map(|(key, row)| (key, row.mode)).collect();
    assert_eq!(index, forms);

    let cas = keys(read, &tables::CA_CERTIFICATES).await;
    for index_rows in [
        keys(read, &tables::CAS_BY_CREATION).await.len(),
        keys(read, &tables::CAS_BY_SUBJECT).await.len(),
        keys(read, &tables::CA_OWNERS).await.len(),
    ] {
        assert_eq!(index_rows, cas.len());
    }

    let policies = keys(read, &tables::POLICIES).await;
    let versions = keys(read, &tables::POLICY_VERSIONS).await;
    assert_eq!(keys(read, &tables::POLICIES_BY_CREATION).await.len(), policies.len());
    for ((tenant, name, _), _) in &versions {
        assert!(policies.iter().any(|(key, _)| *key == (*tenant, name.clone())));
    }
    for ((tenant, name), row) in &policies {
        let key = (*tenant, name.clone(), row.default_version);
        let (_, default) = versions.iter().find(|(version, _)| *version == key).expect("the default version is there");
        assert_eq!(default.document, row.document);
    }
    let mut attached: Vec<_> = keys(read, &tables::POLICIES_OF_TARGET)
        .await
        .into_iter()
        .map(|((t, target, name), ())| (t, name, target))
        .collect();
    let index: Vec<_> = keys(read, &tables::TARGETS_OF_POLICY).await.into_iter().map(|(key, ())| key).collect();
    attached.sort_by_key(tidegate_kv::Key::to_bytes);
    assert_eq!(index, attached);
    for (tenant, name, target) in attached {
        let PolicyTarget::Certificate(id) = target else { panic!("there are no thing groups here") };
        assert!(policies.iter().any(|(key, _)| *key == (tenant, name.clone())));
        let (_, row) = certificates.iter().find(|(key, _)| *key == (tenant, id)).expect("the target is there");
        assert!(row.pending_transfer().is_none(), "policies do not travel");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn memory_and_indexes_agree_with_the_rows(steps in prop::collection::vec(step(), 1..60)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
            let registry = open(Arc::clone(&store), Box::new(())).await;
            // Connected from the start, so that grants are followed and not made at the end.
            let mut connected = Vec::new();
            for (number, step) in steps.iter().enumerate() {
                take(&registry, step, at(number as u64 / 3)).await;
                for leaf in &MATERIAL.leaves {
                    for first in [true, false] {
                        connected.extend(registry.directory().grants(owner(first), leaf.certificate_id()));
                    }
                }
            }
            let read = store.snapshot().await.unwrap();
            check_indexes(&read).await;
            let fresh = open(Arc::clone(&store), Box::new(())).await;
            assert_eq!(answers(registry.directory()), answers(fresh.directory()));
        });
    }
}
