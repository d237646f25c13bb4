//! A folder that goes when its owner goes.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process,
    sync::Arc,
};

use crate::EmulatorError;

/// A private folder below the system's folder for temporary files.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn create() -> Result<Self, EmulatorError> {
        let name = format!(
            "authx-emulator-{}-{:016x}",
            process::id(),
            fastrand::u64(..)
        );
        let path = std::env::temp_dir().join(name);
        match create_private(&path) {
            Ok(()) => Ok(Self(path)),
            Err(source) => Err(EmulatorError::Write {
                path,
                source: Arc::new(source),
            }),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn remove(&self) {
        // Nothing is lost but disk space if this fails.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn create_private(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(path)
}

impl Drop for TempDir {
    fn drop(&mut self) {
        self.remove();
    }
}
