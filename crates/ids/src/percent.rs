//! Percent-encoding, in which names travel in paths and queries.
//!
//! Spec: RFC 3986, section 2.1.

/// `text` with `%XX` decoded; `None` when that is not UTF-8 or a `%` is not followed by two digits. `+` stays `+`.
pub fn percent_decoded(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        out.push((digit()? << 4 | digit()?) as u8);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_encoding_is_undone_and_plus_stays() {
        for (text, expected) in [
            ("a%2Fb%20c%2F%24x", Some("a/b c/$x")),
            ("a+b%2B", Some("a+b+")),
            ("%c3%A9", Some("é")),
            ("%", None),
            ("%2", None),
            ("%2g", None),
            ("%ff", None),
            ("", Some("")),
        ] {
            assert_eq!(percent_decoded(text).as_deref(), expected, "{text}");
        }
    }
}
