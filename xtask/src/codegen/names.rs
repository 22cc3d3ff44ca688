//! From AWS's spelling to Rust's.

/// `RegisterCACertificate` → `register_ca_certificate`.
pub(crate) fn snake(name: &str) -> String {
    words(name).join("_")
}

/// `CACertificateStatus` → `CaCertificateStatus`, `PENDING_TRANSFER` → `PendingTransfer`.
pub(crate) fn pascal(name: &str) -> String {
    let capital = |w: String| w[..1].to_ascii_uppercase() + &w[1..];
    words(name).into_iter().map(capital).collect()
}

/// `CACertificateStatus` → `CA_CERTIFICATE_STATUS`.
pub(crate) fn constant(name: &str) -> String {
    snake(name).to_ascii_uppercase()
}

/// `certificatePem` → `certificate_pem`, and `type` → `r#type`.
pub(crate) fn field(name: &str) -> String {
    let name = snake(name);
    if matches!(&*name, "type" | "match" | "enum" | "in" | "use" | "self" | "ref" | "move" | "where" | "async") {
        format!("r#{name}")
    } else {
        name
    }
}

/// Words in lower case: a word starts at a capital after a small letter or digit, and at the last capital of a run.
fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (i, &c) in chars.iter().enumerate() {
        let previous = i.checked_sub(1).map(|p| chars[p]);
        let small_follows = chars.get(i + 1).is_some_and(char::is_ascii_lowercase);
        let starts = c.is_ascii_uppercase()
            && previous.is_some_and(|p| {
                p.is_ascii_lowercase() || p.is_ascii_digit() || (p.is_ascii_uppercase() && small_follows)
            });
        if starts || !c.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if c.is_ascii_alphanumeric() {
            words.last_mut().expect("there is always a word").push(c.to_ascii_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_into_words() {
        for (aws, expected) in [
            ("RegisterCACertificate", "register_ca_certificate"),
            ("ListCertificatesByCA", "list_certificates_by_ca"),
            ("RegisterCertificateWithoutCA", "register_certificate_without_ca"),
            ("certificatePem", "certificate_pem"),
            ("PublicKey", "public_key"),
            ("PENDING_TRANSFER", "pending_transfer"),
            ("v2LoggingLevel", "v2_logging_level"),
        ] {
            assert_eq!(snake(aws), expected);
        }
        assert_eq!(pascal("CACertificateStatus"), "CaCertificateStatus");
        assert_eq!(field("type"), "r#type");
    }
}
