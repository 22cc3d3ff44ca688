//! What there is to show statements by: the tests in the sources, and the golden packets.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result};

use super::statements::Version;
use crate::unverified::sources;

/// The golden packets of each version.
const VECTORS: [(Version, &str); 2] =
    [(Version::V3_1_1, "tests/data/mqtt/v4.txt"), (Version::V5_0, "tests/data/mqtt/v5.txt")];

/// Every test and every clause that a golden packet cites.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    tests: BTreeSet<String>,
    vectors: BTreeMap<(Version, String), usize>,
}

impl Evidence {
    /// Reads the sources of all crates, the end-to-end tests and the vectors.
    pub(super) fn gather(root: &Path) -> Result<Self> {
        let mut evidence = Self::default();
        let read =
            |path: &Path| fs::read_to_string(root.join(path)).with_context(|| format!("reading {}", path.display()));
        for path in sources(root, Path::new("crates"))? {
            evidence.add_source(&path, &read(&path)?);
        }
        for entry in fs::read_dir(root.join("tests")).context("reading tests")? {
            let name = entry?.file_name().into_string().unwrap_or_default();
            if name.starts_with("test_") && name.ends_with(".py") {
                let path = Path::new("tests").join(name);
                evidence.add_source(&path, &read(&path)?);
            }
        }
        for (version, path) in VECTORS {
            evidence.add_vectors(version, &read(Path::new(path))?);
        }
        Ok(evidence)
    }

    fn add_source(&mut self, path: &Path, source: &str) {
        if path.extension().is_some_and(|extension| extension == "py") {
            self.tests.extend(python_tests(source).map(|name| format!("{}::{name}", path.display())));
        } else if let Some(module) = module(path) {
            self.tests.extend(rust_tests(source).into_iter().map(|name| format!("{module}::{name}")));
        }
    }

    fn add_vectors(&mut self, version: Version, text: &str) {
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let clause = line.split(" | ").nth(3).unwrap_or_default();
            if let Some(number) = clause.strip_prefix('[').and_then(|clause| clause.strip_suffix(']')) {
                *self.vectors.entry((version, number.to_owned())).or_default() += 1;
            }
        }
    }

    pub(super) fn has_test(&self, name: &str) -> bool {
        self.tests.contains(name)
    }

    /// How many golden packets of `version` cite a statement.
    pub(super) fn vectors(&self, version: Version, number: &str) -> usize {
        self.vectors.get(&(version, number.to_owned())).copied().unwrap_or(0)
    }

    /// The statements that the golden packets of `version` cite.
    pub(super) fn cited(&self, version: Version) -> impl Iterator<Item = &String> {
        self.vectors.keys().filter(move |(of, _)| *of == version).map(|(_, number)| number)
    }

    /// What sources and vectors with these texts have.
    #[cfg(test)]
    pub(super) fn of(sources: &[(&str, &str)], vectors: &[(Version, &str)]) -> Self {
        let mut evidence = Self::default();
        sources.iter().for_each(|(path, source)| evidence.add_source(Path::new(path), source));
        vectors.iter().for_each(|(version, text)| evidence.add_vectors(*version, text));
        evidence
    }
}

/// `crates/broker/src/router/tests.rs` is `broker::router::tests`, and `crates/broker/tests/scenarios/will.rs` is
/// `broker::scenarios::will`; other files have no tests.
fn module(path: &Path) -> Option<String> {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    let [_, krate, "src" | "tests", inside @ .., file] = &parts.iter().map(AsRef::as_ref).collect::<Vec<&str>>()[..]
    else {
        return None;
    };
    let file = Some(file.trim_end_matches(".rs")).filter(|file| !matches!(*file, "lib" | "main" | "mod"));
    let names: Vec<_> = [*krate].into_iter().chain(inside.iter().copied()).chain(file).collect();
    Some(names.join("::"))
}

/// The tests of a source as `rustfmt` leaves it, with the module inside the file that they are in.
fn rust_tests(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut inside: Option<&str> = None;
    let mut is_test = false;
    for line in source.lines() {
        if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            inside = Some(name);
        } else if line == "}" {
            inside = None;
        }
        let code = line.trim_start();
        if code == "#[test]" || code.starts_with("#[tokio::test") {
            is_test = true;
        } else if is_test && !code.starts_with("#[") && !code.starts_with("//") {
            is_test = false;
            let function = code.strip_prefix("async ").unwrap_or(code).strip_prefix("fn ");
            if let Some((name, _)) = function.and_then(|rest| rest.split_once('(')) {
                found.push(inside.map_or_else(|| name.to_owned(), |inside| format!("{inside}::{name}")));
            }
        }
    }
    found
}

/// The tests of a file of pytest.
fn python_tests(source: &str) -> impl Iterator<Item = &str> {
    let names = source.lines().filter_map(|line| line.strip_prefix("def ")?.split('(').next());
    names.filter(|name| name.starts_with("test_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_where_they_are() {
        let evidence = Evidence::of(
            &[
                (
                    "crates/a/src/lib.rs",
                    "#[cfg(test)]\nmod tests {\n    #[test]\n    fn one() {}\n}\n#[test]\nfn two() {}",
                ),
                ("crates/a/src/b/tests.rs", "#[test]\n#[should_panic]\n// why\nfn three() {\n}\n\nfn none() {}"),
                ("crates/a/tests/c/main.rs", "#[tokio::test(flavor = \"x\")]\nasync fn four() {}"),
                ("crates/a/tests/d.rs", "proptest! {\n    #[test]\n    fn five(x in 0..9) {}\n}"),
                ("crates/a/benches/e.rs", "#[test]\nfn six() {}"),
                ("tests/test_x.py", "@mark\ndef test_seven(a):\n    def test_inner(): pass\n\ndef eight(): pass"),
            ],
            &[],
        );
        let found: Vec<_> = evidence.tests.iter().map(String::as_str).collect();
        let expected = [
            "a::b::tests::three",
            "a::c::four",
            "a::d::five",
            "a::tests::one",
            "a::two",
            "tests/test_x.py::test_seven",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn vectors_count_for_the_clause_they_cite() {
        let line = "same | client | c000 | [MQTT-1.2.3-4] | x\n# same | client | c000 | [MQTT-1.2.3-5] | x\n\
                    ok | client | c000 | 3.12 | x\n81 X | client | c1 | [MQTT-1.2.3-4] | y";
        let evidence = Evidence::of(&[], &[(Version::V5_0, line)]);
        assert_eq!(evidence.vectors(Version::V5_0, "MQTT-1.2.3-4"), 2);
        assert_eq!(evidence.vectors(Version::V3_1_1, "MQTT-1.2.3-4"), 0);
        assert_eq!(evidence.cited(Version::V5_0).collect::<Vec<_>>(), ["MQTT-1.2.3-4"]);
    }
}
