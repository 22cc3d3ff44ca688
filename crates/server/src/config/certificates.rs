//! `[[certificate]]`: server certificates of somebody's own, which domain configurations name by an ARN.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use tidegate_ids::{AccountId, Arn, Region, Tenant};
use tidegate_pki::{PrivateKey, X509, pem};
use tidegate_registry::NewServerCertificate;
use tidegate_tls::ServerCertificate;
use zeroize::Zeroizing;

use super::ConfigError;

/// A server certificate in files.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Certificate {
    /// Its name, as behind `certificate/` in its ARN.
    pub name: String,
    /// Whose; the first account's when absent.
    pub account_id: Option<AccountId>,
    /// Where; the first region when absent.
    pub region: Option<Region>,
    /// A file with the certificate in PEM, and what leads to its root behind it, from the configuration's folder.
    pub chain_file: PathBuf,
    /// A file with its private key in PEM, not encrypted, from the configuration's folder.
    pub key_file: PathBuf,
}

/// Refuses certificates that could not be named.
pub(super) fn check(certificates: &[Certificate]) -> Result<(), ConfigError> {
    for Certificate { name, .. } in certificates {
        // AWS: the pattern of `AcmCertificateArn`.
        let legal = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(legal) {
            return Err(ConfigError::Conflict(format!("certificate {name:?}: a name has 1-64 letters, digits and -")));
        }
    }
    Ok(())
}

impl Certificate {
    /// Refuses certificates that could not be told apart; `first` is the first account and region.
    pub(crate) fn check_arns(certificates: &[Self], first: Tenant) -> Result<(), ConfigError> {
        let mut arns: Vec<_> = certificates.iter().map(|one| one.arn(first).to_string()).collect();
        arns.sort_unstable();
        match arns.windows(2).find(|pair| pair[0] == pair[1]) {
            Some(pair) => Err(ConfigError::Conflict(format!("two certificates have the ARN {}", pair[0]))),
            None => Ok(()),
        }
    }

    /// What its files hold; `configuration` is the path of the file that names them, `first` the first account and region.
    pub(crate) fn open(
        &self,
        configuration: Option<&Path>,
        first: Tenant,
    ) -> Result<NewServerCertificate, ConfigError> {
        let bad = |what: String| ConfigError::Conflict(format!("certificate {:?}: {what}", self.name));
        let folder = configuration.and_then(Path::parent).unwrap_or(Path::new(""));
        let read = |setting: &str, file: &Path| {
            let path = folder.join(file);
            let text = std::fs::read_to_string(&path).map(Zeroizing::new);
            text.map_err(|error| bad(format!("cannot read {setting} {}: {error}", path.display())))
        };
        let chain_pem = read("chain_file", &self.chain_file)?;
        let chain = pem::certificates(&chain_pem).map_err(|error| bad(format!("chain_file: {error}")))?;
        let first_of_chain = chain.first().ok_or_else(|| bad("chain_file has no certificate".into()))?;
        let leaf = X509::parse(first_of_chain).map_err(|error| bad(format!("chain_file: {error}")))?;
        let key = PrivateKey::from_pem(&read("key_file", &self.key_file)?);
        let key = key.map_err(|error| bad(format!("key_file: {error}")))?;
        if key.public_key() != leaf.public_key() {
            return Err(bad("key_file does not belong to the first certificate in chain_file".into()));
        }
        let chain_pem = chain.iter().map(|der| pem::encode("CERTIFICATE", der)).collect();
        ServerCertificate::from_der(chain, key.pkcs8_der()).map_err(|error| bad(error.to_string()))?;
        Ok(NewServerCertificate {
            name: self.arn(first).to_string(),
            names: leaf.dns_names(),
            chain_pem,
            key_pkcs8: Zeroizing::new(key.pkcs8_der().to_vec()),
        })
    }

    fn arn(&self, first: Tenant) -> Arn {
        Arn {
            service: "acm".into(),
            region: Some(self.region.unwrap_or(first.region)),
            account: Some(self.account_id.unwrap_or(first.account)),
            resource: format!("certificate/{}", self.name).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(name: &str, account: Option<&str>) -> Certificate {
        Certificate {
            name: name.into(),
            account_id: account.map(|account| account.parse().unwrap()),
            region: None,
            chain_file: "chain.pem".into(),
            key_file: "key.pem".into(),
        }
    }

    #[test]
    fn certificates_have_names_and_arns_that_tell_them_apart() {
        let first = Tenant { account: "111111111111".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let (a, b) = (Some("111111111111"), Some("222222222222"));
        let other = "eu-central-1".parse().unwrap();
        for (certificates, valid) in [
            (vec![], true),
            (vec![certificate("mqtt-1", None)], true),
            (vec![certificate("", None)], false),
            (vec![certificate("a/b", None)], false),
            (vec![certificate(&"a".repeat(65), None)], false),
            (vec![certificate("a", a), certificate("a", b)], true),
            (vec![certificate("a", a), certificate("b", a), certificate("a", a)], false),
            (vec![certificate("a", a), certificate("a", None)], false),
            (vec![certificate("a", b), certificate("a", None)], true),
            (vec![certificate("a", None), Certificate { region: Some(first.region), ..certificate("a", a) }], false),
            (vec![certificate("a", None), Certificate { region: Some(other), ..certificate("a", a) }], true),
        ] {
            let checked = check(&certificates).and_then(|()| Certificate::check_arns(&certificates, first));
            assert_eq!(checked.is_ok(), valid, "{certificates:?}");
        }
    }

    #[test]
    fn the_first_account_and_region_are_meant_unless_others_are_named() {
        let first = Tenant { account: "111111111111".parse().unwrap(), region: "us-east-1".parse().unwrap() };
        let arn = |certificate: Certificate| certificate.arn(first).to_string();
        assert_eq!(arn(certificate("c", None)), "arn:aws:acm:us-east-1:111111111111:certificate/c");
        let other =
            Certificate { region: Some("eu-central-1".parse().unwrap()), ..certificate("c", Some("222222222222")) };
        assert_eq!(arn(other), "arn:aws:acm:eu-central-1:222222222222:certificate/c");
    }
}
