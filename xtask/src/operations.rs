//! `cargo xtask operations`: `docs/operations.md`, which says of every operation of AWS's models whether it is served, or
//! what it answers instead.

use std::{fmt::Write as _, fs};

use anyhow::{Context, Result, ensure};

use crate::codegen::{Answers, answers};

/// What a person reads; all of it is made here.
const PAGE: &str = "docs/operations.md";

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask operations            after a change to the served operations or the models
  cargo xtask operations --check    whether the page is what they say")]
pub(crate) struct Arguments {
    /// Change nothing; fail when the committed page differs from what would be made.
    #[arg(long)]
    check: bool,
}

/// Makes the page, or checks it.
///
/// # Errors
/// A model cannot be read, or the page is stale.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let page = page(&answers()?)?;
    let path = crate::workspace().join(PAGE);
    if arguments.check {
        let found = fs::read_to_string(&path).with_context(|| format!("reading {PAGE}"))?;
        ensure!(found == page, "{PAGE} is stale: run `cargo xtask operations`");
        return Ok(());
    }
    fs::write(&path, page).with_context(|| format!("writing {PAGE}"))?;
    println!("{PAGE}");
    Ok(())
}

const HEAD: &str = "\
# Operations

Every operation of AWS's service models (`tests/data/aws`), and whether Tidegate serves it. Made by `cargo xtask operations`; do
not edit: a test fails when it is stale.

A served operation answers as its model says: one generic test (`tests/test_model.py`) drives each of them with boto3 and holds
every response against the model. One that is not served answers an error of its own model, with the sentence `Tidegate does
not serve OPERATION of SERVICE`, and changes nothing.
";

fn page(services: &[Answers]) -> Result<String> {
    let mut out = HEAD.to_owned();
    writeln!(out, "\n| service | served | of |\n| --- | --- | --- |")?;
    for service in services {
        let served = service.operations.iter().filter(|(_, refusal)| refusal.is_none()).count();
        writeln!(out, "| `{}` | {served} | {} |", service.name, service.operations.len())?;
    }
    for service in services {
        writeln!(out, "\n## {}\n", service.name)?;
        let served: Vec<String> = names(service, |refusal| refusal.is_none());
        match served.is_empty() {
            true => writeln!(out, "None is served.")?,
            false => writeln!(out, "Served: {}.", served.join(", "))?,
        }
        let mut refusals: Vec<_> = service.operations.iter().filter_map(|(_, refusal)| *refusal).collect();
        refusals.sort_unstable();
        refusals.dedup();
        for (name, status) in refusals {
            let refused = names(service, |refusal| *refusal == Some((name, status)));
            writeln!(out, "\n`{name}` ({status}): {}.", refused.join(", "))?;
        }
    }
    Ok(out)
}

fn names(service: &Answers, wanted: impl Fn(&Option<(&'static str, u64)>) -> bool) -> Vec<String> {
    service.operations.iter().filter(|(_, refusal)| wanted(refusal)).map(|(name, _)| name.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_page_is_what_the_models_and_the_served_operations_say() {
        run(&Arguments { check: true }).unwrap();
    }

    #[test]
    fn each_operation_is_served_or_refused_by_name() {
        let services = answers().unwrap();
        let page = page(&services).unwrap();
        for service in &services {
            for (name, _) in &service.operations {
                assert!(page.contains(name.as_str()), "{name} of {}", service.name);
            }
        }
        assert!(services.iter().any(|service| service.operations.iter().any(|(_, refusal)| refusal.is_some())));
    }
}
