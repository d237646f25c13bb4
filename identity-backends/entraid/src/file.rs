//! Files that come from outside: never trusted to be small, or files at all.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Reads a regular file of at most `limit` bytes. Blocks.
///
/// A pipe, device or folder is refused: reading one may never end, and can't be
/// done twice.
pub(crate) fn read(path: &Path, limit: usize) -> Result<Zeroizing<Vec<u8>>, FileError> {
    let failed = |reason| FileError {
        path: path.to_owned(),
        reason,
    };
    let io_failed = |error| failed(Reason::Io(error));

    let metadata = fs::metadata(path).map_err(io_failed)?;
    if !metadata.is_file() {
        return Err(failed(Reason::NotAFile));
    }
    let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX);
    if length > limit {
        return Err(failed(Reason::TooLong(limit)));
    }
    // In one piece: growing would leave copies behind that nobody wipes.
    let mut content = Zeroizing::new(Vec::with_capacity(length + 1));
    File::open(path)
        .and_then(|file| file.take(limit as u64 + 1).read_to_end(&mut content))
        .map_err(io_failed)?;
    if content.len() > limit {
        return Err(failed(Reason::TooLong(limit)));
    }
    Ok(content)
}

/// Why a file can't be had. Names the path, never the content.
#[derive(Debug)]
pub(crate) struct FileError {
    path: PathBuf,
    reason: Reason,
}

#[derive(Debug)]
enum Reason {
    Io(io::Error),
    NotAFile,
    TooLong(usize),
}

impl FileError {
    /// Whether it stays so until someone does something about it.
    pub(crate) fn is_lasting(&self) -> bool {
        match &self.reason {
            Reason::Io(error) => matches!(
                error.kind(),
                io::ErrorKind::NotFound
                    | io::ErrorKind::PermissionDenied
                    | io::ErrorKind::NotADirectory
                    | io::ErrorKind::InvalidInput
            ),
            Reason::NotAFile | Reason::TooLong(_) => true,
        }
    }
}

impl fmt::Display for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, which ", self.path)?;
        match &self.reason {
            Reason::Io(error) => write!(f, "can't be read: {error}"),
            Reason::NotAFile => f.write_str("is not a regular file"),
            Reason::TooLong(limit) => write!(f, "is longer than {limit} bytes"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_of_the_right_size_are_read() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
        let length = fs::metadata(&own).expect("it exists").len() as usize;
        assert_eq!(read(&own, length).expect("readable").len(), length);

        let error = read(&own, length - 1).expect_err("too long");
        assert!(error.is_lasting() && error.to_string().contains("is longer than"));
        let error = read(Path::new(env!("CARGO_MANIFEST_DIR")), 10).expect_err("a folder");
        assert!(error.is_lasting() && error.to_string().contains("not a regular file"));
        let error = read(Path::new("/no/such/file"), 10).expect_err("not there");
        assert!(error.is_lasting() && error.to_string().contains("/no/such/file"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_lies_about_its_size_is_cut() {
        // Says that it has no bytes, and has some.
        let error = read(Path::new("/proc/self/status"), 16).expect_err("longer");
        assert!(error.to_string().contains("is longer than 16 bytes"));
        let error = read(Path::new("/dev/zero"), 16).expect_err("endless");
        assert!(error.to_string().contains("not a regular file"));
    }
}
