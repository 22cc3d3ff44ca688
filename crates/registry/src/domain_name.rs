//! Names under which devices reach an account: which ones an account may bring, and how the service makes one up.

use tidegate_ids::Region;

use crate::{RegistryError, Settings};

/// Most characters of a domain name. AWS: `DomainName`.
const CHARS_MAX: usize = 253;
/// Most characters between two dots. Spec: RFC 1035, 2.3.4.
const LABEL_CHARS_MAX: usize = 63;
/// Characters of a generated name's first part behind its first letter. AWS: 20, as its own look.
const GENERATED_CHARACTERS: usize = 20;

/// `text` in small letters, if an account may bring it.
///
/// Refused are the broker's own names and all that could be, or become, an account's endpoint. Decision: whoever comes first has a
/// name; AWS asks for a certificate that proves it.
///
/// # Errors
/// `InvalidRequest`.
pub(crate) fn brought(text: &str, settings: &Settings) -> Result<String, RegistryError> {
    let invalid = |why: &str| Err(RegistryError::InvalidRequest(format!("Invalid domainName: {why}")));
    let name = text.to_ascii_lowercase();
    if name.len() > CHARS_MAX {
        return invalid("it has at most 253 characters");
    }
    let legal = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let last = name.rsplit('.').next().unwrap_or_default();
    if !name.split('.').all(legal) || !name.contains('.') || last.bytes().all(|byte| byte.is_ascii_digit()) {
        return invalid(
            "it is a fully qualified domain name such as mqtt.example.com, without a wildcard or a dot at its end",
        );
    }
    if settings.host_names.iter().any(|own| covers(own, &name)) || could_be_an_endpoint(&name, settings) {
        return invalid("it belongs to the broker itself");
    }
    Ok(name)
}

/// A name that nobody has, of random bytes; `None` when the broker has no domain name at all.
///
/// `d<20 letters and digits>-ats.iot.<region>.<domain>`, below the endpoint domain, or else below the broker's own first name.
pub(crate) fn generated(random: [u8; GENERATED_CHARACTERS], region: Region, settings: &Settings) -> Option<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";
    let domain = settings.endpoint_domain.as_ref().or_else(|| settings.first_name())?.to_ascii_lowercase();
    let random: String = random.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 31)])).collect();
    Some(format!("d{random}-ats.iot.{region}.{domain}"))
}

/// Whether `name`, in small letters, is `pattern`, or one label below it if it begins with `*.`.
///
/// Spec: RFC 6125, 6.4.3.
pub(crate) fn covers(pattern: &str, name: &str) -> bool {
    match pattern.strip_prefix("*.") {
        None => pattern.eq_ignore_ascii_case(name),
        Some(parent) => name.split_once('.').is_some_and(|(_, rest)| parent.eq_ignore_ascii_case(rest)),
    }
}

/// Whether it looks like an endpoint below a domain that endpoints or made-up names could have.
fn could_be_an_endpoint(name: &str, settings: &Settings) -> bool {
    let mut domains = settings.endpoint_domain.iter().chain(settings.first_name());
    domains.any(|domain| looks_like_an_endpoint(name, &domain.to_ascii_lowercase()))
}

/// Whether `name` is `<something>.iot.<region>.<domain>`, both in small letters.
pub(crate) fn looks_like_an_endpoint(name: &str, domain: &str) -> bool {
    let below = name.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
    below.is_some_and(|rest| rest.rsplit('.').nth(1) == Some("iot"))
}

impl Settings {
    /// The first of the broker's own names that is a DNS name.
    pub(crate) fn first_name(&self) -> Option<&String> {
        let mut names = self.host_names.iter();
        names.find(|name| !name.starts_with("*.") && name.parse::<std::net::IpAddr>().is_err())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(endpoint_domain: Option<&str>) -> Settings {
        Settings {
            endpoint_domain: endpoint_domain.map(str::to_owned),
            host_names: vec!["127.0.0.1".into(), "Broker.example".into(), "*.iot.eu-central-1.iot.example".into()],
            ..Settings::default()
        }
    }

    #[test]
    fn an_account_brings_whole_names_that_are_not_the_brokers() {
        let settings = settings(Some("iot.example"));
        for (text, expected) in [
            ("mqtt.example.com", Some("mqtt.example.com")),
            ("MQTT.Example.COM", Some("mqtt.example.com")),
            ("a-b.c1", Some("a-b.c1")),
            ("mqtt.iot.example", Some("mqtt.iot.example")),
            ("x.broker.example", Some("x.broker.example")),
            ("", None),
            ("mqtt", None),
            ("mqtt.example.com.", None),
            (".example.com", None),
            ("a..b", None),
            ("*.example.com", None),
            ("a_b.example.com", None),
            ("-a.example.com", None),
            ("a-.example.com", None),
            ("a b.example.com", None),
            ("m\u{fc}.example.com", None),
            ("127.0.0.1", None),
            ("a.1", None),
            ("::1", None),
            ("broker.example", None),
            ("BROKER.example", None),
            ("x.iot.eu-central-1.iot.example", None),
            ("x-ats.iot.us-east-1.iot.example", None),
            ("x-ats.iot.us-east-1.broker.example", None),
            (&format!("{}.com", "a".repeat(63)), Some(&format!("{}.com", "a".repeat(63)))),
            (&format!("{}.com", "a".repeat(64)), None),
            (&format!("{}a.com", "a.".repeat(125)), None),
        ] {
            assert_eq!(brought(text, &settings).ok().as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn a_generated_name_lies_below_the_endpoint_domain_or_the_brokers_name() {
        let region: Region = "us-east-1".parse().unwrap();
        let random = std::array::from_fn(|index| index as u8 * 7);
        let with = generated(random, region, &settings(Some("IoT.example"))).unwrap();
        assert!(with.starts_with('d') && with.ends_with("-ats.iot.us-east-1.iot.example"), "{with}");
        let without = generated(random, region, &settings(None)).unwrap();
        assert!(without.ends_with("-ats.iot.us-east-1.broker.example"), "{without}");
        assert_eq!(without.find("-ats"), Some(1 + GENERATED_CHARACTERS));
        let nameless = Settings { host_names: vec!["::1".into()], ..Settings::default() };
        assert_eq!(generated(random, region, &nameless), None);
    }

    #[test]
    fn a_wildcard_covers_one_label() {
        for (pattern, name, expected) in [
            ("a.example", "a.example", true),
            ("A.example", "a.example", true),
            ("*.example", "a.example", true),
            ("*.example", "a.b.example", false),
            ("*.example", "example", false),
            ("a.example", "b.a.example", false),
        ] {
            assert_eq!(covers(pattern, name), expected, "{pattern} {name}");
        }
    }
}
