//! `cargo xtask unverified`: every guess about AWS that the sources admit to, so that someone can settle it.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask unverified             all of them, crate by crate
  cargo xtask unverified registry    one crate's")]
pub(crate) struct Arguments {
    /// The folder in crates/ to look in; all when absent.
    #[arg(value_name = "CRATE")]
    only: Option<String>,
}

/// Lists them on standard output: a line for each crate, then `file:line: what is not known`.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = crate::workspace();
    let start = Path::new("crates").join(arguments.only.as_deref().unwrap_or_default());
    let mut by_crate = BTreeMap::<String, Vec<String>>::new();
    for path in sources(root, &start)? {
        let text = fs::read_to_string(root.join(&path)).with_context(|| format!("reading {}", path.display()))?;
        for Guess { line, says } in guesses(&text) {
            let name = path.iter().nth(1).expect("a source lies in a crate").to_string_lossy().into_owned();
            by_crate.entry(name).or_default().push(format!("{}:{line}: {says}", path.display()));
        }
    }
    for (name, lines) in &by_crate {
        println!("{name} ({})", lines.len());
        lines.iter().for_each(|line| println!("  {line}"));
    }
    println!("{} in all", by_crate.values().map(Vec::len).sum::<usize>());
    Ok(())
}

/// Every Rust file below `start`, relative to `root` as `start` is, in order.
pub(crate) fn sources(root: &Path, start: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut directories = vec![start.to_owned()];
    while let Some(directory) = directories.pop() {
        let absolute = root.join(&directory);
        for entry in fs::read_dir(&absolute).with_context(|| format!("reading {}", absolute.display()))? {
            let entry = entry?;
            let path = directory.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                if entry.file_name() != "target" {
                    directories.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

/// One guess: the line it begins on, counted from 1, and what it says.
#[derive(Debug, PartialEq)]
struct Guess {
    line: usize,
    says: String,
}

const TAG: &str = "Unverified";

/// The guesses in the comments of a source: `Unverified:` to the end of its sentence, or of the comment. Where the tag
/// stands elsewhere in its sentence (`AWS: page, Unverified for 5.0.`), its line from the start.
fn guesses(source: &str) -> Vec<Guess> {
    let lines: Vec<_> = source.lines().map(comment).collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some((before, after)) = line.and_then(|text| text.split_once(TAG)) else { continue };
        let mut says = after.to_owned();
        for more in lines[index + 1..].iter().map_while(|line| line.filter(|text| !text.is_empty())) {
            if sentence(&says).is_some() || starts_with_tag(more) {
                break;
            }
            says = format!("{says} {more}");
        }
        let says = sentence(&says).unwrap_or(&says);
        let says = says.strip_prefix(": ").map_or_else(|| format!("{before}{TAG}{says}"), str::to_owned);
        found.push(Guess { line: index + 1, says });
    }
    found
}

/// What a line says when it is a comment, without its slashes.
fn comment(line: &str) -> Option<&str> {
    let (code, text) = line.split_once("//")?;
    (code.is_empty() || code.ends_with(char::is_whitespace)).then(|| text.trim_start_matches(['/', '!']).trim())
}

/// The first sentence, when it ends in `text`.
fn sentence(text: &str) -> Option<&str> {
    if let Some(at) = text.find(". ") {
        return Some(&text[..=at]);
    }
    text.ends_with('.').then_some(text)
}

/// Whether a comment line opens with another source tag.
fn starts_with_tag(text: &str) -> bool {
    ["Spec:", "AWS:", "Decision", TAG].iter().any(|tag| text.starts_with(tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guess_is_its_sentence_wherever_the_lines_break() {
        for (source, expected) in [
            ("/// Unverified: the order.\nfn f() {}", &[(1, "the order.")][..]),
            ("/// Spec: x. Unverified: that a\n/// wins over b. More.", &[(1, "that a wins over b.")]),
            ("    // Unverified for `Only`: it is 400\n    // AWS: page", &[(1, "Unverified for `Only`: it is 400")]),
            ("/// AWS: so for 3.1.1; Unverified for 5.0. More.", &[(1, "AWS: so for 3.1.1; Unverified for 5.0.")]),
            ("/// AWS: SomeException. Unverified.", &[(1, "AWS: SomeException. Unverified.")]),
            ("/// Unverified: one\n///\n/// two.", &[(1, "one")]),
            ("a(), // Unverified: b, 409\nc()", &[(1, "b, 409")]),
            ("//! Unverified: one.\n//! Unverified: two.", &[(1, "one."), (2, "two.")]),
            ("let text = \"Unverified: no comment\";", &[]),
            ("let url = \"https://Unverified\";", &[]),
        ] {
            let expected: Vec<_> =
                expected.iter().map(|(line, says)| Guess { line: *line, says: (*says).into() }).collect();
            assert_eq!(guesses(source), expected, "{source}");
        }
    }
}
