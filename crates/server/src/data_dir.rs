//! The data directory: mode 0700, with the master key and what a shell can source.

use std::{
    fs::{self, DirBuilder, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use tidegate_ids::AccountId;

/// A data directory that exists and belongs to its owner alone.
#[derive(Debug, Clone)]
pub(crate) struct DataDir(PathBuf);

/// Names the first account once the first start is complete.
const INITIALIZED: &str = "initialized";

/// Why the data directory cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    /// It, or a file in it, cannot be made, read or written.
    #[error("{what} {}", path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// On which path.
        path: PathBuf,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
    /// Others may enter it.
    #[error("{} is open to other users (mode {mode:o}); it holds keys: chmod 700 it", path.display())]
    Open {
        /// The directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The note that the first start was completed cannot be read.
    #[error("{} does not hold an account number: restore it from a backup", path.display())]
    Marker {
        /// Where the note is.
        path: PathBuf,
    },
    /// The master key is missing although the store is there, or is damaged.
    #[error("{}: {problem}; without it the secrets in the store cannot be read: restore it from a backup", path.display())]
    MasterKey {
        /// Where the key should be.
        path: PathBuf,
        /// What is wrong.
        problem: &'static str,
    },
}

fn io_error<'a>(what: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> DataDirError + 'a {
    move |source| DataDirError::Io { what, path: path.to_owned(), source }
}

impl DataDir {
    /// Opens `path`, making it with mode 0700 when it is not there.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(io_error("cannot make the data directory", path))?;
        let path = path.canonicalize().map_err(io_error("cannot find the data directory", path))?;
        let mode = fs::metadata(&path).map_err(io_error("cannot look at", &path))?.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(DataDirError::Open { path, mode });
        }
        Ok(Self(path))
    }

    /// The directory, absolute.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where the store lives.
    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// The socket that `tidegate account` and `tidegate key` talk to.
    pub(crate) fn admin_socket(&self) -> PathBuf {
        self.0.join("admin.sock")
    }

    /// The certificate that clients trust.
    pub(crate) fn ca_file(&self) -> PathBuf {
        self.0.join("ca.pem")
    }

    /// What a shell can source.
    pub(crate) fn env_file(&self) -> PathBuf {
        self.0.join("tidegate.env")
    }

    /// The 32 bytes that seal every secret of the store: read, or made from `random` when the store is new.
    pub(crate) fn master_key(
        &self,
        store_is_new: bool,
        random: impl FnOnce() -> [u8; 32],
    ) -> Result<[u8; 32], DataDirError> {
        let path = self.0.join("master.key");
        match fs::read(&path) {
            Ok(bytes) => bytes
                .try_into()
                .map_err(|_| DataDirError::MasterKey { path, problem: "the master key is not 32 bytes long" }),
            Err(error) if error.kind() == io::ErrorKind::NotFound && store_is_new => {
                let key = random();
                self.write("master.key", &key, 0o600)?;
                Ok(key)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(DataDirError::MasterKey { path, problem: "the master key is missing" })
            }
            Err(error) => Err(io_error("cannot read", &path)(error)),
        }
    }

    /// The account that the first start made, once it was completed here.
    ///
    /// Kept beside the store and not in it: a store that was lost or damaged must not look like a new one.
    pub(crate) fn initialized(&self) -> Result<Option<AccountId>, DataDirError> {
        let path = self.0.join(INITIALIZED);
        match fs::read_to_string(&path) {
            Ok(text) => match text.trim().parse() {
                Ok(account) => Ok(Some(account)),
                Err(_) => Err(DataDirError::Marker { path }),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(io_error("cannot read", &path)(error)),
        }
    }

    /// Notes that the first start is complete.
    pub(crate) fn mark_initialized(&self, account: AccountId) -> Result<(), DataDirError> {
        self.write(INITIALIZED, format!("{account}\n").as_bytes(), 0o600)
    }

    /// Writes a file whole or not at all, durably: to a temporary name first, synced, then renamed.
    pub(crate) fn write(&self, name: &str, bytes: &[u8], mode: u32) -> Result<(), DataDirError> {
        let path = self.0.join(name);
        let temporary = self.0.join(format!("{name}.new"));
        let written = (|| {
            let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&temporary)?;
            file.set_permissions(Permissions::from_mode(mode))?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            fs::File::open(&self.0)?.sync_all()
        })();
        written.map_err(io_error("cannot write", &path))
    }

    /// Removes a file that only a running process leaves behind.
    pub(crate) fn remove(&self, path: &Path) {
        if let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(path = %path.display(), %error, "cannot remove");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_directory_is_private_and_keeps_its_key() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::open(&root.path().join("a/b")).unwrap();
        assert_eq!(fs::metadata(data.path()).unwrap().permissions().mode() & 0o777, 0o700);
        assert_eq!(data.master_key(true, || [7; 32]).unwrap(), [7; 32]);
        assert_eq!(data.master_key(true, || unreachable!("it is there")).unwrap(), [7; 32]);
        let mode = fs::metadata(data.path().join("master.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_directory_open_to_others_is_refused() {
        let root = tempfile::tempdir().unwrap();
        fs::set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        assert!(matches!(DataDir::open(root.path()), Err(DataDirError::Open { mode: 0o755, .. })));
    }

    #[test]
    fn a_lost_or_cut_master_key_is_never_made_anew_over_a_store() {
        let root = tempfile::tempdir().unwrap();
        let data = DataDir::open(&root.path().join("d")).unwrap();
        assert!(matches!(data.master_key(false, || [0; 32]), Err(DataDirError::MasterKey { .. })));
        fs::write(data.path().join("master.key"), [1; 31]).unwrap();
        assert!(matches!(data.master_key(true, || [0; 32]), Err(DataDirError::MasterKey { .. })));
    }
}
