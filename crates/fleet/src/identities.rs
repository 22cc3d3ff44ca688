//! A directory of devices: one CA, and one bundle with the certificates and keys of all of them.
//!
//! ```text
//! DIR/            0700
//!   ca.pem        0600  the CA's certificate
//!   ca.key        0600  its key, when it was made here
//!   devices.pem   0600  for each device: a line `device: NAME`, its certificate, its key (PEM, as RFC 7468 allows)
//! ```
//!
//! Decision: one bundle, not two files a device. 100 000 devices in files of their own are 200 000 i-nodes and 800 MiB of
//! disk blocks for 90 MiB of PEM, need minutes to be copied or deleted, and a descriptor for each look. The bundle is one
//! descriptor, is appended to, so that an interrupted `make` goes on where it was, and any tool still reads the PEM in it.
//! Its index is made in memory by one scan at the start (100 MiB: some 50 ms), so that it cannot be wrong.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tidegate_ids::CertificateId;

use crate::FleetError;

/// The bundle's name.
pub(crate) const BUNDLE: &str = "devices.pem";
/// The CA's certificate.
pub(crate) const CA_CERTIFICATE: &str = "ca.pem";
/// The CA's key.
pub(crate) const CA_KEY: &str = "ca.key";
/// What stands before a device's PEM.
pub(crate) const HEAD: &str = "device: ";
/// Most bytes that one device may take: an RSA key of 4096 bits and a chain are far below.
const RECORD_BYTES_MAX: u64 = 64 * 1024;

/// The devices of a directory; certificates and keys stay on disk until they are asked for.
#[derive(Debug)]
pub struct Identities {
    path: PathBuf,
    bundle: File,
    records: Vec<Record>,
    names: String,
}

/// Where a device is in the bundle, and its name among the names.
#[derive(Debug, Clone, Copy)]
struct Record {
    offset: u64,
    bytes: u32,
    name_at: u32,
    name_bytes: u32,
}

/// What a device shows in a handshake.
pub(crate) struct Shown {
    pub(crate) chain: Vec<CertificateDer<'static>>,
    pub(crate) key: PrivateKeyDer<'static>,
}

impl Identities {
    /// Reads the index of what is in `directory`.
    pub fn open(directory: &Path) -> Result<Self, FleetError> {
        let path = directory.join(BUNDLE);
        let bundle = File::open(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => FleetError::NoIdentities { directory: directory.to_owned() },
            _ => FleetError::File { what: "cannot read", path: path.clone(), source },
        })?;
        let (identities, whole_bytes) = Self::scan(path, bundle)?;
        let bytes = identities.bundle.metadata()?.len();
        if whole_bytes < bytes {
            return Err(FleetError::Unfinished { directory: directory.to_owned() });
        }
        Ok(identities)
    }

    /// The index of a bundle, and where its last whole device ends.
    pub(crate) fn scan(path: PathBuf, bundle: File) -> Result<(Self, u64), FleetError> {
        let mut reader = BufReader::with_capacity(1 << 20, bundle);
        let (mut records, mut names): (Vec<Record>, String) = (Vec::new(), String::new());
        let (mut offset, mut whole, mut line) = (0_u64, 0_u64, Vec::new());
        let mut open: Option<Record> = None;
        loop {
            line.clear();
            let bytes = reader.read_until(b'\n', &mut line)? as u64;
            if bytes == 0 || line.last() != Some(&b'\n') {
                break; // a line without its end is one that was being written
            }
            let damaged = || FleetError::Damaged { path: path.clone(), offset };
            match (&mut open, line.strip_prefix(HEAD.as_bytes())) {
                (None, Some(name)) => {
                    let name = std::str::from_utf8(name).map_err(|_| damaged())?.trim_end();
                    let name_at = u32::try_from(names.len()).map_err(|_| damaged())?;
                    names.push_str(name);
                    open = Some(Record { offset, bytes: 0, name_at, name_bytes: name.len() as u32 });
                }
                (Some(record), None) => {
                    let end = offset + bytes;
                    if end - record.offset > RECORD_BYTES_MAX {
                        return Err(damaged());
                    }
                    // The key comes last, whatever kind it is.
                    if line.starts_with(b"-----END ") && line.ends_with(b"PRIVATE KEY-----\n") {
                        records.push(Record { bytes: (end - record.offset) as u32, ..*record });
                        open = None;
                        whole = end;
                    }
                }
                (None, None) if line.trim_ascii().is_empty() => whole = offset + bytes,
                (Some(_), Some(_)) | (None, None) => return Err(damaged()),
            }
            offset += bytes;
        }
        Ok((Self { path, bundle: reader.into_inner(), records, names }, whole))
    }

    /// How many devices there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The name of device `index`, counted from 0.
    ///
    /// # Panics
    /// When there is no such device.
    pub fn name(&self, index: usize) -> &str {
        let Record { name_at, name_bytes, .. } = self.records[index];
        &self.names[name_at as usize..(name_at + name_bytes) as usize]
    }

    /// The number of the device with this name.
    pub fn find(&self, name: &str) -> Option<usize> {
        (0..self.len()).find(|index| self.name(*index) == name)
    }

    /// The PEM of device `index`: certificate, then key.
    pub fn pem(&self, index: usize) -> Result<String, FleetError> {
        let Record { offset, bytes, .. } = self.records[index];
        let mut text = vec![0; bytes as usize];
        let damaged = || FleetError::Damaged { path: self.path.clone(), offset };
        self.bundle.read_exact_at(&mut text, offset)?;
        let text = String::from_utf8(text).map_err(|_| damaged())?;
        Ok(text.split_once('\n').ok_or_else(damaged)?.1.to_owned())
    }

    /// What device `index` shows.
    pub(crate) fn shown(&self, index: usize) -> Result<Shown, FleetError> {
        let pem = self.pem(index)?;
        let chain = CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>()?;
        Ok(Shown { chain, key: PrivateKeyDer::from_pem_slice(pem.as_bytes())? })
    }

    /// The id that a registry knows device `index` by.
    pub fn certificate_id(&self, index: usize) -> Result<CertificateId, FleetError> {
        Ok(tidegate_pki::certificate_id(&CertificateDer::from_pem_slice(self.pem(index)?.as_bytes())?))
    }
}

/// The CA of a directory: its certificate, as PEM, and its key when it is there.
pub(crate) fn ca_of(directory: &Path) -> Result<(String, Option<String>), FleetError> {
    let read = |name: &str| {
        let path = directory.join(name);
        fs::read_to_string(&path).map_err(|source| FleetError::File { what: "cannot read", path, source })
    };
    let certificate = read(CA_CERTIFICATE)?;
    let key = if directory.join(CA_KEY).exists() { Some(read(CA_KEY)?) } else { None };
    Ok((certificate, key))
}
