//! Certificates to test with.

use rcgen::{BasicConstraints, CertificateParams, DistinguishedName, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use tidegate_ids::{CaCertificateId, Now, Tenant};
use tidegate_pki::{CaCertificate, ClientLeaf};

use crate::{CertificateMode, RegisterCaCertificate, Registry};

/// A CA and its key.
pub(super) struct Ca {
    pub(super) pem: String,
    issuer: Issuer<'static, KeyPair>,
}

fn named(common_name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, common_name);
    (params.not_before, params.not_after) = (date_time_ymd(2025, 1, 1), date_time_ymd(2035, 1, 1));
    params
}

impl Ca {
    pub(super) fn new(common_name: &str) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut params = named(common_name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let pem = params.self_signed(&key).unwrap().pem();
        Self { pem, issuer: Issuer::new(params, key) }
    }

    pub(super) fn id(&self) -> CaCertificateId {
        CaCertificate::from_pem(&self.pem).unwrap().ca_certificate_id()
    }

    /// A certificate for `common_name` between two years.
    pub(super) fn sign(&self, common_name: &str, years: (i32, i32)) -> String {
        let mut params = named(common_name);
        (params.not_before, params.not_after) = (date_time_ymd(years.0, 1, 1), date_time_ymd(years.1, 1, 1));
        params.signed_by(&KeyPair::generate().unwrap(), &self.issuer).unwrap().pem()
    }

    pub(super) fn leaf_pem(&self, common_name: &str) -> String {
        self.sign(common_name, (2025, 2035))
    }

    pub(super) fn leaf(&self, common_name: &str) -> ClientLeaf {
        ClientLeaf::from_pem(&self.leaf_pem(common_name)).unwrap()
    }

    /// A request that registers it properly in DEFAULT mode, ACTIVE and with auto-registration.
    pub(super) async fn request(&self, registry: &Registry, tenant: Tenant, now: Now) -> RegisterCaCertificate {
        let code = registry.get_registration_code(tenant, now).await.unwrap();
        RegisterCaCertificate {
            ca_certificate_pem: self.pem.clone(),
            verification_certificate_pem: Some(self.leaf_pem(&code.to_string())),
            set_as_active: true,
            allow_auto_registration: true,
            ..Default::default()
        }
    }

    pub(super) async fn register(&self, registry: &Registry, tenant: Tenant, now: Now) -> CaCertificateId {
        let request = self.request(registry, tenant, now).await;
        registry.register_ca_certificate(tenant, request, now).await.unwrap()
    }

    pub(super) fn sni_only(&self) -> RegisterCaCertificate {
        RegisterCaCertificate {
            ca_certificate_pem: self.pem.clone(),
            mode: Some(CertificateMode::SniOnly),
            set_as_active: true,
            allow_auto_registration: true,
            ..Default::default()
        }
    }
}

/// A certificate that signed itself and is no CA.
pub(super) fn self_signed(common_name: &str) -> String {
    named(common_name).self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}

/// A CA certificate that is not valid any more.
pub(super) fn expired_ca() -> String {
    let mut params = named("expired");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
}
