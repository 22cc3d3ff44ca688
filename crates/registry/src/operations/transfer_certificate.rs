//! AWS: API_TransferCertificate. What the other ends of a transfer share is here too.

use tidegate_ids::{AccountId, Arn, CertificateId, Now, Tenant};
use tidegate_kv::{Direction, Expected, Snapshot, Transaction, Versioned};
use tidegate_pki::ClientLeaf;

use super::{
    attach_thing_principal::require_no_things,
    delete_certificate::stored_leaf,
    describe_certificate::read_certificate,
    register_certificate::{put_certificate, rewritable_part},
    transfer_notices::put_notice,
};
use crate::{
    CertificateStatus, DeviceCertificateRecord, PolicyTarget, Registry, RegistryError, ThingPrincipal, Transfer,
    TransferStep,
    tables::{CERTIFICATES, CERTIFICATES_BY_SIGNED_PART, CERTIFICATES_OUTGOING, POLICIES_OF_TARGET},
};

impl Registry {
    /// Offers an INACTIVE certificate without policies and things to another account of the region: it is PENDING_TRANSFER in both until
    /// the receiver accepts or rejects it, or this account cancels. Answers its ARN in the receiving account.
    ///
    /// Whether the account exists is not looked at: AWS tells nobody. `message` has up to 128 characters.
    /// AWS: developer guide, "Transfer a certificate to another account".
    ///
    /// # Errors
    /// `CertificateNotFound`, `CertificateNotTransferable`, `TransferPoliciesAttached`, `TransferThingsAttached`, `InvalidRequest` when the receiver is
    /// this account, `TransferTargetHolds`.
    pub async fn transfer_certificate(
        &self,
        tenant: Tenant,
        certificate_id: CertificateId,
        to: AccountId,
        message: Option<String>,
        now: Now,
    ) -> Result<Arn, RegistryError> {
        let receiver = Tenant { account: to, region: tenant.region };
        let transfer =
            &Transfer { from: tenant.account, to, message, transferred: now.wall, accepted: None, rejected: None };
        let (given, offered) = (&self.generation_id(), &self.generation_id());
        let notice = &self.transfer_notice(receiver, TransferStep::Offered, transfer, now);
        self.change(|read| async move {
            let row = read_certificate(&read, tenant, certificate_id).await?;
            check_transferable(row.value.status, certificate_id)?;
            let mut transaction = Transaction::new();
            require_no_policies(&read, &mut transaction, tenant, certificate_id).await?;
            let things = RegistryError::TransferThingsAttached(tenant, certificate_id);
            let principal = ThingPrincipal::Certificate(certificate_id);
            require_no_things(&read, &mut transaction, tenant, principal, things).await?;
            if to == tenant.account {
                return Err(RegistryError::InvalidRequest(
                    "targetAwsAccount is the account that owns it already".into(),
                ));
            }
            let leaf = stored_leaf(&row.value)?;
            require_not_held(&read, &mut transaction, receiver, &leaf).await?;
            let mut record = row.value;
            record.transfer = Some(Box::new(transfer.clone()));
            record.update(CertificateStatus::PendingTransfer, given.clone(), now.wall);
            CERTIFICATES.replace(&mut transaction, &(tenant, certificate_id), row.revision, &record);
            CERTIFICATES_OUTGOING.put(&mut transaction, &(tenant, record.created, certificate_id), &());
            record.generation_id = offered.clone();
            CERTIFICATES.require(&mut transaction, &(receiver, certificate_id), Expected::Absent);
            put_certificate(&mut transaction, receiver, &leaf, &record);
            put_notice(&mut transaction, receiver, certificate_id, notice.as_ref());
            Ok((transaction, ()))
        })
        .await?;
        Ok(Arn::certificate(receiver, certificate_id))
    }
}

/// Whether a certificate in this status may be transferred.
fn check_transferable(status: CertificateStatus, id: CertificateId) -> Result<(), RegistryError> {
    use CertificateStatus::*;
    match status {
        Inactive | RegisterInactive => Ok(()),
        Active | Revoked | PendingTransfer | PendingActivation => {
            Err(RegistryError::CertificateNotTransferable(id, status))
        }
    }
}

/// Requires that no policy is attached when the transaction commits.
async fn require_no_policies(
    read: &Snapshot,
    transaction: &mut Transaction,
    tenant: Tenant,
    id: CertificateId,
) -> Result<(), RegistryError> {
    let attached = POLICIES_OF_TARGET.under(&(tenant, PolicyTarget::Certificate(id)));
    if !POLICIES_OF_TARGET.scan(read, &attached, 1, Direction::Ascending).await?.is_empty() {
        return Err(RegistryError::TransferPoliciesAttached(tenant, id));
    }
    POLICIES_OF_TARGET.require_empty(transaction, attached);
    Ok(())
}

/// Requires that the receiver has the certificate in no form, not as an offer either.
async fn require_not_held(
    read: &Snapshot,
    transaction: &mut Transaction,
    receiver: Tenant,
    leaf: &ClientLeaf,
) -> Result<(), RegistryError> {
    let id = leaf.certificate_id();
    let held = RegistryError::TransferTargetHolds(id);
    if CERTIFICATES.get(read, &(receiver, id)).await?.is_some() {
        return Err(held);
    }
    if let Some(part) = rewritable_part(leaf) {
        let forms = CERTIFICATES_BY_SIGNED_PART.under(&(part, receiver.region, receiver.account));
        if !CERTIFICATES_BY_SIGNED_PART.scan(read, &forms, 1, Direction::Ascending).await?.is_empty() {
            return Err(held);
        }
        CERTIFICATES_BY_SIGNED_PART.require_empty(transaction, forms);
    }
    Ok(())
}

/// A pending transfer: both accounts' rows of the certificate.
pub(super) struct Pending {
    pub(super) leaf: ClientLeaf,
    pub(super) giver: Tenant,
    pub(super) given: Versioned<DeviceCertificateRecord>,
    pub(super) receiver: Tenant,
    pub(super) offered: Versioned<DeviceCertificateRecord>,
}

impl Pending {
    /// The transfer to the account `receiver` that it may accept or reject.
    pub(super) async fn incoming(read: &Snapshot, receiver: Tenant, id: CertificateId) -> Result<Self, RegistryError> {
        let not_found = RegistryError::TransferNotFound(id);
        let Some(offered) = CERTIFICATES.get(read, &(receiver, id)).await? else { return Err(not_found) };
        let Some(transfer) = offered.value.transfer.as_deref().filter(|transfer| transfer.to == receiver.account)
        else {
            return Err(not_found);
        };
        if transfer.accepted.is_some() {
            return Err(RegistryError::TransferCompleted(id));
        }
        let giver = Tenant { account: transfer.from, ..receiver };
        let given = other_row(CERTIFICATES.get(read, &(giver, id)).await?)?;
        Ok(Self { leaf: stored_leaf(&offered.value)?, giver, given, receiver, offered })
    }

    /// The transfer from the account `giver` that it may cancel; `None` when there is none.
    pub(super) async fn outgoing(
        read: &Snapshot,
        giver: Tenant,
        id: CertificateId,
    ) -> Result<Option<Self>, RegistryError> {
        let Some(given) = CERTIFICATES.get(read, &(giver, id)).await? else { return Ok(None) };
        let pending = given.value.pending_transfer().filter(|transfer| transfer.from == giver.account);
        let Some(transfer) = pending else { return Ok(None) };
        let receiver = Tenant { account: transfer.to, ..giver };
        let offered = other_row(CERTIFICATES.get(read, &(receiver, id)).await?)?;
        Ok(Some(Self { leaf: stored_leaf(&given.value)?, giver, given, receiver, offered }))
    }
}

/// The other account's row. It cannot be missing: nothing but the end of a transfer removes or changes either.
fn other_row(
    row: Option<Versioned<DeviceCertificateRecord>>,
) -> Result<Versioned<DeviceCertificateRecord>, RegistryError> {
    row.ok_or_else(|| RegistryError::Internal("only one account has the certificate of a pending transfer".into()))
}
