//! `docs/checks.md`: the checks of a gate like AWS's, each with the tests that show it.

use anyhow::{Context, Result};

use super::evidence::Evidence;

/// What a person reads and edits.
pub(super) const PAGE: &str = "docs/checks.md";

const BEGIN: &str = "<!-- checks:begin -->\n";
const END: &str = "<!-- checks:end -->\n";
/// How many there are.
const COUNT: usize = 30;

/// What is wrong with the table, in words; nothing when all is well.
///
/// # Errors
/// There is no table.
pub(super) fn faults(page: &str, evidence: &Evidence) -> Result<Vec<String>> {
    let (_, rest) = page.split_once(BEGIN).with_context(|| format!("{PAGE} has no {BEGIN}"))?;
    let (table, _) = rest.split_once(END).with_context(|| format!("{PAGE} has no {END}"))?;
    let rows: Vec<Vec<&str>> = table.lines().skip(2).map(|row| row.split(" | ").collect()).collect();
    let mut faults = Vec::new();
    if rows.len() != COUNT {
        faults.push(format!("{PAGE} has {} checks, not {COUNT}", rows.len()));
    }
    for (at, row) in rows.iter().enumerate() {
        let number = (at + 1).to_string();
        let [first, _, _, shown] = row[..] else {
            faults.push(format!("{PAGE}, check {number}: not four columns"));
            continue;
        };
        if first.trim_start_matches('|').trim() != number {
            faults.push(format!("{PAGE}: {first} stands where check {number} should"));
        }
        // What is between backticks is a test.
        let tests: Vec<&str> = shown.split('`').skip(1).step_by(2).collect();
        if tests.is_empty() {
            faults.push(format!("{PAGE}, check {number}: no test shows it"));
        }
        let unknown = tests.into_iter().filter(|test| !evidence.has_test(test));
        faults.extend(unknown.map(|test| format!("{PAGE}, check {number}: there is no test {test}")));
    }
    Ok(faults)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_its_number_and_tests_that_exist() {
        let evidence = Evidence::of(&[("tests/test_x.py", "def test_known(): pass")], &[]);
        let table = |change: fn(usize) -> Option<&'static str>| {
            let row = |number: usize| match change(number) {
                Some(shown) => format!("| {number} | what | how | {shown} |\n"),
                None => format!("| {number} | what | how | `tests/test_x.py::test_known` |\n"),
            };
            let rows: String = (1..=COUNT).map(row).collect();
            format!("words\n{BEGIN}| # | a | b | c |\n| --- | --- | --- | --- |\n{rows}{END}")
        };
        let faults = |page: &str| faults(page, &evidence).unwrap();
        assert_eq!(faults(&table(|_| None)), Vec::<String>::new());
        let unknown =
            faults(&table(|n| (n == 7).then_some("`tests/test_x.py::test_known` `tests/test_x.py::test_gone`")));
        assert_eq!(unknown, ["docs/checks.md, check 7: there is no test tests/test_x.py::test_gone"]);
        assert_eq!(faults(&table(|n| (n == 8).then_some("soon"))), ["docs/checks.md, check 8: no test shows it"]);
        let twice = table(|_| None).replace("| 9 | what", "| 8 | what");
        assert_eq!(faults(&twice), ["docs/checks.md: | 8 stands where check 9 should"]);
        let fewer = table(|_| None).replace("| 30 | what | how | `tests/test_x.py::test_known` |\n", "");
        assert_eq!(faults(&fewer), ["docs/checks.md has 29 checks, not 30"]);
        assert!(super::faults("no table", &evidence).is_err());
    }
}
