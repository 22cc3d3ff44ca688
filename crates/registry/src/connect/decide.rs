//! What follows from what a client presented and from the rows in memory: pure functions.

use tidegate_ids::{Tenant, Timestamp};
use tidegate_pki::{ClientLeaf, PkiError};

use super::{EndpointRequired, Refusal, ServerName};
use crate::{
    AutoRegistrationStatus, CaStatus, CertificateMode, CertificateStatus,
    directory::{CaOwner, NoSigner, Owner, Signer},
};

/// Which account's row a known certificate is judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    /// This one's.
    By(Owner),
    /// No account that the client can mean has it.
    Unknown,
    /// More than one has it: the client must say which.
    Ambiguous,
}

/// The account that the client means, among those that own its certificate.
///
/// AWS: developer guide, "Transport security": the endpoint in SNI names the account; without one, only a certificate
/// in DEFAULT mode has an account.
pub(super) fn known(owners: &[Owner], server_name: ServerName) -> Known {
    let mut found = owners.iter().filter(|owner| owns_as_meant(owner, server_name));
    match (found.next(), found.next()) {
        (None, _) => Known::Unknown,
        (Some(owner), None) => Known::By(*owner),
        // A transfer from one to the other: neither lets it in.
        (Some(owner), Some(other)) if in_transfer(owner) && in_transfer(other) && found.next().is_none() => {
            Known::By(*owner)
        }
        (Some(_), Some(_)) => Known::Ambiguous,
    }
}

fn in_transfer(owner: &Owner) -> bool {
    owner.status == CertificateStatus::PendingTransfer
}

/// Whether the client means this account of its certificate.
pub(super) fn owns_as_meant(owner: &Owner, server_name: ServerName) -> bool {
    match server_name {
        ServerName::Endpoint(tenant) => owner.tenant == tenant,
        ServerName::Host | ServerName::Absent => owner.mode == CertificateMode::Default,
    }
}

/// Whether a certificate in this status goes on to its policies (`true`), or to its event (`false`), or nowhere.
pub(super) fn judge_status(status: CertificateStatus) -> Result<bool, Refusal> {
    match status {
        CertificateStatus::Active => Ok(true),
        CertificateStatus::PendingActivation => Ok(false),
        CertificateStatus::Inactive | CertificateStatus::RegisterInactive => Err(Refusal::Inactive),
        CertificateStatus::Revoked => Err(Refusal::Revoked),
        CertificateStatus::PendingTransfer => Err(Refusal::InTransfer),
    }
}

/// Whether the leaf may be used at `now`, whoever signed it.
///
/// AWS: developer guide, "X.509 client certificates": dates and algorithms.
/// Unverified: a leaf that is not valid yet is refused and not registered.
pub(super) fn judge_leaf(leaf: &ClientLeaf, now: Timestamp) -> Result<(), Refusal> {
    leaf.check_dates(now).map_err(|error| match error {
        PkiError::NotYetValid(start) => Refusal::NotYetValid(start),
        _ => Refusal::Expired(leaf.not_after()),
    })?;
    leaf.check_algorithms().map_err(|error| Refusal::Algorithm(error.to_string()))
}

/// The account and CA that register an unknown leaf, among the CAs that signed it.
///
/// Of several CAs of one account (renewed under the same key), the one with the smallest id, so that every node and every CONNECT
/// chooses the same.
pub(super) fn registrar(
    signers: &[Signer],
    server_name: ServerName,
    registers_without_sni: bool,
) -> Result<Signer, Refusal> {
    let meant: Vec<&Signer> = signers.iter().filter(|(_, owner)| is_meant(owner, server_name)).collect();
    let mut registering: Vec<&Signer> = meant.iter().copied().filter(|(_, owner)| owner.registers()).collect();
    registering.sort_by_key(|(id, _)| *id);
    let Some(first) = registering.first() else {
        let sni_only = signers.iter().any(|(_, owner)| owner.mode == CertificateMode::SniOnly);
        return Err(why_not_registered(&meant, server_name, sni_only));
    };
    if registering.iter().any(|(_, owner)| owner.tenant != first.1.tenant) {
        return Err(Refusal::EndpointRequired(EndpointRequired::SeveralOwners));
    }
    if server_name == ServerName::Absent && !registers_without_sni {
        return Err(Refusal::EndpointRequired(EndpointRequired::ToRegister));
    }
    Ok(**first)
}

/// Whether the client means this account of its CA.
pub(super) fn is_meant(owner: &CaOwner, server_name: ServerName) -> bool {
    match server_name {
        ServerName::Endpoint(tenant) => owner.tenant == tenant,
        ServerName::Host | ServerName::Absent => owner.mode == CertificateMode::Default,
    }
}

/// Why none of the CAs that are meant registers: the state that is nearest to doing so.
fn why_not_registered(meant: &[&Signer], server_name: ServerName, sni_only: bool) -> Refusal {
    let active = |(_, owner): &&&Signer| owner.status == CaStatus::Active;
    let enabled = |(_, owner): &&&Signer| owner.auto_registration == AutoRegistrationStatus::Enable;
    match (meant.iter().find(enabled), meant.iter().find(active), meant.first()) {
        (Some((id, _)), _, _) => Refusal::CaInactive(*id),
        (None, Some((id, _)), _) => Refusal::AutoRegistrationDisabled(*id),
        (None, None, Some((id, _))) => Refusal::CaInactive(*id),
        (None, None, None) => match server_name {
            ServerName::Endpoint(_) => Refusal::OtherAccount,
            ServerName::Host | ServerName::Absent if sni_only => Refusal::EndpointRequired(EndpointRequired::SniOnly),
            ServerName::Host | ServerName::Absent => Refusal::OtherAccount,
        },
    }
}

/// Why a leaf that registered CAs signed finds none that registers it, wherever it may turn to.
///
/// Accounts that have proven to hold the CA's key come first: anybody may register a CA in SNI_ONLY mode.
pub(super) fn nobody_registers(signers: &[Signer]) -> Refusal {
    let proven: Vec<_> = signers.iter().filter(|(_, owner)| owner.mode == CertificateMode::Default).collect();
    let meant = if proven.is_empty() { signers.iter().collect() } else { proven };
    why_not_registered(&meant, ServerName::Absent, false)
}

/// Why a leaf that no account knows, and no registered CA signed, is refused.
pub(super) fn unsigned(leaf: &ClientLeaf, why: NoSigner) -> Refusal {
    let issuer = leaf.issuer_text();
    match why {
        NoSigner::UnknownName => Refusal::NoIssuer { issuer },
        NoSigner::OtherKey => Refusal::NotSignedByIssuer { issuer },
    }
}

/// The reason to give when a certificate is known, though not to the account that is meant, and cannot be registered
/// there either.
pub(super) fn known_elsewhere(owners: &[Owner], server_name: ServerName, refusal: Refusal) -> Refusal {
    match (server_name, &refusal) {
        (_, Refusal::NoIssuer { .. } | Refusal::NotSignedByIssuer { .. } | Refusal::OtherAccount)
            if !owners.is_empty() =>
        {
            match server_name {
                ServerName::Endpoint(_) => Refusal::OtherAccount,
                ServerName::Host | ServerName::Absent => Refusal::EndpointRequired(EndpointRequired::SniOnly),
            }
        }
        _ => refusal,
    }
}

/// Which account's log a refusal belongs to: the account that the client named, or the only one that holds its certificate or
/// CA in DEFAULT mode.
///
/// Anybody may hold anybody's certificates in SNI_ONLY mode: that neither brings an account the others' log lines nor takes them
/// away.
pub(super) fn concerned(server_name: ServerName, owners: &[Owner], signers: &[Signer]) -> Option<Tenant> {
    match server_name {
        ServerName::Endpoint(tenant) => Some(tenant),
        ServerName::Host | ServerName::Absent => {
            let owners = owners.iter().filter(|owner| owns_as_meant(owner, server_name)).map(|owner| owner.tenant);
            let cas = signers.iter().filter(|(_, ca)| is_meant(ca, server_name)).map(|(_, ca)| ca.tenant);
            let mut tenants = owners.chain(cas);
            let first = tenants.next()?;
            tenants.all(|tenant| tenant == first).then_some(first)
        }
    }
}

#[cfg(test)]
mod tests;
