//! `cargo xtask fuzz`: the fuzz targets, one per parser of untrusted bytes, run by cargo-fuzz on a nightly toolchain.

use std::{
    fs,
    process::{Command, Stdio},
};

use anyhow::{Context, Result, bail};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cargo xtask fuzz                            every target in turn, a minute each
  cargo xtask fuzz decode_v5 --seconds 600    one target

What was found stays in fuzz/corpus, a crash in fuzz/artifacts. It needs a C++ compiler, a nightly toolchain and cargo-fuzz.")]
pub(crate) struct Arguments {
    /// One target; all of them when absent. Their sources are in fuzz/fuzz_targets.
    target: Option<String>,
    /// How long each target runs.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Fuzzes; an error at the first target that crashes.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let known = targets()?;
    let chosen = match &arguments.target {
        None => known,
        Some(target) if known.contains(target) => vec![target.clone()],
        Some(target) => bail!("there is no fuzz target {target}; there are {}", known.join(", ")),
    };
    if !succeeds(&["+nightly", "fuzz", "--version"]) {
        bail!(
            "fuzzing needs a nightly toolchain and cargo-fuzz: `rustup toolchain install nightly --profile minimal`, \
             then `cargo install --locked cargo-fuzz`"
        );
    }
    for target in &chosen {
        println!("== {target}, {} s", arguments.seconds);
        let mut fuzz = Command::new("cargo");
        fuzz.current_dir(crate::workspace()).args(["+nightly", "fuzz", "run", target, "--"]);
        fuzz.arg(format!("-max_total_time={}", arguments.seconds));
        crate::finish(&mut fuzz).with_context(|| format!("the target {target}"))?;
    }
    Ok(())
}

/// The name of every target, in alphabetical order.
fn targets() -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(crate::workspace().join("fuzz/fuzz_targets")).context("reading fuzz/fuzz_targets")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().and_then(|stem| stem.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

/// Whether `cargo` with these arguments is there and succeeds; by the name in PATH, since only rustup's takes `+nightly`.
fn succeeds(arguments: &[&str]) -> bool {
    let quiet = Command::new("cargo").args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}
