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

/// The same certificate with its ECDSA signature (r, s) rewritten into (r, n - s), as anybody can.
pub(super) fn other_form(leaf: &ClientLeaf) -> ClientLeaf {
    /// The order of P-256. Spec: FIPS 186-4, D.1.2.3.
    const N: [u8; 32] = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let (mut rest, mut parts) = (leaf.der(), Vec::new());
    let whole = element(&mut rest);
    let mut inside = content(whole);
    for _ in 0..3 {
        parts.push(element(&mut inside));
    }
    let mut numbers = content(&content(parts[2])[1..]);
    let (r, s) = (element(&mut numbers), content(element(&mut numbers)));
    let mut negated = [0; 32];
    let (mut borrow, bytes) = (0, s.len());
    for place in 0..32 {
        let digit = if place < bytes { i32::from(s[bytes - 1 - place]) } else { 0 };
        let difference = i32::from(N[31 - place]) - digit - borrow;
        borrow = i32::from(difference < 0);
        negated[31 - place] = difference.rem_euclid(256) as u8;
    }
    let start = negated.iter().position(|byte| *byte != 0).unwrap();
    let padding: &[u8] = if negated[start] >= 0x80 { &[0] } else { &[] };
    let s = wrap(2, &[padding, &negated[start..]].concat());
    let signature = wrap(3, &[&[0], &*wrap(0x30, &[r, &s].concat())].concat());
    ClientLeaf::parse(&wrap(0x30, &[parts[0], parts[1], &signature].concat())).unwrap()
}

/// The next element, head and all.
fn element<'a>(rest: &mut &'a [u8]) -> &'a [u8] {
    let (head, length) = head(rest);
    let (element, after) = rest.split_at(head + length);
    *rest = after;
    element
}

fn content(element: &[u8]) -> &[u8] {
    &element[head(element).0..]
}

/// Bytes of the head, and of the content.
fn head(element: &[u8]) -> (usize, usize) {
    match element[1] {
        short @ 0..=0x7f => (2, short.into()),
        0x81 => (3, element[2].into()),
        _ => (4, usize::from(element[2]) << 8 | usize::from(element[3])),
    }
}

fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match length {
        0..=0x7f => vec![tag, length as u8],
        0x80..=0xff => vec![tag, 0x81, length as u8],
        _ => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}
