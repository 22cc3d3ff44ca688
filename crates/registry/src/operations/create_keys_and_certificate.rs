//! AWS: API_CreateKeysAndCertificate.

use std::fmt;

use tidegate_ids::{Now, Tenant};
use tidegate_pki::PrivateKey;
use zeroize::Zeroizing;

use crate::{CreatedCertificate, Registry, RegistryError};

/// A device certificate with its key pair, which is kept nowhere: this is the only copy. `Debug` hides the private key.
#[derive(Clone)]
pub struct CreatedKeysAndCertificate {
    /// The certificate.
    pub certificate: CreatedCertificate,
    /// `-----BEGIN PUBLIC KEY-----`.
    pub public_key_pem: String,
    /// `-----BEGIN RSA PRIVATE KEY-----`.
    pub private_key_pem: Zeroizing<String>,
}

impl fmt::Debug for CreatedKeysAndCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CreatedKeysAndCertificate").field("certificate", &self.certificate).finish_non_exhaustive()
    }
}

impl Registry {
    /// Issues a device certificate for `key`, by the broker's own CA.
    ///
    /// `key` is fresh from [`PrivateKey::generate_rsa_2048`], which takes tens of milliseconds: let a blocking thread make it.
    pub async fn create_keys_and_certificate(
        &self,
        tenant: Tenant,
        key: &PrivateKey,
        set_as_active: bool,
        now: Now,
    ) -> Result<CreatedKeysAndCertificate, RegistryError> {
        let issued = self.issuers().device.device_certificate(key.public_key(), now.wall);
        let leaf = issued.map_err(|error| RegistryError::Internal(error.into()))?;
        Ok(CreatedKeysAndCertificate {
            certificate: self.insert_issued(tenant, leaf, set_as_active, now).await?,
            public_key_pem: key.public_key_pem(),
            private_key_pem: key.pem(),
        })
    }
}
