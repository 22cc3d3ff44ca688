//! The normative statements of both specifications: which there are, and what `statements.txt` says of each.

use std::fmt;

use anyhow::{Context, Result, bail};

/// A version of MQTT. The numbers of their statements have nothing to do with each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Version {
    V3_1_1,
    V5_0,
}

/// What is numbered in each section, as `section:last` or `section:first-last`. Spec: Appendix B (3.1.1), Appendix B (5.0).
const SPECIFIED_3_1_1: &str = "\
    1.5.3:3 2.2.2:2 2.3.1:7 \
    3.1.0:2 3.1.2:24 3.1.3:11 3.1.4:5 3.2.0:1 3.2.2:6 3.3.1:12 3.3.2:3 3.3.4:1 3.3.5:2 3.6.1:1 \
    3.8.1:1 3.8.3:4 3.8.4:6 3.9.3:2 3.10.1:1 3.10.3:2 3.10.4:6 3.12.4:1 3.14.1:1 3.14.4:3 \
    4.1.0:2 4.3.1:1 4.3.2:2 4.3.3:2 4.4.0:1 4.5.0:2 4.6.0:6 4.7.1:3 4.7.2:1 4.7.3:4 4.8.0:2 \
    6.0.0:4 7.0.0:2 7.1.1:1 7.1.2:1";
const SPECIFIED_5_0: &str = "\
    1.5.4:3 1.5.5:1 1.5.7:1 2.1.3:1 2.2.1:2-6 2.2.2:1 \
    3.1.0:2 3.1.2:30 3.1.3:12 3.1.4:6 3.2.0:2 3.2.2:22 3.3.1:13 3.3.2:20 3.3.4:10 \
    3.4.2:3 3.5.2:3 3.6.1:1 3.6.2:3 3.7.2:3 3.8.1:1 3.8.3:5 3.8.4:8 3.9.2:2 3.9.3:2 \
    3.10.1:1 3.10.3:2 3.10.4:6 3.11.2:2 3.11.3:2 3.12.4:1 3.14.0:1 3.14.1:1 3.14.2:4 3.14.4:3 3.15.1:1 3.15.2:3 \
    4.1.0:2 4.2.0:1 4.3.1:1 4.3.2:5 4.3.3:13 4.4.0:2 4.5.0:2 4.6.0:6 4.7.0:1 4.7.1:2 4.7.2:1 4.7.3:4 4.8.2:6 4.9.0:3 \
    4.12.0:7 4.12.1:2 4.13.1:1 4.13.2:1 6.0.0:4";

impl Version {
    pub(super) const ALL: [Self; 2] = [Self::V3_1_1, Self::V5_0];

    /// The numbers of all statements, in order.
    pub(super) fn specified(self) -> Vec<String> {
        let sections = match self {
            Self::V3_1_1 => SPECIFIED_3_1_1,
            Self::V5_0 => SPECIFIED_5_0,
        };
        let numbers = |section: &str| {
            let (section, range) = section.split_once(':').expect("a section has a range");
            let (first, last) = range.split_once('-').unwrap_or(("1", range));
            let number = |text: &str| text.parse::<u8>().expect("a range is of numbers");
            (number(first)..=number(last)).map(|n| format!("MQTT-{section}-{n}")).collect::<Vec<_>>()
        };
        sections.split_whitespace().flat_map(numbers).collect()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::V3_1_1 => "3.1.1",
            Self::V5_0 => "5.0",
        })
    }
}

/// Who must do what a statement says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    Server,
    Client,
    Both,
}

impl Bound {
    /// Whether a server must.
    pub(super) fn server(self) -> bool {
        matches!(self, Self::Server | Self::Both)
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Both => "both",
        }
    }
}

/// How a statement is shown to be met; of one that binds clients, what becomes of a client that does not meet it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// By the golden packets that cite this number.
    Vectors(String),
    /// By this test: `crate::module::name`, or `tests/file.py::name`.
    Test(String),
}

/// One statement, as `statements.txt` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) version: Version,
    /// `MQTT-3.1.2-24`.
    pub(super) number: String,
    pub(super) bound: Bound,
    /// What it says, in our words.
    pub(super) gist: String,
    pub(super) shown: Vec<Shown>,
    /// Why no test can show it.
    pub(super) because: Option<String>,
    /// What else there is to know.
    pub(super) note: Option<String>,
}

/// The statements of a text: `== version`, then `number | who | gist` with indented lines below it.
///
/// # Errors
/// The first line that is none of these.
pub(super) fn parse(text: &str) -> Result<Vec<Statement>> {
    let mut version = None;
    let mut statements: Vec<Statement> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let read = match line {
            "" => Ok(()),
            comment if comment.starts_with('#') => Ok(()),
            heading if heading.starts_with("== ") => read_version(&heading[3..]).map(|read| version = Some(read)),
            detail if detail.starts_with("  ") => match statements.last_mut() {
                Some(statement) => read_detail(statement, detail.trim()),
                None => bail!("line {}: this belongs to no statement", index + 1),
            },
            head => version.context("a version comes first").and_then(|version| {
                statements.push(read_head(version, head)?);
                Ok(())
            }),
        };
        read.with_context(|| format!("line {}: {line}", index + 1))?;
    }
    Ok(statements)
}

fn read_version(text: &str) -> Result<Version> {
    Version::ALL.into_iter().find(|version| version.to_string() == text).context("no version of MQTT")
}

fn read_head(version: Version, line: &str) -> Result<Statement> {
    let fields: Vec<_> = line.splitn(3, " | ").collect();
    let [number, who, gist] = fields[..] else { bail!("not `number | who | gist`") };
    let bound = [Bound::Server, Bound::Client, Bound::Both].into_iter().find(|bound| bound.word() == who);
    Ok(Statement {
        version,
        number: number.to_owned(),
        bound: bound.context("it binds `server`, `client` or `both`")?,
        gist: gist.to_owned(),
        shown: Vec::new(),
        because: None,
        note: None,
    })
}

fn read_detail(statement: &mut Statement, line: &str) -> Result<()> {
    match line.split_once(' ').unwrap_or((line, "")) {
        ("vectors", "") => statement.shown.push(Shown::Vectors(statement.number.clone())),
        ("vectors", other) => statement.shown.push(Shown::Vectors(other.to_owned())),
        ("test", name) => statement.shown.push(Shown::Test(name.to_owned())),
        ("because", reason) => statement.because = Some(reason.to_owned()),
        ("note", note) => statement.note = Some(note.to_owned()),
        (other, _) => bail!("`{other}` is none of vectors, test, because, note"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_as_the_specifications_have() {
        let counts = Version::ALL.map(|version| version.specified().len());
        assert_eq!(counts, [141, 251]);
        let five = Version::V5_0.specified();
        assert_eq!((&*five[0], &*five[6], &*five[250]), ("MQTT-1.5.4-1", "MQTT-2.2.1-2", "MQTT-6.0.0-4"));
    }

    #[test]
    fn a_text_is_read_or_refused_by_its_line() {
        let text =
            "# c\n\n== 5.0\nMQTT-3.1.0-1 | client | a | b\n  vectors\n  vectors MQTT-2\n  test a::b\n  note c d\n";
        let [statement] = &parse(text).unwrap()[..] else { panic!("one statement") };
        assert_eq!((statement.version, statement.bound, &*statement.gist), (Version::V5_0, Bound::Client, "a | b"));
        let vectors = |number: &str| Shown::Vectors(number.into());
        assert_eq!(statement.shown, [vectors("MQTT-3.1.0-1"), vectors("MQTT-2"), Shown::Test("a::b".into())]);
        assert_eq!((statement.because.as_deref(), statement.note.as_deref()), (None, Some("c d")));
        for (text, line) in [
            ("MQTT-1 | server | x", 1),
            ("== 4\n", 1),
            ("== 5.0\n  vectors", 2),
            ("== 5.0\nMQTT-1 | server", 2),
            ("== 5.0\nMQTT-1 | broker | x", 2),
            ("== 5.0\nMQTT-1 | server | x\n  shown by nobody", 3),
        ] {
            let error = format!("{:#}", parse(text).unwrap_err());
            assert!(error.contains(&format!("line {line}:")), "{text}: {error}");
        }
    }
}
