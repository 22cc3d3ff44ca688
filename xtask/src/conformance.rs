//! `cargo xtask conformance`: `docs/conformance.md` from the statements in `tests/data/mqtt/statements.txt`, once every
//! test that they name exists; and whether every test of `docs/checks.md` does.

mod checks;
mod evidence;
mod page;
mod statements;

use std::fs;

use anyhow::{Context, Result, ensure};

use evidence::Evidence;
use statements::{Shown, Statement, Version};

/// What a person edits.
const STATEMENTS: &str = "tests/data/mqtt/statements.txt";

/// What a person reads; the part between two marks is made here.
const PAGE: &str = "docs/conformance.md";

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask conformance            after a change to the statements, or to the name of a test
  cargo xtask conformance --check    whether the page is what the statements say")]
pub(crate) struct Arguments {
    /// Change nothing; fail when the committed page differs from what would be made.
    #[arg(long)]
    check: bool,
}

/// Makes the page, or checks it.
///
/// # Errors
/// The statements are not those of the specifications, name what does not exist, or say of something that a server must
/// meet neither how it is shown nor why it cannot be; or the page is stale.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let root = crate::workspace();
    let read = |path: &str| fs::read_to_string(root.join(path)).with_context(|| format!("reading {path}"));
    let statements = statements::parse(&read(STATEMENTS)?).with_context(|| STATEMENTS.to_owned())?;
    let evidence = Evidence::gather(root)?;
    let mut faults = faults(&statements, &evidence);
    faults.extend(checks::faults(&read(checks::PAGE)?, &evidence)?);
    ensure!(
        faults.is_empty(),
        "{STATEMENTS} and {} have {} faults:\n  {}",
        checks::PAGE,
        faults.len(),
        faults.join("\n  ")
    );
    let before = read(PAGE)?;
    let after = page::renew(&before, &statements, &evidence)?;
    if arguments.check {
        ensure!(before == after, "{PAGE} is stale: run `cargo xtask conformance`");
        return Ok(());
    }
    fs::write(root.join(PAGE), after).with_context(|| format!("writing {PAGE}"))?;
    println!("{} statements in {PAGE}", statements.len());
    Ok(())
}

/// What is wrong with the statements, in words; nothing when all is well.
fn faults(statements: &[Statement], evidence: &Evidence) -> Vec<String> {
    let mut faults = Vec::new();
    for version in Version::ALL {
        let specified = version.specified();
        let listed: Vec<_> = statements.iter().filter(|s| s.version == version).map(|s| s.number.clone()).collect();
        let missing = specified.iter().filter(|number| !listed.contains(number));
        faults.extend(missing.map(|number| format!("{version} {number} is missing")));
        for (at, number) in listed.iter().enumerate() {
            if !specified.contains(number) {
                faults.push(format!("{version} {number} is no statement of that version"));
            } else if listed[..at].contains(number) {
                faults.push(format!("{version} {number} is there twice"));
            }
        }
        let cited = evidence.cited(version).filter(|number| !specified.contains(number));
        faults.extend(cited.map(|number| format!("a vector of {version} shows {number}, which is no statement of it")));
    }
    faults.extend(statements.iter().flat_map(|statement| faults_of(statement, evidence)));
    faults
}

fn faults_of(statement: &Statement, evidence: &Evidence) -> Vec<String> {
    let Statement { version, number, .. } = statement;
    let mut faults = Vec::new();
    for shown in &statement.shown {
        match shown {
            Shown::Test(name) if !evidence.has_test(name) => {
                faults.push(format!("{version} {number}: there is no test {name}"));
            }
            Shown::Vectors(cited) if evidence.vectors(*version, cited) == 0 => {
                faults.push(format!("{version} {number}: no vector shows {cited}"));
            }
            Shown::Test(_) | Shown::Vectors(_) => {}
        }
    }
    match (statement.shown.is_empty(), &statement.because) {
        (true, None) if statement.bound.server() => {
            faults.push(format!("{version} {number} binds a server, and has neither a test nor a reason"));
        }
        (false, Some(_)) => faults.push(format!("{version} {number} has a test, and a reason why there is none")),
        (true | false, None) | (true, Some(_)) => {}
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_what_the_statements_say_and_every_test_they_name_exists() {
        run(&Arguments { check: true }).unwrap();
    }

    /// All statements, one of which is written as `lines` say.
    fn with(lines: &str) -> Vec<Statement> {
        let mut text = String::new();
        for version in Version::ALL {
            text.push_str(&format!("== {version}\n"));
            for number in version.specified() {
                if !lines.starts_with(&format!("{number} ")) || version == Version::V3_1_1 {
                    text.push_str(&format!("{number} | client | x\n"));
                }
            }
        }
        statements::parse(&(text + lines)).unwrap()
    }

    #[test]
    fn every_kind_of_fault_is_found() {
        let evidence = Evidence::of(
            &[("crates/a/src/b.rs", "#[test]\nfn known() {}")],
            &[(Version::V5_0, "same | client | c000 | [MQTT-3.12.4-1] | x")],
        );
        for (lines, expected) in [
            ("MQTT-3.12.4-1 | server | x\n  vectors", ""),
            ("MQTT-3.12.4-1 | server | x\n  test a::b::known\n  note n", ""),
            ("MQTT-3.12.4-1 | server | x\n  because y", ""),
            ("MQTT-3.12.4-1 | client | x", ""),
            ("MQTT-3.12.4-1 | server | x", "binds a server, and has neither"),
            ("MQTT-3.12.4-1 | both | x\n  note n", "binds a server, and has neither"),
            ("MQTT-3.12.4-1 | server | x\n  test a::b::unknown", "there is no test a::b::unknown"),
            ("MQTT-3.12.4-1 | server | x\n  test a::known", "there is no test a::known"),
            ("MQTT-3.12.4-1 | server | x\n  vectors MQTT-3.14.1-1", "no vector shows MQTT-3.14.1-1"),
            ("MQTT-3.12.4-1 | server | x\n  vectors\n  because y", "has a test, and a reason"),
            ("MQTT-3.12.4-2 | client | x", "is no statement of that version"),
        ] {
            let faults = faults(&with(lines), &evidence);
            match expected {
                "" => assert!(faults.is_empty(), "{lines}: {faults:?}"),
                expected => assert!(faults.len() == 1 && faults[0].contains(expected), "{lines}: {faults:?}"),
            }
        }
    }

    #[test]
    fn a_statement_is_there_once_and_vectors_show_what_there_is() {
        let twice = [with("MQTT-1.5.4-1 | client | x"), with("MQTT-1.5.4-2 | client | x")].concat();
        let evidence = Evidence::of(&[], &[]);
        assert_eq!(faults(&twice, &evidence).iter().filter(|fault| fault.ends_with("is there twice")).count(), 392);
        let fewer: Vec<_> = twice.into_iter().filter(|statement| statement.number != "MQTT-2.2.2-1").collect();
        let missing: Vec<_> =
            faults(&fewer, &evidence).into_iter().filter(|fault| fault.ends_with("missing")).collect();
        assert_eq!(missing, ["3.1.1 MQTT-2.2.2-1 is missing", "5.0 MQTT-2.2.2-1 is missing"]);
        let evidence = Evidence::of(&[], &[(Version::V3_1_1, "same | client | c000 | [MQTT-4.8.2-1] | x")]);
        let faults = faults(&with("MQTT-1.5.4-1 | client | x"), &evidence);
        assert_eq!(faults, ["a vector of 3.1.1 shows MQTT-4.8.2-1, which is no statement of it"]);
    }
}
