//! Transfers between accounts, as a committed transaction tells of them.

use tidegate_ids::{CertificateId, Tenant};
use tidegate_kv::{Committed, StoreError, TableChange};

use crate::{
    CertificateStatus, RegistryChange, Transfer, TransferStep,
    tables::{CERTIFICATES, CERTIFICATES_OUTGOING},
};

/// The offer that the transaction makes or takes back, if any; acceptance and rejection are the receiver's own doing.
///
/// Every step of a transfer writes or deletes one row of the outgoing certificates, and both accounts' rows of the certificate.
pub(super) fn told(committed: &Committed) -> Result<Option<RegistryChange>, StoreError> {
    let Some(outgoing) = committed.changes.iter().find(|change| change.table == CERTIFICATES_OUTGOING.name()) else {
        return Ok(None);
    };
    let (giver, certificate_id, offered) = match CERTIFICATES_OUTGOING.change(outgoing)? {
        Some(TableChange::Put((giver, _, id), ())) => (giver, id, true),
        Some(TableChange::Delete((giver, _, id))) => (giver, id, false),
        None => return Ok(None),
    };
    if offered { offer(committed, giver, certificate_id) } else { cancellation(committed, giver, certificate_id) }
}

/// The receiver's row says what it is offered.
fn offer(committed: &Committed, giver: Tenant, id: CertificateId) -> Result<Option<RegistryChange>, StoreError> {
    for change in &committed.changes {
        if let Some(TableChange::Put((receiver, of), record)) = CERTIFICATES.change(change)?
            && of == id
            && receiver != giver
            && let Some(transfer) = record.transfer
        {
            let Transfer { from, message, .. } = *transfer;
            let (certificate_id, step) = (id, TransferStep::Offered);
            return Ok(Some(RegistryChange::Transfer { receiver, certificate_id, step, from, message }));
        }
    }
    Ok(None)
}

/// The giver's row is INACTIVE and bears no transfer any more (a rejected one stays), the receiver's is gone.
fn cancellation(committed: &Committed, giver: Tenant, id: CertificateId) -> Result<Option<RegistryChange>, StoreError> {
    let (mut cancelled, mut receiver) = (false, None);
    for change in &committed.changes {
        match CERTIFICATES.change(change)? {
            Some(TableChange::Put((tenant, of), record)) if (tenant, of) == (giver, id) => {
                cancelled = record.status == CertificateStatus::Inactive && record.transfer.is_none();
            }
            Some(TableChange::Delete((tenant, of))) if of == id && tenant != giver => receiver = Some(tenant),
            Some(TableChange::Put(..) | TableChange::Delete(_)) | None => {}
        }
    }
    Ok(receiver.filter(|_| cancelled).map(|receiver| RegistryChange::Transfer {
        receiver,
        certificate_id: id,
        step: TransferStep::Cancelled,
        from: giver.account,
        message: None,
    }))
}
