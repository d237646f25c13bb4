use std::collections::BTreeSet;
use std::fmt;

/// The kind of a subscription: which command subscribes, and what its names mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "Redis has these three")]
pub enum Kind {
    /// Channels, as `SUBSCRIBE` takes them.
    Channel,
    /// Patterns, as `PSUBSCRIBE` takes them.
    Pattern,
    /// Channels of one shard of a cluster, as `SSUBSCRIBE` takes them.
    Shard,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::Channel, Self::Pattern, Self::Shard];
}

/// What a subscriber is subscribed to: a set of names for each [`Kind`].
#[derive(Clone, Default)]
pub struct Subscriptions([BTreeSet<Vec<u8>>; Kind::ALL.len()]);

impl Subscriptions {
    /// The names of one kind.
    #[must_use]
    pub fn names(&self, kind: Kind) -> &BTreeSet<Vec<u8>> {
        &self.0[kind as usize]
    }

    /// Adds names, and returns those that were not in the set, in the order given.
    pub fn add(&mut self, kind: Kind, names: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let known = &mut self.0[kind as usize];
        let is_new = |name: &&Vec<u8>| known.insert((*name).clone());
        names.iter().filter(is_new).cloned().collect()
    }

    /// Removes names, and returns those that were in the set, in the order given.
    pub fn remove(&mut self, kind: Kind, names: &[Vec<u8>]) -> Vec<Vec<u8>> {
        let known = &mut self.0[kind as usize];
        let was_known = |name: &&Vec<u8>| known.remove(*name);
        names.iter().filter(was_known).cloned().collect()
    }

    /// Removes all names of one kind, and returns them in order.
    pub fn remove_all(&mut self, kind: Kind) -> Vec<Vec<u8>> {
        let known = std::mem::take(&mut self.0[kind as usize]);
        known.into_iter().collect()
    }
}

impl fmt::Debug for Subscriptions {
    /// Shows counts only: names may reveal what the application does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subscriptions")
            .field("channels", &self.names(Kind::Channel).len())
            .field("patterns", &self.names(Kind::Pattern).len())
            .field("sharded_channels", &self.names(Kind::Shard).len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<Vec<u8>> {
        names.iter().map(|name| name.as_bytes().to_vec()).collect()
    }

    #[test]
    fn kinds_are_separate_and_a_name_is_held_once() {
        let mut all = Subscriptions::default();
        assert_eq!(
            all.add(Kind::Channel, &names(&["a", "b", "a"])),
            names(&["a", "b"])
        );
        assert_eq!(all.add(Kind::Pattern, &names(&["a"])), names(&["a"]));
        assert_eq!(all.add(Kind::Channel, &names(&["b", "c"])), names(&["c"]));
        assert_eq!(
            all.remove(Kind::Channel, &names(&["a", "x"])),
            names(&["a"])
        );
        assert!(all.remove(Kind::Channel, &[]).is_empty());
        assert_eq!(all.remove_all(Kind::Channel), names(&["b", "c"]));
        assert_eq!(all.names(Kind::Pattern).len(), 1);
        assert!(all.remove_all(Kind::Shard).is_empty());
    }

    #[test]
    fn debug_shows_counts_and_no_names() {
        let mut all = Subscriptions::default();
        all.add(Kind::Shard, &names(&["layoffs"]));
        let shown = format!("{all:?}");
        assert!(shown.contains("sharded_channels: 1"), "{shown}");
        assert!(!shown.contains("layoffs"), "{shown}");
    }
}
