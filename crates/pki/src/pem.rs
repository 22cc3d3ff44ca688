//! PEM as people paste it: the one block that is wanted, between any other text, with either line ending.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{PkiError, x509::CERTIFICATE_BYTES_MAX};

/// Longest PEM text that is read. AWS: the model's bound on `certificatePem` and `caCertificate`.
pub const PEM_BYTES_MAX: usize = CERTIFICATE_BYTES_MAX;

/// Most blocks that [`certificates`] reads.
pub const CHAIN_LENGTH_MAX: usize = 16;

/// The DER of the only certificate in `text`.
///
/// Text before and after the block is skipped (`openssl x509 -text` prints some); a second certificate, another kind
/// of block and anything that is not base64 are errors. At most [`PEM_BYTES_MAX`] bytes are read.
pub fn one_certificate(text: &str) -> Result<Vec<u8>, PkiError> {
    one(text, "CERTIFICATE", &[])
}

/// The DER of the only certificate signing request in `text`; `NEW CERTIFICATE REQUEST` is read, too.
pub fn one_request(text: &str) -> Result<Vec<u8>, PkiError> {
    one(text, "CERTIFICATE REQUEST", &["NEW CERTIFICATE REQUEST"])
}

/// The DER of the only public key (SubjectPublicKeyInfo) in `text`.
pub fn one_public_key(text: &str) -> Result<Vec<u8>, PkiError> {
    one(text, "PUBLIC KEY", &[])
}

/// The DER of every certificate in `text`, in order: at least one, at most [`CHAIN_LENGTH_MAX`].
pub fn certificates(text: &str) -> Result<Vec<Vec<u8>>, PkiError> {
    check_length(text)?;
    let expected = "CERTIFICATE";
    let (mut found, mut rest) = (Vec::new(), text);
    while let Some(block) = next_block(rest, expected)? {
        if block.label != expected {
            return Err(PkiError::PemLabel { expected, found: shown(block.label) });
        }
        if found.len() == CHAIN_LENGTH_MAX {
            return Err(PkiError::PemSeveral { expected });
        }
        found.push(block.der()?);
        rest = block.rest;
    }
    if found.is_empty() { Err(PkiError::PemMissing { expected }) } else { Ok(found) }
}

/// One block: 64 characters a line, line feeds only, one at the end.
pub fn encode(label: &str, der: &[u8]) -> String {
    let body = STANDARD.encode(der);
    let mut text = String::with_capacity(body.len() + body.len() / 64 + 2 * label.len() + 40);
    text.push_str(&format!("-----BEGIN {label}-----\n"));
    let mut rest = body.as_str();
    while !rest.is_empty() {
        let (line, tail) = rest.split_at(rest.len().min(64)); // base64 is ASCII
        text.push_str(line);
        text.push('\n');
        rest = tail;
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

fn one(text: &str, expected: &'static str, also: &[&str]) -> Result<Vec<u8>, PkiError> {
    check_length(text)?;
    let Some(block) = next_block(text, expected)? else { return Err(PkiError::PemMissing { expected }) };
    if block.label != expected && !also.contains(&block.label) {
        return Err(PkiError::PemLabel { expected, found: shown(block.label) });
    }
    match next_block(block.rest, expected)? {
        None => block.der(),
        Some(second) if second.label == block.label => Err(PkiError::PemSeveral { expected }),
        Some(second) => Err(PkiError::PemLabel { expected, found: shown(second.label) }),
    }
}

fn check_length(text: &str) -> Result<(), PkiError> {
    if text.len() > PEM_BYTES_MAX { Err(PkiError::TooLong { max: PEM_BYTES_MAX }) } else { Ok(()) }
}

fn shown(label: &str) -> String {
    label.chars().take(64).collect()
}

struct Block<'a> {
    label: &'a str,
    body: &'a str,
    rest: &'a str,
}

impl Block<'_> {
    fn der(&self) -> Result<Vec<u8>, PkiError> {
        let body: Vec<u8> = self.body.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        if body.is_empty() {
            return Err(PkiError::PemBase64);
        }
        STANDARD.decode(body).map_err(|_| PkiError::PemBase64)
    }
}

/// The next block in `text`: from a `-----BEGIN` at the start of a line to its own `-----END`.
///
/// A text whose line feeds were lost (JSON pasted through a shell) is read as well: the lines are found by the dashes.
fn next_block<'a>(text: &'a str, expected: &'static str) -> Result<Option<Block<'a>>, PkiError> {
    let Some((_, after)) = text.split_once("-----BEGIN ") else { return Ok(None) };
    let Some((label, after)) = after.split_once("-----") else { return Err(PkiError::PemUnterminated { expected }) };
    let Some((body, after)) = after.split_once("-----END ") else { return Err(PkiError::PemUnterminated { expected }) };
    let Some(rest) = after.strip_prefix(label).and_then(|after| after.strip_prefix("-----")) else {
        return Err(PkiError::PemUnterminated { expected });
    };
    Ok(Some(Block { label, body, rest }))
}

#[cfg(test)]
mod tests;
