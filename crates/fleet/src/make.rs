//! `tidegate fleet make`: many device certificates of one CA, in a directory.

use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Seek, SeekFrom, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    thread,
};

use crate::{
    DeviceKey, FleetCa, FleetError, Identities, Template,
    certificates::COMMON_NAME_CHARS_MAX,
    identities::{BUNDLE, CA_CERTIFICATE, CA_KEY, HEAD, ca_of},
    template::Who,
};

/// Devices that are made between two writes. What an interruption loses is less than that.
const BATCH: usize = 64;

/// What to make.
#[derive(Debug, Clone)]
pub struct Make {
    /// Where.
    pub directory: PathBuf,
    /// How many devices there are to be at the end.
    pub count: usize,
    /// Their names, with `{{index}}`.
    pub name: Template,
    /// What keys they get.
    pub key: DeviceKey,
    /// Certificate and key of a CA that exists; without, one is made, or the directory's own goes on.
    pub ca: Option<(PathBuf, PathBuf)>,
    /// The common name of a CA that is made.
    pub ca_name: String,
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Devices that were there before.
    pub found: usize,
    /// New ones.
    pub made: usize,
}

impl Make {
    /// Makes what is missing, and tells `progress` how many there are now. Nothing that exists is changed.
    pub fn run(&self, mut progress: impl FnMut(usize)) -> Result<Made, FleetError> {
        self.check_names()?;
        let directory = &self.directory;
        open_directory(directory)?;
        let path = directory.join(BUNDLE);
        let file_error = |what| {
            let path = path.clone();
            move |source| FleetError::File { what, path, source }
        };
        let mut bundle = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(file_error("cannot write"))?;
        bundle.try_lock().map_err(|_| FleetError::InUse { path: path.clone() })?;
        let ca = self.certificate_authority()?;
        let scanned = bundle.try_clone().map_err(file_error("cannot read"))?;
        let (there, whole_bytes) = Identities::scan(path.clone(), scanned)?;
        self.check_same(&there)?;
        let found = there.len();
        // What an interruption cut off is made again.
        bundle.set_len(whole_bytes).map_err(file_error("cannot write"))?;
        bundle.seek(SeekFrom::Start(whole_bytes)).map_err(file_error("cannot write"))?;
        progress(found);
        for from in (found..self.count).step_by(BATCH) {
            let to = self.count.min(from + BATCH);
            bundle.write_all(self.batch(&ca, from, to)?.as_bytes()).map_err(file_error("cannot write"))?;
            progress(to);
        }
        bundle.sync_all().map_err(file_error("cannot write"))?;
        Ok(Made { found, made: self.count.saturating_sub(found) })
    }

    /// Devices `from..to` as they stand in the bundle, made on all cores.
    fn batch(&self, ca: &FleetCa, from: usize, to: usize) -> Result<String, FleetError> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let part = (to - from).div_ceil(threads).max(1);
        thread::scope(|scope| {
            let parts: Vec<_> = (from..to)
                .step_by(part)
                .map(|start| scope.spawn(move || (start..to.min(start + part)).map(|i| self.one(ca, i)).collect()))
                .collect();
            let joined: Vec<Result<String, FleetError>> =
                parts.into_iter().map(|part| part.join().expect("making a certificate does not panic")).collect();
            joined.into_iter().collect()
        })
    }

    fn one(&self, ca: &FleetCa, index: usize) -> Result<String, FleetError> {
        let name = self.name_of(index);
        let identity = ca.issue(&name, self.key)?;
        Ok(format!("{HEAD}{name}\n{}{}", identity.pem, *identity.key_pem()?))
    }

    fn name_of(&self, index: usize) -> String {
        self.name.name(&Who { device: "", index: index as u64, group: "" })
    }

    /// Names differ, and fit into a certificate.
    fn check_names(&self) -> Result<(), FleetError> {
        let last = self.name_of(self.count.saturating_sub(1));
        if self.count > 1 && self.name_of(0) == last {
            return Err(FleetError::Names("the name has no {{index}}: all devices would have the same".into()));
        }
        let usable = |name: &str| {
            (1..=COMMON_NAME_CHARS_MAX).contains(&name.chars().count()) && !name.chars().any(char::is_control)
        };
        match [self.name_of(0), last].iter().find(|name| !usable(name)) {
            None => Ok(()),
            Some(name) => Err(FleetError::Names(format!(
                "{name:?} does not fit into a certificate: 1 to {COMMON_NAME_CHARS_MAX} characters, no control characters"
            ))),
        }
    }

    /// The devices that are there have the names that they would get now.
    fn check_same(&self, there: &Identities) -> Result<(), FleetError> {
        for index in 0..there.len() {
            let (is, would_be) = (there.name(index), self.name_of(index));
            if is != would_be {
                return Err(FleetError::Names(format!(
                    "{} has other devices already: number {index} is {is}, not {would_be}; use another directory, or \
                     the same --name",
                    self.directory.display()
                )));
            }
        }
        Ok(())
    }

    /// The CA of the directory: the one it has, the given one, or a new one.
    fn certificate_authority(&self) -> Result<FleetCa, FleetError> {
        let own = self.directory.join(CA_CERTIFICATE);
        let given = match &self.ca {
            Some((certificate, key)) => Some(FleetCa::from_pem(&read(certificate)?, &read(key)?)?),
            None => None,
        };
        if own.exists() {
            let (certificate, key) = ca_of(&self.directory)?;
            return match (given, key) {
                (Some(given), _) if given.pem.trim() == certificate.trim() => Ok(given),
                (Some(_), _) => Err(FleetError::OtherCa { directory: self.directory.clone() }),
                (None, Some(key)) => FleetCa::from_pem(&certificate, &key),
                (None, None) => Err(FleetError::NoCaKey { directory: self.directory.clone() }),
            };
        }
        match given {
            Some(given) => {
                write_new(&own, given.pem.as_bytes())?;
                Ok(given)
            }
            None => {
                let made = FleetCa::new(&self.ca_name)?;
                // The key first: a certificate without one would be taken for a CA that is held elsewhere.
                let key = self.directory.join(CA_KEY);
                let _ = fs::remove_file(&key); // of a CA whose certificate was never written
                write_new(&key, made.key_pem().as_bytes())?;
                write_new(&own, made.pem.as_bytes())?;
                Ok(made)
            }
        }
    }
}

fn read(path: &Path) -> Result<String, FleetError> {
    fs::read_to_string(path).map_err(|source| FleetError::File { what: "cannot read", path: path.to_owned(), source })
}

/// Writes a file that is not there yet, for its owner alone.
fn write_new(path: &Path, bytes: &[u8]) -> Result<(), FleetError> {
    let write = || -> io::Result<()> {
        let mut file: File = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| FleetError::File { what: "cannot write", path: path.to_owned(), source })
}

/// Makes the directory for its owner alone; one that others may enter is refused.
fn open_directory(path: &Path) -> Result<(), FleetError> {
    let error = |what| move |source| FleetError::File { what, path: path.to_owned(), source };
    DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(error("cannot make the directory"))?;
    let mode = fs::metadata(path).map_err(error("cannot look at"))?.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        return Err(FleetError::Open { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(test)]
mod tests;
