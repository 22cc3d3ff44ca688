//! `cargo xtask release`: the program as it is delivered, laid out by what a run of it showed. Decision 0019.
//!
//! Three steps: an instrumented build, a run of it under the benchmarks' own load, and the build that goes by what that run counted.
//! None is repeated while the sources are as they were.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::{Context, Result, bail, ensure};

#[derive(clap::Args)]
#[command(after_help = "\
It needs llvm-profdata of the compiler's own version: rustup component add llvm-tools. Two builds and a minute of load: some
half an hour on two cores, and 4 GiB below target/. `cargo build --release` makes the same program without the profile.

Examples:
  cargo xtask release                    target/dist/tidegate
  sudo install target/dist/tidegate /usr/local/bin/")]
pub(crate) struct Arguments {}

/// Makes the release and says where it lies.
pub(crate) fn run(_: &Arguments) -> Result<()> {
    println!("{}", build(&generator()?)?.display());
    Ok(())
}

/// The release build of this program: it makes the load that the profile is of.
pub(crate) fn generator() -> Result<PathBuf> {
    eprintln!("building the load generator");
    crate::finish(&mut cargo(&["build", "--release", "--package", "xtask"]))?;
    let name = env::current_exe()?.file_name().unwrap_or_else(|| "xtask".as_ref()).to_owned();
    Ok(target()?.join("release").join(name))
}

/// Makes the release, by the load of `generator`: its path.
pub(crate) fn build(generator: &Path) -> Result<PathBuf> {
    let (directory, tools) = (target()?.join("pgo"), Tools::find()?);
    let (counts, profile) = (directory.join("counts"), directory.join("tidegate.profdata"));
    let instrumented =
        tools.build(&directory.join("instrumented"), &format!("-Cprofile-generate={}", counts.display()))?;
    if written(&profile).is_none_or(|at| written(&instrumented).is_none_or(|built| built > at)) {
        count(generator, &instrumented, &counts)?;
        tools.merge(&counts, &profile)?;
    }
    let optimized = tools.build(&directory.join("optimized"), &format!("-Cprofile-use={}", profile.display()))?;
    let dist = target()?.join("dist");
    fs::create_dir_all(&dist)?;
    let delivered = dist.join("tidegate");
    // One that runs keeps its file: the new one takes the name.
    let beside = dist.join("tidegate.new");
    fs::copy(&optimized, &beside).with_context(|| format!("copying {}", optimized.display()))?;
    fs::rename(&beside, &delivered)?;
    Ok(delivered)
}

/// The release without a profile: its path.
pub(crate) fn build_without_profile() -> Result<PathBuf> {
    crate::finish(&mut cargo(&["build", "--release", "--package", "tidegate"]))?;
    Ok(target()?.join("release/tidegate"))
}

/// Runs `instrumented` under load; what it counted is in `counts` then.
fn count(generator: &Path, instrumented: &Path, counts: &Path) -> Result<()> {
    eprintln!("running the instrumented program under load");
    match fs::remove_dir_all(counts) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        Ok(()) | Err(_) => {}
    }
    let mut load = Command::new(generator);
    load.args(["bench", "profile-load", "--broker"]).arg(instrumented);
    load.env("LLVM_PROFILE_FILE", counts.join("%p.profraw"));
    crate::finish(&mut load)
}

/// What the compiler brings along.
struct Tools {
    profdata: PathBuf,
    /// Named for cargo, so that flags are for the program alone, and not for what runs while it is built.
    host: String,
}

impl Tools {
    fn find() -> Result<Self> {
        let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let asked = |words: &[&str]| -> Result<String> {
            let output = Command::new(&rustc).args(words).output().context("running rustc")?;
            ensure!(output.status.success(), "rustc {} failed: {}", words.join(" "), output.status);
            Ok(String::from_utf8(output.stdout)?)
        };
        let version = asked(&["-vV"])?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
        let sysroot = asked(&["--print", "sysroot"])?;
        let profdata = Path::new(sysroot.trim()).join("lib/rustlib").join(host).join("bin/llvm-profdata");
        if !profdata.exists() {
            bail!("there is no {}: `rustup component add llvm-tools` brings it", profdata.display());
        }
        Ok(Self { profdata, host: host.to_owned() })
    }

    /// Builds the program below `directory` with one more flag for the compiler.
    fn build(&self, directory: &Path, flag: &str) -> Result<PathBuf> {
        eprintln!("building with {flag}");
        // As cargo writes them where a flag may hold a space: a path does.
        let given = env::var("RUSTFLAGS").unwrap_or_default();
        let flags = given.split_whitespace().chain([flag]).collect::<Vec<_>>().join("\x1f");
        let mut build = cargo(&["build", "--release", "--package", "tidegate", "--target", &self.host]);
        build.env("CARGO_ENCODED_RUSTFLAGS", flags).env("CARGO_TARGET_DIR", directory);
        crate::finish(&mut build)?;
        Ok(directory.join(&self.host).join("release/tidegate"))
    }

    fn merge(&self, counts: &Path, profile: &Path) -> Result<()> {
        // Whole or not there: a file of that name is taken for the profile next time.
        let beside = profile.with_extension("new");
        let mut merge = Command::new(&self.profdata);
        merge.arg("merge").arg("--output").arg(&beside).arg(counts);
        crate::finish(&mut merge)?;
        Ok(fs::rename(&beside, profile)?)
    }
}

/// Cargo, in the workspace. The flags of [`Tools::build`] hold there alone.
fn cargo(words: &[&str]) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(crate::workspace()).args(words);
    cargo
}

/// The directory that this program was built in.
fn target() -> Result<PathBuf> {
    let here = env::current_exe()?;
    let target = here.parent().and_then(Path::parent).context("this program lies in no target directory")?;
    Ok(target.to_owned())
}

/// When a file was written last; `None` when it is not there.
fn written(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}
