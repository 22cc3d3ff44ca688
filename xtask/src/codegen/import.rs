//! Models as golden data: botocore's own, without prose.

use std::{fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::served::SERVICES;

/// Copies the model of each known service from `data` (botocore's) to `models`, without documentation, a line for each
/// operation and shape, so that the difference between two versions can be read.
pub(crate) fn import(data: &Path, models: &Path) -> Result<()> {
    for service in SERVICES {
        let source = newest(&data.join(service.model))?.join("service-2.json.gz");
        let gzip = Command::new("gzip").arg("-dc").arg(&source).output().context("starting gzip")?;
        ensure!(gzip.status.success(), "gzip cannot read {}", source.display());
        let mut model: Value = serde_json::from_slice(&gzip.stdout)?;
        strip(&mut model);
        let target = models.join(service.model);
        fs::create_dir_all(&target)?;
        fs::write(target.join("service-2.json"), text(&model)?)?;
    }
    Ok(())
}

/// The latest API version: they are dates.
fn newest(versions: &Path) -> Result<std::path::PathBuf> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(versions).with_context(|| format!("reading {}", versions.display()))? {
        paths.push(entry?.path());
    }
    paths.into_iter().max().with_context(|| format!("no version in {}", versions.display()))
}

/// Drops what only people read. A shape or member *named* `documentation` is an object and stays.
fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|name, v| !(v.is_string() && (name == "documentation" || name == "documentationUrl")));
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn text(model: &Value) -> Result<String> {
    let mut out = format!("{{\n\"metadata\":{}", model["metadata"]);
    for section in ["operations", "shapes"] {
        let members = model[section].as_object().with_context(|| format!("a model without {section}"))?;
        let lines: Vec<_> = members.iter().map(|(name, v)| format!("{}:{v}", Value::from(name.as_str()))).collect();
        out += &format!(",\n\"{section}\":{{\n{}\n}}", lines.join(",\n"));
    }
    out += "\n}\n";
    Ok(out)
}
