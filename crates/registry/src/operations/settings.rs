//! Settings that are kept with the data: what the first start chose, for one.

use tidegate_kv::Transaction;

use crate::{Registry, RegistryError, records::SettingRecord, tables::SETTINGS};

impl Registry {
    /// A setting's value.
    pub async fn setting(&self, name: &str) -> Result<Option<serde_json::Value>, RegistryError> {
        let row = SETTINGS.get(&self.read().await?, &name.to_owned()).await?;
        Ok(row.map(|row| row.value.value))
    }

    /// Gives a setting a value.
    pub async fn put_setting(&self, name: &str, value: serde_json::Value) -> Result<(), RegistryError> {
        let record = &SettingRecord { value };
        self.change(|_| async move {
            let mut transaction = Transaction::new();
            SETTINGS.put(&mut transaction, &name.to_owned(), record);
            Ok((transaction, ()))
        })
        .await
    }
}
