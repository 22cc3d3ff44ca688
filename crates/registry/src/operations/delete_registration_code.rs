//! AWS: API_DeleteRegistrationCode.

use tidegate_ids::Tenant;
use tidegate_kv::Transaction;

use crate::{Registry, RegistryError, tables::REGISTRATION_CODES};

impl Registry {
    /// Forgets the code; the next GetRegistrationCode makes another. CA certificates registered with it stay.
    ///
    /// # Errors
    /// `RegistrationCodeNotFound`.
    pub async fn delete_registration_code(&self, tenant: Tenant) -> Result<(), RegistryError> {
        self.change(|read| async move {
            let row = REGISTRATION_CODES.get(&read, &tenant).await?.ok_or(RegistryError::RegistrationCodeNotFound)?;
            let mut transaction = Transaction::new();
            REGISTRATION_CODES.remove(&mut transaction, &tenant, row.revision);
            Ok((transaction, ()))
        })
        .await
    }
}
