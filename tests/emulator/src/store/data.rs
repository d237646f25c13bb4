//! The data: sixteen databases of keys, values and expiry times, and who watches which key.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

pub(crate) const DATABASES: usize = 16;

const WRONG_TYPE: &str = "WRONGTYPE Operation against a key holding the wrong kind of value";

pub(crate) type Failure = Cow<'static, str>;

/// A value of one of the four kinds.
#[derive(Debug)]
pub(crate) enum Value {
    Text(Vec<u8>),
    Hash(HashMap<Vec<u8>, Vec<u8>>),
    List(VecDeque<Vec<u8>>),
    Set(HashSet<Vec<u8>>),
}

impl Value {
    /// Redis keeps no empty hash, list or set.
    fn is_empty_collection(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::Hash(hash) => hash.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Set(set) => set.is_empty(),
        }
    }
}

#[derive(Debug)]
struct Entry {
    value: Value,
    expires_at: Option<Instant>,
}

type Keys = HashMap<Vec<u8>, Entry>;

/// Everything that is stored.
#[derive(Debug)]
pub(crate) struct Data {
    databases: Vec<Keys>,
    watched: HashMap<(usize, Vec<u8>), Vec<Arc<AtomicBool>>>,
}

impl Data {
    pub(crate) fn new() -> Self {
        Self {
            databases: (0..DATABASES).map(|_| Keys::new()).collect(),
            watched: HashMap::new(),
        }
    }

    pub(crate) fn database(&mut self, number: usize) -> Database<'_> {
        Database {
            data: self,
            number,
            now: Instant::now(),
        }
    }

    /// Sets `flag` when the key changes.
    pub(crate) fn watch(&mut self, database: usize, key: &[u8], flag: &Arc<AtomicBool>) {
        let watchers = self.watched.entry((database, key.to_vec())).or_default();
        if !watchers.iter().any(|watcher| Arc::ptr_eq(watcher, flag)) {
            watchers.push(Arc::clone(flag));
        }
    }

    pub(crate) fn unwatch(&mut self, flag: &Arc<AtomicBool>) {
        self.watched.retain(|_, watchers| {
            watchers.retain(|watcher| !Arc::ptr_eq(watcher, flag));
            !watchers.is_empty()
        });
    }

    pub(crate) fn clear_all(&mut self) {
        for number in 0..DATABASES {
            self.database(number).clear();
        }
    }
}

/// One database at one moment.
pub(crate) struct Database<'a> {
    data: &'a mut Data,
    number: usize,
    now: Instant,
}

impl Database<'_> {
    fn keys(&mut self) -> &mut Keys {
        &mut self.data.databases[self.number]
    }

    /// The live entry; one that has expired is removed on the way.
    fn entry(&mut self, key: &[u8]) -> Option<&mut Entry> {
        let now = self.now;
        let expired = |entry: &Entry| entry.expires_at.is_some_and(|end| end <= now);
        if self.keys().get(key).is_some_and(expired) {
            self.keys().remove(key);
            self.touch(key);
        }
        self.keys().get_mut(key)
    }

    /// Tells those who watch the key that it has changed.
    fn touch(&mut self, key: &[u8]) {
        if self.data.watched.is_empty() {
            return;
        }
        if let Some(watchers) = self.data.watched.get(&(self.number, key.to_vec())) {
            for watcher in watchers {
                watcher.store(true, Relaxed);
            }
        }
    }

    pub(crate) fn get(&mut self, key: &[u8]) -> Option<&Value> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// Replaces value and expiry.
    pub(crate) fn set(&mut self, key: &[u8], value: Value, expires_at: Option<Instant>) {
        self.keys()
            .insert(key.to_vec(), Entry { value, expires_at });
        self.touch(key);
    }

    pub(crate) fn remove(&mut self, key: &[u8]) -> bool {
        let removed = self.entry(key).is_some();
        if removed {
            self.keys().remove(key);
            self.touch(key);
        }
        removed
    }

    /// Changes a value in place, made by `empty` if there is none; a
    /// collection left empty goes. `change` says whether it did change.
    fn change<T>(
        &mut self,
        key: &[u8],
        empty: fn() -> Value,
        change: impl FnOnce(&mut Value) -> Result<(T, bool), Failure>,
    ) -> Result<T, Failure> {
        if self.entry(key).is_none() {
            let mut value = empty();
            let (result, changed) = change(&mut value)?;
            if changed && !value.is_empty_collection() {
                self.set(key, value, None);
            }
            return Ok(result);
        }
        let Some(entry) = self.keys().get_mut(key) else {
            return Err(WRONG_TYPE.into());
        };
        let (result, changed) = change(&mut entry.value)?;
        if entry.value.is_empty_collection() {
            self.keys().remove(key);
        }
        if changed {
            self.touch(key);
        }
        Ok(result)
    }

    pub(crate) fn expiry(&mut self, key: &[u8]) -> Option<Option<Duration>> {
        let now = self.now;
        self.entry(key).map(|entry| {
            entry
                .expires_at
                .map(|end| end.saturating_duration_since(now))
        })
    }

    pub(crate) fn set_expiry(&mut self, key: &[u8], expires_at: Option<Instant>) -> bool {
        let found = self
            .entry(key)
            .map(|entry| entry.expires_at = expires_at)
            .is_some();
        if found {
            self.touch(key);
        }
        found
    }

    pub(crate) fn live_keys(&mut self) -> Vec<Vec<u8>> {
        let now = self.now;
        let live = |entry: &Entry| entry.expires_at.is_none_or(|end| end > now);
        self.keys()
            .iter()
            .filter(|(_, entry)| live(entry))
            .map(|(key, _)| key.clone())
            .collect()
    }

    pub(crate) fn clear(&mut self) {
        let keys = std::mem::take(self.keys());
        for key in keys.keys() {
            self.touch(key);
        }
    }

    pub(crate) fn text(&mut self, key: &[u8]) -> Result<Option<&[u8]>, Failure> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(_) => Err(WRONG_TYPE.into()),
        }
    }

    pub(crate) fn change_text<T>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut Vec<u8>) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        self.change(
            key,
            || Value::Text(Vec::new()),
            |value| match value {
                Value::Text(text) => change(text).map(|result| (result, true)),
                _ => Err(WRONG_TYPE.into()),
            },
        )
    }
}

/// For each kind of collection: looking at it, and changing it.
macro_rules! collection {
    ($kind:ident, $type:ty, $look:ident, $change:ident) => {
        impl Database<'_> {
            pub(crate) fn $look(&mut self, key: &[u8]) -> Result<Option<&$type>, Failure> {
                match self.get(key) {
                    None => Ok(None),
                    Some(Value::$kind(found)) => Ok(Some(found)),
                    Some(_) => Err(WRONG_TYPE.into()),
                }
            }

            pub(crate) fn $change<T>(
                &mut self,
                key: &[u8],
                change: impl FnOnce(&mut $type) -> T,
            ) -> Result<T, Failure> {
                self.change(
                    key,
                    || Value::$kind(Default::default()),
                    |value| match value {
                        Value::$kind(found) => Ok((change(found), true)),
                        _ => Err(WRONG_TYPE.into()),
                    },
                )
            }
        }
    };
}

collection!(Hash, HashMap<Vec<u8>, Vec<u8>>, hash, change_hash);
collection!(List, VecDeque<Vec<u8>>, list, change_list);
collection!(Set, HashSet<Vec<u8>>, members, change_members);
