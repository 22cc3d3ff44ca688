//! `cargo xtask codegen`: from the AWS service models in `tests/data/aws` to `crates/api/src/generated`.
//!
//! Every operation of every known service becomes a row of a route table, so that a real operation which is not served
//! answers an error out of its own model. Served operations ([`served`]) also get their input and output types and
//! the constraints that the model puts on the input.

mod import;
mod model;
mod names;
mod pattern;
mod routes;
mod served;
mod types;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

use model::Model;

/// Where the generated code lives.
const OUTPUT: &str = "crates/api/src/generated";

/// Where the models live.
const MODELS: &str = "tests/data/aws";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Change nothing; fail when the committed code differs from what would be generated.
    #[arg(long)]
    check: bool,
    /// First refresh the models from this directory: `botocore/data` of an installed botocore.
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    import: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    if let Some(data) = &arguments.import {
        import::import(data, &crate::workspace().join(MODELS))?;
    }
    let files = format(generate()?)?;
    let output = crate::workspace().join(OUTPUT);
    if arguments.check {
        return compare(&files, &read(&output)?);
    }
    if output.exists() {
        fs::remove_dir_all(&output)?;
    }
    for (path, text) in &files {
        let path = output.join(path);
        fs::create_dir_all(path.parent().expect("a file lies in a directory"))?;
        fs::write(&path, text)?;
    }
    println!("{} files in {OUTPUT}", files.len());
    Ok(())
}

/// The operations of a service, and what those answer that are not served.
pub(crate) struct Answers {
    /// botocore's name of the service.
    pub(crate) name: &'static str,
    /// Each operation; `None`: it is served.
    pub(crate) operations: Vec<(String, Option<routes::Refusal>)>,
}

/// What every operation of every known service comes to.
pub(crate) fn answers() -> Result<Vec<Answers>> {
    let of = |service: &served::Service| {
        let model = read_model(service)?;
        let answer = |operation: model::Operation<'_>| {
            let is_served = service.served.contains(&operation.name);
            let refusal = if is_served { None } else { Some(routes::refusal(&operation, &model)?) };
            Ok((operation.name.to_owned(), refusal))
        };
        let operations = model.operations()?.into_iter().map(answer).collect::<Result<_>>()?;
        Ok(Answers { name: service.model, operations })
    };
    served::SERVICES.iter().map(of).collect()
}

fn read_model(service: &served::Service) -> Result<Model> {
    let path = crate::workspace().join(MODELS).join(service.model).join("service-2.json");
    let text = fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    Model::parse(service.model, &text)
}

/// File name, relative to [`OUTPUT`], and its text.
type Files = BTreeMap<PathBuf, String>;

fn generate() -> Result<Files> {
    let mut files = Files::new();
    let mut modules = Vec::new();
    let mut tables = Vec::new();
    let mut refusals = BTreeSet::new();
    for service in served::SERVICES {
        let model = read_model(service)?;
        tables.push(routes::table(service, &model, &mut refusals)?);
        if !service.served.is_empty() {
            modules.push(service.module());
            types::generate(service, &model, &mut files)?;
        }
    }
    files.insert("routes.rs".into(), routes::file(&tables, &refusals));
    files.insert("mod.rs".into(), routes::root(&modules));
    for text in files.values_mut() {
        text.insert_str(0, HEADER);
    }
    Ok(files)
}

const HEADER: &str = "// Made by `cargo xtask codegen` from the service models in `tests/data/aws`; do not edit.\n\n";

/// The files as `rustfmt` wants them.
fn format(files: Files) -> Result<Files> {
    let scratch = crate::workspace().join("target/codegen");
    if scratch.exists() {
        fs::remove_dir_all(&scratch)?;
    }
    let mut paths = Vec::new();
    for (name, text) in &files {
        let path = scratch.join(name);
        fs::create_dir_all(path.parent().expect("a file lies in a directory"))?;
        fs::write(&path, text)?;
        paths.push(path);
    }
    let status = Command::new("rustfmt")
        .args(["--edition", "2024", "--config-path"])
        .arg(crate::workspace())
        .args(&paths)
        .status()
        .context("starting rustfmt")?;
    ensure!(status.success(), "rustfmt refused the generated code; it is in {}", scratch.display());
    let formatted = read(&scratch)?;
    fs::remove_dir_all(&scratch)?;
    Ok(formatted)
}

/// All files below `root`.
fn read(root: &Path) -> Result<Files> {
    let mut files = Files::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).with_context(|| format!("reading {}", directory.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                directories.push(path);
            } else {
                let text = fs::read_to_string(&path)?;
                files.insert(path.strip_prefix(root).expect("the walk stays below its root").to_owned(), text);
            }
        }
    }
    Ok(files)
}

fn compare(wanted: &Files, found: &Files) -> Result<()> {
    let differs = |name: &&PathBuf| wanted.get(*name) != found.get(*name);
    let stale: Vec<_> =
        wanted.keys().chain(found.keys().filter(|n| !wanted.contains_key(*n))).filter(differs).collect();
    if let Some(first) = stale.first() {
        bail!("{} generated files are stale, {} first: run `cargo xtask codegen`", stale.len(), first.display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_committed_code_is_what_the_models_say() {
        run(&Arguments { check: true, import: None }).unwrap();
    }
}
