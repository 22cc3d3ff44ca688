//! What the broker shows to its clients. The certificate manager adopts these rows.

use std::fmt;

use tidegate_ids::Now;
use tidegate_kv::{KeyRange, Transaction};
use tidegate_pki::{PkiError, PrivateKey, X509, issue, pem, seal::MasterKey};
use zeroize::Zeroizing;

use crate::{
    Registry, RegistryError, Validity,
    records::{Sealed, ServerCertificateRecord},
    tables::SERVER_CERTIFICATES,
};

/// A server certificate with its key. `Debug` hides the key.
#[derive(Clone)]
pub struct ServerCertificate {
    /// What it is stored under, such as `default`.
    pub name: String,
    /// Names in the certificate: DNS names and IP addresses.
    pub names: Vec<String>,
    /// The certificate and what leads to its root, in PEM, leaf first.
    pub chain_pem: String,
    /// Its private key, PKCS #8 in DER.
    pub key_pkcs8: Zeroizing<Vec<u8>>,
    /// The leaf's own dates.
    pub validity: Validity,
}

/// A server certificate to be stored.
#[derive(Clone)]
pub struct NewServerCertificate {
    /// What it is stored under; replaces what is there.
    pub name: String,
    /// Names in the certificate.
    pub names: Vec<String>,
    /// The chain in PEM, leaf first.
    pub chain_pem: String,
    /// Its private key, PKCS #8 in DER.
    pub key_pkcs8: Zeroizing<Vec<u8>>,
}

impl fmt::Debug for ServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerCertificate")
            .field("name", &self.name)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NewServerCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NewServerCertificate").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Registry {
    /// The server certificate that is stored under `name`.
    ///
    /// # Errors
    /// `Internal`, when its key was sealed under another master key.
    pub async fn server_certificate(&self, name: &str) -> Result<Option<ServerCertificate>, RegistryError> {
        let row = SERVER_CERTIFICATES.get(&self.read().await?, &name.to_owned()).await?;
        row.map(|row| self.open_server_certificate(name.to_owned(), row.value)).transpose()
    }

    /// What server certificates are stored under, by name, and their dates. No key is opened: one that cannot be keeps nobody from the rest.
    pub async fn server_certificate_dates(&self) -> Result<Vec<(String, Validity)>, RegistryError> {
        let mut all = Vec::new();
        let read = self.read().await?;
        SERVER_CERTIFICATES.each(&read, KeyRange::all(), |row| all.push((row.key, row.value.validity))).await?;
        Ok(all)
    }

    /// Issues a certificate for `names` by the broker's own CA, with a fresh P-256 key, and stores it under `name`.
    ///
    /// # Errors
    /// `InvalidRequest`, when a name is neither a DNS name nor an IP address.
    pub async fn issue_server_certificate(
        &self,
        name: &str,
        names: &[String],
        validity: Validity,
        now: Now,
    ) -> Result<ServerCertificate, RegistryError> {
        let record = self.issued_server_certificate(name, names, validity, now)?;
        self.store_server_certificate(name, &record).await?;
        self.open_server_certificate(name.to_owned(), record)
    }

    /// Issues again what the broker's own CA issued before, under the same names, if it is still there.
    pub async fn renew_server_certificate(&self, name: &str, now: Now) -> Result<(), RegistryError> {
        let name = &name.to_owned();
        self.change(|read| async move {
            let mut transaction = Transaction::new();
            if let Some(row) = SERVER_CERTIFICATES.get(&read, name).await? {
                let validity = Validity::of_server_certificate(now.wall);
                let renewed = self.issued_server_certificate(name, &row.value.names, validity, now)?;
                SERVER_CERTIFICATES.replace(&mut transaction, name, row.revision, &renewed);
            }
            Ok((transaction, ()))
        })
        .await
    }

    /// The row of a certificate by the broker's own CA, not stored yet.
    pub(super) fn issued_server_certificate(
        &self,
        name: &str,
        names: &[String],
        validity: Validity,
        now: Now,
    ) -> Result<ServerCertificateRecord, RegistryError> {
        let internal = |error: tidegate_pki::PkiError| RegistryError::Internal(error.into());
        let key = PrivateKey::generate_p256().map_err(internal)?;
        let dates = issue::Validity { not_before: validity.not_before, not_after: validity.not_after };
        let texts: Vec<&str> = names.iter().map(String::as_str).collect();
        let ca = &self.issuers().server;
        let leaf = ca
            .server_certificate(&texts, key.public_key(), dates)
            .map_err(|error| RegistryError::InvalidRequest(error.to_string()))?;
        let input = NewServerCertificate {
            name: name.to_owned(),
            names: names.to_vec(),
            chain_pem: format!("{}{}", leaf.pem(), ca.certificate().pem()),
            key_pkcs8: Zeroizing::new(key.pkcs8_der().to_vec()),
        };
        self.server_certificate_record(&input, now)
    }

    /// Stores a server certificate, replacing the one of the same name.
    ///
    /// # Errors
    /// `InvalidRequest`, when the chain or the key cannot be read or do not belong together.
    pub async fn put_server_certificate(
        &self,
        input: NewServerCertificate,
        now: Now,
    ) -> Result<ServerCertificate, RegistryError> {
        let record = self.server_certificate_record(&input, now)?;
        self.store_server_certificate(&input.name, &record).await?;
        self.open_server_certificate(input.name, record)
    }

    fn server_certificate_record(
        &self,
        input: &NewServerCertificate,
        now: Now,
    ) -> Result<ServerCertificateRecord, RegistryError> {
        let invalid = |error: tidegate_pki::PkiError| RegistryError::InvalidRequest(error.to_string());
        let chain = pem::certificates(&input.chain_pem).map_err(invalid)?;
        let first = chain.first().ok_or_else(|| RegistryError::InvalidRequest("the chain is empty".into()))?;
        let leaf = X509::parse(first).map_err(invalid)?;
        let key = PrivateKey::from_pkcs8_der(&input.key_pkcs8).map_err(invalid)?;
        if key.public_key() != leaf.public_key() {
            return Err(RegistryError::InvalidRequest("the private key does not belong to the certificate".into()));
        }
        Ok(ServerCertificateRecord {
            names: input.names.clone(),
            chain_pem: input.chain_pem.clone(),
            key: Sealed(self.master_key().seal(&place(&input.name), &input.key_pkcs8)),
            validity: Validity { not_before: leaf.not_before(), not_after: leaf.not_after() },
            created: now.wall,
        })
    }

    async fn store_server_certificate(
        &self,
        name: &str,
        record: &ServerCertificateRecord,
    ) -> Result<(), RegistryError> {
        let name = &name.to_owned();
        self.change(|_| async move {
            let mut transaction = Transaction::new();
            SERVER_CERTIFICATES.put(&mut transaction, name, record);
            Ok((transaction, ()))
        })
        .await
    }

    fn open_server_certificate(
        &self,
        name: String,
        record: ServerCertificateRecord,
    ) -> Result<ServerCertificate, RegistryError> {
        opened(self.master_key(), name, &record).map_err(|error| RegistryError::Internal(error.into()))
    }
}

/// A stored certificate with its key.
pub(crate) fn opened(
    master_key: &MasterKey,
    name: String,
    record: &ServerCertificateRecord,
) -> Result<ServerCertificate, PkiError> {
    let key_pkcs8 = master_key.open(&place(&name), &record.key.0)?;
    let ServerCertificateRecord { names, chain_pem, validity, .. } = record.clone();
    Ok(ServerCertificate { name, names, chain_pem, key_pkcs8, validity })
}

/// What the key is sealed for.
fn place(name: &str) -> Vec<u8> {
    format!("{}/{name}", SERVER_CERTIFICATES.name()).into_bytes()
}
