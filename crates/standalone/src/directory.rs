//! The store's directory: one process at a time, a format that this program knows, and a note of how much was stored.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    str::FromStr,
};

use tidegate_kv::{Revision, StoreError};

/// The layout of what this crate stores: 1 is keyspaces of revision ‖ value in fjall 3's format.
pub(crate) const FORMAT: u32 = 1;

/// A directory that this process holds until the value is dropped, or until it dies.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    /// Its lock is the kernel's, so a killed process leaves none behind.
    _lock: File,
}

impl Directory {
    /// Makes the directory (mode 0700) if it is not there, locks it, and checks its format before the engine
    /// touches anything.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = lock(path)?;
        let directory = Self { path: path.to_owned(), _lock: lock };
        match directory.format()? {
            Some(found) if found > FORMAT => Err(StoreError::NewerFormat { found, known: FORMAT }),
            Some(_) => Ok(directory),
            None => {
                let written = directory.write("format", &FORMAT.to_string());
                written.map_err(failed("writing the store's format"))?;
                Ok(directory)
            }
        }
    }

    /// Where the engine keeps its files.
    pub(crate) fn engine(&self) -> PathBuf {
        self.path.join("fjall")
    }

    /// The directory itself.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The newest revision that is known to have been on disk, at least; `None` when none was noted yet.
    pub(crate) fn noted(&self) -> Result<Option<Revision>, StoreError> {
        Ok(self.number("newest")?.map(Revision))
    }

    /// Notes a revision that is on disk. Never one that is not yet: the note would outlive it.
    pub(crate) fn note(&self, newest: Revision) -> io::Result<()> {
        self.write("newest", &newest.to_string())
    }

    /// What the system says to a small write: the engine does not tell why its own failed.
    pub(crate) fn probe(&self) -> io::Result<()> {
        self.write("probe", &"0".repeat(4096))?;
        fs::remove_file(self.path.join("probe"))
    }

    fn format(&self) -> Result<Option<u32>, StoreError> {
        self.number("format")
    }

    /// The number in a file, if there is the file.
    fn number<N: FromStr>(&self, name: &'static str) -> Result<Option<N>, StoreError> {
        let path = self.path.join(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == ErrorKind::InvalidData => String::new(),
            Err(error) => return Err(failed("reading the store's directory")(error)),
        };
        let what = || format!("the file {} is not a number", path.display());
        text.trim().parse().map(Some).map_err(|_| StoreError::Corrupt { table: name, what: what() })
    }

    /// Written beside, synced and renamed: after a crash the file is there whole, old or new, or not at all.
    fn write(&self, name: &str, text: &str) -> io::Result<()> {
        let new = self.path.join(format!("{name}.new"));
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&new)?;
        writeln!(file, "{text}")?;
        file.sync_all()?;
        fs::rename(&new, self.path.join(name))?;
        File::open(&self.path)?.sync_all()
    }
}

fn lock(path: &Path) -> Result<File, StoreError> {
    let opening = failed("opening the store's directory");
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(&opening)?;
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path.join("lock"));
    let file = file.map_err(&opening)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::InUse { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(opening(error)),
    }
}

fn failed(doing: &'static str) -> impl Fn(io::Error) -> StoreError {
    move |error| StoreError::Engine { doing, source: error.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_belongs_to_one_at_a_time() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a/b");
        let first = Directory::open(&path).unwrap();
        let second = Directory::open(&path).unwrap_err();
        assert!(matches!(&second, StoreError::InUse { path: named } if *named == path), "{second:?}");
        assert!(second.to_string().contains("in use by another process"));
        drop(first);
        Directory::open(&path).unwrap();
    }

    #[test]
    fn a_newer_format_is_refused_and_left_alone() {
        let home = tempfile::tempdir().unwrap();
        drop(Directory::open(home.path()).unwrap());
        fs::write(home.path().join("format"), "2\n").unwrap();
        let refused = Directory::open(home.path()).unwrap_err();
        assert!(matches!(refused, StoreError::NewerFormat { found: 2, known: 1 }), "{refused:?}");
        assert!(!home.path().join("fjall").exists());
        fs::write(home.path().join("format"), "one").unwrap();
        assert!(matches!(Directory::open(home.path()), Err(StoreError::Corrupt { .. })));
    }
}
