//! What policies can ask about a device certificate.

use tidegate_pki::ClientLeaf;
use tidegate_policy::{CertificateAttribute, CertificateName, Variables};

/// The certificate's own part of the policy variables: `iot:CertificateId` and [`add_certificate_attributes`]. What the connection
/// adds (client id, address) is not known here.
pub fn certificate_variables(leaf: &ClientLeaf) -> Variables {
    let mut variables = Variables::new();
    variables.certificate_id(&leaf.certificate_id());
    add_certificate_attributes(leaf, &mut variables);
    variables
}

/// What the certificate says: `iot:Certificate.SerialNumber` and the attributes of subject and issuer.
///
/// Parses the names anew: for policies that [ask for them](tidegate_policy::PolicySet::uses_certificate), never for messages.
/// AWS: developer guide, "X.509 Certificate AWS IoT Core policy variables".
pub fn add_certificate_attributes(leaf: &ClientLeaf, variables: &mut Variables) {
    for (name, values) in leaf.attributes().iter() {
        let Some(name) = name.strip_prefix("iot:Certificate.") else { continue };
        let (of, name) = match name.split_once('.') {
            Some(("Subject", name)) => (CertificateName::Subject, name),
            Some(("Issuer", name)) => (CertificateName::Issuer, name),
            _ => {
                values.first().map(|value| variables.serial_number(value));
                continue;
            }
        };
        if let Some(attribute) = CertificateAttribute::ALL.iter().find(|attribute| attribute.name() == name) {
            variables.certificate_attribute(of, *attribute, values.iter().map(String::as_str));
        }
    }
}
