use AutoRegistrationStatus::{Disable, Enable};
use CertificateMode::{Default as ByCertificate, SniOnly};
use ServerName::{Absent, Endpoint, Host};
use tidegate_ids::CaCertificateId;

use super::*;

fn tenant(account: u64) -> Tenant {
    Tenant { account: tidegate_ids::AccountId::from_number(account), region: "eu-central-1".parse().unwrap() }
}

fn owner(account: u64, mode: CertificateMode) -> Owner {
    Owner {
        tenant: tenant(account),
        mode,
        status: CertificateStatus::Active,
        registered: Timestamp::from_seconds(1),
        ca_certificate_id: None,
    }
}

fn ca(id: u8) -> CaCertificateId {
    CaCertificateId::from_bytes([id; 32])
}

fn signer(
    id: u8,
    account: u64,
    mode: CertificateMode,
    status: CaStatus,
    auto_registration: AutoRegistrationStatus,
) -> Signer {
    (ca(id), CaOwner { tenant: tenant(account), mode, status, auto_registration })
}

#[test]
fn who_holds_in_sni_only_mode_gets_no_log_lines_of_others_and_takes_none() {
    use CaStatus::Active;
    let (proven, copied) = (signer(5, 1, ByCertificate, Active, Disable), signer(5, 2, SniOnly, Active, Enable));
    let (held, known) = (owner(2, SniOnly), owner(1, ByCertificate));
    for (server_name, owners, signers, expected) in [
        (Host, &[][..], &[proven, copied][..], Some(tenant(1))),
        (Absent, &[held], &[proven], Some(tenant(1))),
        (Host, &[held, known], &[copied], Some(tenant(1))),
        (Host, &[held], &[copied], None),
        (Endpoint(tenant(2)), &[], &[proven, copied], Some(tenant(2))),
    ] {
        assert_eq!(concerned(server_name, owners, signers), expected, "{server_name:?} {owners:?} {signers:?}");
    }
    assert_eq!(nobody_registers(&[copied, proven]), Refusal::AutoRegistrationDisabled(ca(5)));
}

#[test]
fn a_known_certificate_is_judged_by_the_account_that_the_client_means() {
    let (one, two, three) = (owner(1, ByCertificate), owner(2, SniOnly), owner(3, ByCertificate));
    for (owners, server_name, expected) in [
        (&[][..], Host, Known::Unknown),
        (&[one], Host, Known::By(one)),
        (&[one], Absent, Known::By(one)),
        (&[one], Endpoint(tenant(1)), Known::By(one)),
        (&[one], Endpoint(tenant(2)), Known::Unknown),
        (&[two], Host, Known::Unknown),
        (&[two], Endpoint(tenant(2)), Known::By(two)),
        (&[one, two], Absent, Known::By(one)),
        (&[one, two], Endpoint(tenant(2)), Known::By(two)),
        (&[one, three], Host, Known::Ambiguous), // DEFAULT in two regions
        (&[one, three], Endpoint(tenant(3)), Known::By(three)),
    ] {
        assert_eq!(known(owners, server_name), expected, "{owners:?} {server_name:?}");
    }
}

#[test]
fn the_ca_that_registers_is_active_enabled_and_meant() {
    use CaStatus::{Active, Inactive};
    use EndpointRequired as Need;
    let good = signer(5, 1, ByCertificate, Active, Enable);
    let renewed = signer(4, 1, ByCertificate, Active, Enable);
    let off = signer(6, 1, ByCertificate, Active, Disable);
    let inactive = signer(7, 1, ByCertificate, Inactive, Enable);
    let neither = signer(8, 1, ByCertificate, Inactive, Disable);
    let other = signer(5, 2, ByCertificate, Active, Enable);
    let by_sni = signer(5, 2, SniOnly, Active, Enable);
    let need = Refusal::EndpointRequired;
    for (signers, server_name, without_sni, expected) in [
        (&[good][..], Host, true, Ok(good)),
        (&[good], Host, false, Ok(good)),
        (&[good], Absent, true, Ok(good)),
        (&[good], Absent, false, Err(need(Need::ToRegister))),
        (&[good], Endpoint(tenant(1)), false, Ok(good)),
        (&[good], Endpoint(tenant(2)), true, Err(Refusal::OtherAccount)),
        (&[good, renewed], Host, true, Ok(renewed)), // the smaller id
        (&[renewed, good], Host, true, Ok(renewed)),
        (&[off, good], Host, true, Ok(good)),
        (&[off], Host, true, Err(Refusal::AutoRegistrationDisabled(ca(6)))),
        (&[inactive], Host, true, Err(Refusal::CaInactive(ca(7)))),
        (&[neither], Host, true, Err(Refusal::CaInactive(ca(8)))),
        (&[neither, off], Host, true, Err(Refusal::AutoRegistrationDisabled(ca(6)))),
        (&[off], Absent, false, Err(Refusal::AutoRegistrationDisabled(ca(6)))), // the nearer reason
        (&[good, other], Host, true, Err(need(Need::SeveralOwners))),
        (&[good, other], Endpoint(tenant(2)), true, Ok(other)),
        (&[by_sni], Host, true, Err(need(Need::SniOnly))),
        (&[by_sni], Endpoint(tenant(2)), true, Ok(by_sni)),
        (&[good, by_sni], Absent, true, Ok(good)),
    ] {
        let found = registrar(signers, server_name, without_sni);
        assert_eq!(found, expected, "{signers:?} {server_name:?} {without_sni}");
    }
}

#[test]
fn only_active_and_pending_certificates_come_in() {
    use CertificateStatus::*;
    for (status, expected) in [
        (Active, Ok(true)),
        (PendingActivation, Ok(false)),
        (Inactive, Err(Refusal::Inactive)),
        (RegisterInactive, Err(Refusal::Inactive)),
        (Revoked, Err(Refusal::Revoked)),
        (PendingTransfer, Err(Refusal::InTransfer)),
    ] {
        assert_eq!(judge_status(status), expected, "{status:?}");
    }
}
