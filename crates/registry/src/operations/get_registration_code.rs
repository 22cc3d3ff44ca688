//! AWS: API_GetRegistrationCode.

use tidegate_ids::{Now, RegistrationCode, Tenant};
use tidegate_kv::Transaction;

use crate::{Registry, RegistryError, records::RegistrationCodeRecord, tables::REGISTRATION_CODES};

impl Registry {
    /// The code that a verification certificate must carry: the same until it is deleted.
    pub async fn get_registration_code(&self, tenant: Tenant, now: Now) -> Result<RegistrationCode, RegistryError> {
        let fresh = RegistrationCode::from_bytes(self.chance().bytes());
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            if let Some(row) = REGISTRATION_CODES.get(&read, &tenant).await? {
                return Ok((transaction, row.value.code));
            }
            let record = RegistrationCodeRecord { code: fresh, created: now.wall };
            REGISTRATION_CODES.insert(&mut transaction, &tenant, &record);
            Ok((transaction, fresh))
        })
        .await
    }
}
