//! What receivers of transfers are to be told by whoever tells them, kept until it is told. Ours: AWS tells nobody.

use tidegate_ids::{AccountId, CertificateId, Now, Region, Tenant};
use tidegate_kv::{Direction, Revision, Transaction};

use crate::{Registry, RegistryError, Transfer, TransferNoticeRecord, TransferStep, tables::TRANSFER_NOTICES};

/// Where a notice stands in the order of its account's: by region and certificate.
pub type TransferNoticePlace = (Region, CertificateId);

/// One thing to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferNotice {
    /// Whom.
    pub receiver: Tenant,
    /// Of which certificate.
    pub certificate_id: CertificateId,
    /// What.
    pub record: TransferNoticeRecord,
    revision: Revision,
}

impl TransferNotice {
    /// See [`TransferNoticePlace`].
    pub fn place(&self) -> TransferNoticePlace {
        (self.receiver.region, self.certificate_id)
    }
}

impl Registry {
    /// Up to `limit` notices of an account, those behind `after` first to last. A certificate has one: its newest step.
    pub async fn transfer_notices(
        &self,
        account: AccountId,
        after: Option<TransferNoticePlace>,
        limit: usize,
    ) -> Result<Vec<TransferNotice>, RegistryError> {
        let mut range = TRANSFER_NOTICES.under(&account);
        if let Some((region, id)) = after {
            range = range.after(&(account, region, id));
        }
        let rows = TRANSFER_NOTICES.scan(&self.read().await?, &range, limit, Direction::Ascending).await?;
        let notice = |row: tidegate_kv::Row<(AccountId, Region, CertificateId), _>| TransferNotice {
            receiver: Tenant { account: row.key.0, region: row.key.1 },
            certificate_id: row.key.2,
            record: row.value,
            revision: row.revision,
        };
        Ok(rows.into_iter().map(notice).collect())
    }

    /// The account was told, or never will be. A newer notice about the certificate stays.
    pub async fn forget_transfer_notice(&self, notice: &TransferNotice) -> Result<(), RegistryError> {
        let Tenant { account, region } = notice.receiver;
        let key = (account, region, notice.certificate_id);
        let mut transaction = Transaction::new();
        TRANSFER_NOTICES.remove(&mut transaction, &key, notice.revision);
        self.commit(transaction).await.map(drop)
    }

    /// What to write for an account that somebody tells; `None` for the others.
    pub(super) fn transfer_notice(
        &self,
        receiver: Tenant,
        step: TransferStep,
        transfer: &Transfer,
        now: Now,
    ) -> Option<TransferNoticeRecord> {
        self.is_told_of_transfers(receiver.account).then(|| TransferNoticeRecord {
            step,
            from: transfer.from,
            message: transfer.message.clone(),
            at: now.wall,
            delivery_id: self.generation_id(),
        })
    }
}

/// Writes the notice, over an older one about the same certificate.
pub(super) fn put_notice(
    transaction: &mut Transaction,
    receiver: Tenant,
    id: CertificateId,
    notice: Option<&TransferNoticeRecord>,
) {
    if let Some(notice) = notice {
        TRANSFER_NOTICES.put(transaction, &(receiver.account, receiver.region, id), notice);
    }
}
