//! The files that Azure Arc's agent has its clients read.

use std::{
    collections::VecDeque,
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::{random, temp_dir::TempDir};

/// How many keys are good at a time; older ones are withdrawn.
const KEPT: usize = 16;

/// A folder of keys, each good for one request. It is made with the first.
pub(crate) struct KeyFiles {
    folder: TempDir,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    made: bool,
    ended: bool,
    keys: VecDeque<(PathBuf, String)>,
}

impl KeyFiles {
    pub(super) fn new() -> Self {
        Self {
            folder: TempDir::reserve(),
            live: Mutex::default(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a new key; where it is.
    pub(super) fn issue(&self) -> io::Result<PathBuf> {
        let mut live = self.lock();
        if live.ended {
            return Err(io::ErrorKind::NotFound.into());
        }
        if !live.made {
            self.folder.make()?;
            live.made = true;
        }
        let key = random::secret().map_err(io::Error::other)?;
        let path = self.folder().join(format!("{}.key", random::uuid()));
        fs::File::create_new(&path)?.write_all(key.as_bytes())?;
        live.keys.push_back((path.clone(), key));
        if live.keys.len() > KEPT {
            live.withdraw(0);
        }
        Ok(path)
    }

    /// Whether this is a key that is good still; it is not after that.
    pub(super) fn accept(&self, key: &str) -> bool {
        let mut live = self.lock();
        let found = live.keys.iter().position(|(_, held)| held == key);
        if let Some(index) = found {
            live.withdraw(index);
        }
        found.is_some()
    }

    pub(super) fn remove(&self) {
        let mut live = self.lock();
        live.ended = true;
        live.keys.clear();
        self.folder.remove();
    }

    fn lock(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn withdraw(&mut self, index: usize) {
        if let Some((path, _)) = self.keys.remove(index) {
            // Someone may have removed it already.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_good_once_and_few_are_kept() {
        let keys = KeyFiles::new();
        assert!(!keys.folder().exists());
        let path = keys.issue().unwrap();
        let key = fs::read_to_string(&path).unwrap();
        assert!(!keys.accept("another") && keys.accept(&key) && !keys.accept(&key));
        assert!(!path.exists());

        let paths: Vec<_> = (0..KEPT + 3).map(|_| keys.issue().unwrap()).collect();
        let there = paths.iter().filter(|path| path.exists()).count();
        assert_eq!(there, KEPT);
        keys.remove();
        assert!(!keys.folder().exists());
        assert!(keys.issue().is_err());
    }
}
