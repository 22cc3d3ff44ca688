use tidegate_ids::{AccountId, CertificateId};
use tidegate_pki::ClientLeaf;

use super::{
    material::{Ca, other_form, self_signed},
    races::together,
    *,
};
use crate::{
    Admission, CertificateStatus, PolicyTarget, Presented, Refusal, RegisterCertificate, RegistryError, ServerName,
    TransferStep,
};

const C: &str = "333333333333";
const ALLOW: &str = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iot:*","Resource":"*"}]}"#;

fn account(number: &str) -> AccountId {
    number.parse().unwrap()
}

async fn registered(registry: &Registry, account: &str, pem: &str) -> CertificateId {
    registry.register_certificate_without_ca(tenant(account), pem, None, at(1)).await.unwrap()
}

async fn offer(registry: &Registry, id: CertificateId, from: &str, to: &str) -> Result<(), RegistryError> {
    let message = Some("for you".to_owned());
    registry.transfer_certificate(tenant(from), id, account(to), message, at(2)).await.map(drop)
}

async fn status(registry: &Registry, account: &str, id: CertificateId) -> Option<CertificateStatus> {
    match registry.describe_certificate(tenant(account), id).await {
        Ok(certificate) => Some(certificate.record.status),
        Err(RegistryError::CertificateNotFound(_)) => None,
        Err(error) => panic!("{error}"),
    }
}

async fn listed(registry: &Registry, account: &str) -> (usize, usize) {
    let all = registry.list_certificates(tenant(account), first_page()).await.unwrap().items.len();
    (all, registry.list_outgoing_certificates(tenant(account), first_page()).await.unwrap().items.len())
}

#[tokio::test]
async fn an_accepted_certificate_is_the_receivers_alone() {
    let registry = registry().await;
    let ca = Ca::new("ca");
    let ca_id = ca.register(&registry, tenant(A), at(1)).await;
    let leaf = ca.leaf("device");
    let input = RegisterCertificate { certificate_pem: leaf.pem(), ..Default::default() };
    let id = registry.register_certificate(tenant(A), input, at(1)).await.unwrap();
    offer(&registry, id, A, B).await.unwrap();
    let pending = Some(CertificateStatus::PendingTransfer);
    assert_eq!((status(&registry, A, id).await, status(&registry, B, id).await), (pending, pending));
    assert_eq!((listed(&registry, A).await, listed(&registry, B).await), ((1, 1), (1, 0)));
    let seen = registry.describe_certificate(tenant(B), id).await.unwrap();
    assert_eq!(seen.record.owned_by(account(B)), account(A));
    for name in [ServerName::Host, ServerName::Endpoint(tenant(A)), ServerName::Endpoint(tenant(B))] {
        assert!(matches!(connect(&registry, &leaf, name).await.unwrap_err().reason, Refusal::InTransfer), "{name:?}");
    }
    registry.accept_certificate_transfer(tenant(B), id, true, at(3)).await.unwrap();
    assert_eq!((status(&registry, A, id).await, listed(&registry, A).await), (None, (0, 0)));
    let record = registry.describe_certificate(tenant(B), id).await.unwrap().record;
    assert_eq!((record.status, record.previous_owned_by), (CertificateStatus::Active, Some(account(A))));
    assert_eq!((record.owned_by(account(B)), record.ca_certificate_id), (account(B), Some(ca_id)));
    let transfer = record.transfer.unwrap();
    assert_eq!((transfer.transferred, transfer.accepted), (at(2).wall, Some(at(3).wall)));
    assert_eq!((transfer.message.as_deref(), transfer.rejected), (Some("for you"), None));
    for name in [ServerName::Host, ServerName::Endpoint(tenant(B))] {
        assert!(matches!(connect(&registry, &leaf, name).await, Ok(Admission::Active(by)) if by.tenant == tenant(B)));
    }
    // The form that anybody can make of it is still known as another's.
    assert!(connect(&registry, &other_form(&leaf), ServerName::Host).await.is_err());
}

async fn connect(registry: &Registry, leaf: &ClientLeaf, server_name: ServerName) -> Result<Admission, crate::Refused> {
    let presented = Presented { leaf, server_name, registers_without_sni: true, client_id: "d" };
    registry.connect(presented, at(9)).await
}

#[tokio::test]
async fn a_rejected_or_cancelled_certificate_is_the_givers_again() {
    let registry = registry().await;
    let id = registered(&registry, A, &self_signed("d")).await;
    for rejects in [true, false] {
        offer(&registry, id, A, B).await.unwrap();
        if rejects {
            registry.reject_certificate_transfer(tenant(B), id, Some("no".into()), at(3)).await.unwrap();
        } else {
            registry.cancel_certificate_transfer(tenant(A), id, at(3)).await.unwrap();
        }
        assert_eq!((status(&registry, B, id).await, listed(&registry, B).await), (None, (0, 0)));
        assert_eq!(listed(&registry, A).await, (1, 0));
        let record = registry.describe_certificate(tenant(A), id).await.unwrap().record;
        assert_eq!((record.status, record.previous_owned_by), (CertificateStatus::Inactive, None));
        let rejection = record.transfer.and_then(|transfer| transfer.rejected);
        assert_eq!(
            rejection.as_ref().map(|r| (r.at, r.reason.as_deref())),
            rejects.then_some((at(3).wall, Some("no")))
        );
    }
}

#[tokio::test]
async fn only_an_inactive_certificate_without_policies_goes_to_another_account() {
    use RegistryError::*;
    let registry = registry().await;
    let pem = self_signed("d");
    let id = registered(&registry, A, &pem).await;
    registry.create_policy(tenant(A), "p".parse().unwrap(), ALLOW.into(), Vec::new(), at(1)).await.unwrap();
    let (name, target) = ("p".parse().unwrap(), PolicyTarget::Certificate(id));
    registry.attach_policy(tenant(A), &name, target.clone()).await.unwrap();
    registry.update_certificate(tenant(A), id, CertificateStatus::Active, at(1)).await.unwrap();
    let active = CertificateStatus::Active;
    assert!(matches!(offer(&registry, id, B, C).await, Err(CertificateNotFound(_))));
    assert!(matches!(offer(&registry, id, A, B).await, Err(CertificateNotTransferable(_, s)) if s == active));
    registry.update_certificate(tenant(A), id, CertificateStatus::Inactive, at(1)).await.unwrap();
    assert!(matches!(offer(&registry, id, A, B).await, Err(TransferPoliciesAttached(..))));
    registry.detach_policy(tenant(A), &name, target.clone()).await.unwrap();
    assert!(matches!(offer(&registry, id, A, A).await, Err(InvalidRequest(_))));
    registered(&registry, B, &pem).await;
    assert!(matches!(offer(&registry, id, A, B).await, Err(TransferTargetHolds(_))));
    offer(&registry, id, A, C).await.unwrap();
    let pending = CertificateStatus::PendingTransfer;
    assert!(matches!(offer(&registry, id, A, B).await, Err(CertificateNotTransferable(_, s)) if s == pending));
    assert!(matches!(registry.attach_policy(tenant(A), &name, target.clone()).await, Err(TargetInTransfer(_))));
    for account in [A, C] {
        assert!(matches!(registry.delete_certificate(tenant(account), id, true).await, Err(CertificateInTransfer(_))));
        for wanted in [CertificateStatus::Active, CertificateStatus::Inactive, CertificateStatus::Revoked] {
            let update = registry.update_certificate(tenant(account), id, wanted, at(3)).await;
            assert!(matches!(update, Err(StatusChange(..))));
        }
    }
    assert_eq!(status(&registry, A, id).await, Some(pending));
}

#[tokio::test]
async fn each_end_of_a_transfer_does_its_own_part_once() {
    use RegistryError::*;
    let registry = registry().await;
    let id = registered(&registry, A, &self_signed("d")).await;
    let accept = async |by| registry.accept_certificate_transfer(tenant(by), id, false, at(3)).await;
    let reject = async |by| registry.reject_certificate_transfer(tenant(by), id, None, at(3)).await;
    let cancel = async |by| registry.cancel_certificate_transfer(tenant(by), id, at(3)).await;
    for by in [A, B] {
        assert!(matches!(accept(by).await, Err(TransferNotFound(_))));
        assert!(matches!(reject(by).await, Err(TransferNotFound(_))));
        assert!(matches!(cancel(by).await, Err(TransferNotFound(_))));
    }
    offer(&registry, id, A, B).await.unwrap();
    for by in [A, C] {
        assert!(matches!(accept(by).await, Err(TransferNotFound(_))));
        assert!(matches!(reject(by).await, Err(TransferNotFound(_))));
    }
    for by in [B, C] {
        assert!(matches!(cancel(by).await, Err(TransferNotFound(_))));
    }
    accept(B).await.unwrap();
    assert!(matches!(accept(B).await, Err(TransferCompleted(_))));
    assert!(matches!(reject(B).await, Err(TransferCompleted(_))));
    assert!(matches!(cancel(A).await, Err(TransferCompleted(_))));
    assert!(matches!(cancel(C).await, Err(TransferNotFound(_))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_accepting_rejecting_and_cancelling_at_once_exactly_one_happens() {
    let registry = registry().await;
    for _ in 0..20 {
        let id = registered(&registry, A, &self_signed("d")).await;
        offer(&registry, id, A, B).await.unwrap();
        let outcomes = together(9, |number| {
            let registry = registry.clone();
            Box::pin(async move {
                match number % 3 {
                    0 => registry.accept_certificate_transfer(tenant(B), id, true, at(3)).await,
                    1 => registry.reject_certificate_transfer(tenant(B), id, None, at(3)).await,
                    _ => registry.cancel_certificate_transfer(tenant(A), id, at(3)).await,
                }
            })
        })
        .await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let (a, b) = (status(&registry, A, id).await, status(&registry, B, id).await);
        let (accepted, ended) = ((None, Some(CertificateStatus::Active)), (Some(CertificateStatus::Inactive), None));
        assert!([accepted, ended].contains(&(a, b)), "{a:?} {b:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_certificate_with_policies_is_never_offered_and_only_to_one_account() {
    let registry = registry().await;
    registry.create_policy(tenant(A), "p".parse().unwrap(), ALLOW.into(), Vec::new(), at(1)).await.unwrap();
    for _ in 0..20 {
        let id = registered(&registry, A, &self_signed("d")).await;
        let target = PolicyTarget::Certificate(id);
        let outcomes = together(6, |number| {
            let (registry, target) = (registry.clone(), target.clone());
            Box::pin(async move {
                match number % 3 {
                    0 => registry.attach_policy(tenant(A), &"p".parse().unwrap(), target).await,
                    1 => offer(&registry, id, A, B).await,
                    _ => offer(&registry, id, A, C).await,
                }
            })
        })
        .await;
        let attached = !registry
            .list_attached_policies(tenant(A), target.clone(), false, first_page())
            .await
            .unwrap()
            .items
            .is_empty();
        let mut holders = Vec::new();
        for account in [B, C] {
            holders.extend(status(&registry, account, id).await);
        }
        assert_eq!(holders.len() + usize::from(attached), 1, "{outcomes:?}");
    }
}

#[tokio::test]
async fn the_receiver_is_told_of_an_offer_and_of_its_end_by_the_giver() {
    let registry = registry().await;
    let told = told(&registry);
    let id = registered(&registry, A, &self_signed("d")).await;
    let receivers = |told: &[RegistryChange]| -> Vec<_> {
        let transfer = |change: &RegistryChange| match change {
            RegistryChange::Transfer { receiver, certificate_id, step, from, message } => {
                Some((receiver.account, *certificate_id, *step, *from, message.clone()))
            }
            _ => None,
        };
        told.iter().filter_map(transfer).collect()
    };
    let offered = (account(B), id, TransferStep::Offered, account(A), Some("for you".to_owned()));
    offer(&registry, id, A, B).await.unwrap();
    assert_eq!(receivers(&told.lock().unwrap()), std::slice::from_ref(&offered));
    registry.cancel_certificate_transfer(tenant(A), id, at(3)).await.unwrap();
    let cancelled = (account(B), id, TransferStep::Cancelled, account(A), None);
    assert_eq!(receivers(&told.lock().unwrap()), [offered.clone(), cancelled.clone()]);
    // What the receiver does itself is no news to it.
    offer(&registry, id, A, B).await.unwrap();
    registry.reject_certificate_transfer(tenant(B), id, None, at(4)).await.unwrap();
    offer(&registry, id, A, B).await.unwrap();
    registry.accept_certificate_transfer(tenant(B), id, false, at(5)).await.unwrap();
    let again = [offered.clone(), cancelled, offered.clone(), offered];
    assert_eq!(receivers(&told.lock().unwrap()), again);
}

#[tokio::test]
async fn a_notice_waits_for_whoever_tells_the_receiver_and_a_newer_one_replaces_it() {
    let registry = registry().await;
    let notices = async |account_id: &str| registry.transfer_notices(account(account_id), None, 10).await.unwrap();
    let (id, other) =
        (registered(&registry, A, &self_signed("d")).await, registered(&registry, A, &self_signed("e")).await);
    offer(&registry, id, A, B).await.unwrap();
    offer(&registry, other, A, C).await.unwrap();
    assert_eq!(notices(C).await, [], "nobody tells this account");
    let offered = notices(B).await;
    let [notice] = &offered[..] else { panic!("{offered:?}") };
    assert_eq!((notice.receiver, notice.certificate_id, notice.record.step), (tenant(B), id, TransferStep::Offered));
    assert_eq!((notice.record.message.as_deref(), notice.record.at), (Some("for you"), at(2).wall));
    registry.cancel_certificate_transfer(tenant(A), id, at(3)).await.unwrap();
    // Told too late: the newer one stays.
    registry.forget_transfer_notice(notice).await.unwrap();
    let cancelled = notices(B).await;
    assert_eq!(cancelled.iter().map(|n| n.record.step).collect::<Vec<_>>(), [TransferStep::Cancelled]);
    assert_ne!(cancelled[0].record.delivery_id, notice.record.delivery_id);
    assert_eq!(registry.transfer_notices(account(B), Some(cancelled[0].place()), 10).await.unwrap(), []);
    registry.forget_transfer_notice(&cancelled[0]).await.unwrap();
    assert_eq!(notices(B).await, []);
}
