//! The tables of `docs/conformance.md`.

use std::fmt::Write as _;

use anyhow::{Context, Result};

use super::{
    evidence::Evidence,
    statements::{Shown, Statement, Version},
};

const BEGIN: &str = "<!-- statements:begin -->\n";
const END: &str = "<!-- statements:end -->\n";

/// `before` with what is between the marks made anew.
///
/// # Errors
/// It has no marks.
pub(super) fn renew(before: &str, statements: &[Statement], evidence: &Evidence) -> Result<String> {
    let (head, rest) = before.split_once(BEGIN).with_context(|| format!("the page has no {BEGIN}"))?;
    let (_, tail) = rest.split_once(END).with_context(|| format!("the page has no {END}"))?;
    let mut page = format!("{head}{BEGIN}\n");
    page.push_str(&summary(statements));
    for version in Version::ALL {
        let of: Vec<_> = statements.iter().filter(|statement| statement.version == version).collect();
        for chapter in of.chunk_by(|a, b| chapter(a) == chapter(b)) {
            let _ = writeln!(page, "\n## MQTT {version}, chapter {}\n", self::chapter(chapter[0]));
            page.push_str("| statement | binds | what it says, in short | shown by |\n| --- | --- | --- | --- |\n");
            chapter.iter().for_each(|statement| page.push_str(&row(statement, evidence)));
        }
    }
    Ok(page + "\n" + END + tail)
}

/// `3.1` of `MQTT-3.1.2-24`, `3.10` of `MQTT-3.10.3-1`; the first number alone outside of chapter 3.
fn chapter(statement: &Statement) -> &str {
    let number = statement.number.strip_prefix("MQTT-").unwrap_or(&statement.number);
    let mut dots = number.match_indices('.').map(|(at, _)| at);
    let end = if number.starts_with("3.") { dots.nth(1) } else { dots.next() };
    &number[..end.unwrap_or(number.len())]
}

fn summary(statements: &[Statement]) -> String {
    let mut table = String::from(
        "| | statements | bind a server | shown by tests | not to be shown | bind clients only |\n\
         | --- | --- | --- | --- | --- | --- |\n",
    );
    for version in Version::ALL {
        let count = |wanted: &dyn Fn(&Statement) -> bool| {
            statements.iter().filter(|statement| statement.version == version && wanted(statement)).count()
        };
        let _ = writeln!(
            table,
            "| {version} | {} | {} | {} | {} | {} |",
            count(&|_| true),
            count(&|statement| statement.bound.server()),
            count(&|statement| statement.bound.server() && !statement.shown.is_empty()),
            count(&|statement| statement.bound.server() && statement.shown.is_empty()),
            count(&|statement| !statement.bound.server()),
        );
    }
    table
}

fn row(statement: &Statement, evidence: &Evidence) -> String {
    let Statement { version, number, bound, gist, .. } = statement;
    let mut shown: Vec<_> = statement.shown.iter().map(|shown| cell(*version, shown, evidence)).collect();
    shown.extend(statement.because.clone());
    shown.extend(statement.note.as_ref().map(|note| format!("({note})")));
    let gist = gist.replace('|', "\\|");
    format!("| {number} | {} | {gist} | {} |\n", bound.word(), shown.join("<br>"))
}

fn cell(version: Version, shown: &Shown, evidence: &Evidence) -> String {
    match shown {
        Shown::Test(name) => format!("`{name}`"),
        Shown::Vectors(number) => match evidence.vectors(version, number) {
            1 => "1 vector".to_owned(),
            count => format!("{count} vectors"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::statements::parse;

    #[test]
    fn the_part_between_the_marks_is_made_and_the_rest_stays() {
        let text = "== 3.1.1\nMQTT-3.10.3-1 | client | a\n== 5.0\nMQTT-2.1.3-1 | both | b | c\n  vectors\n  test d::e\n\
                    MQTT-3.1.0-1 | server | f\n  because g\n  note h\n";
        let evidence = Evidence::of(&[], &[(Version::V5_0, "same | client | c000 | [MQTT-2.1.3-1] | x")]);
        let before = format!("before\n{BEGIN}old\n{END}after\n");
        let after = renew(&before, &parse(text).unwrap(), &evidence).unwrap();
        assert!(after.starts_with(&format!("before\n{BEGIN}")) && after.ends_with(&format!("{END}after\n")));
        assert!(!after.contains("old"));
        for part in [
            "| 3.1.1 | 1 | 0 | 0 | 0 | 1 |\n",
            "| 5.0 | 2 | 2 | 1 | 1 | 0 |\n",
            "## MQTT 3.1.1, chapter 3.10\n",
            "| MQTT-3.10.3-1 | client | a |  |\n",
            "## MQTT 5.0, chapter 2\n",
            "| MQTT-2.1.3-1 | both | b \\| c | 1 vector<br>`d::e` |\n",
            "## MQTT 5.0, chapter 3.1\n",
            "| MQTT-3.1.0-1 | server | f | g<br>(h) |\n",
        ] {
            assert!(after.contains(part), "{part} is not in\n{after}");
        }
        assert_eq!(renew(&after, &parse(text).unwrap(), &evidence).unwrap(), after);
        assert!(renew("no marks", &[], &evidence).is_err());
    }
}
