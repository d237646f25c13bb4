//! A cluster as one of its nodes sees it (Redis documentation, "CLUSTER NODES").

use std::{collections::HashSet, io};

use crate::server::admin::Admin;

/// One line of `CLUSTER NODES`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    /// The node's own port, not its gateway's.
    pub(crate) port: u16,
    pub(crate) primary: bool,
    /// Whether it is to be taken for dead, or is not known well yet.
    pub(crate) unwell: bool,
    pub(crate) myself: bool,
    /// Of a replica: whose.
    pub(crate) replica_of: Option<String>,
    /// First and last of each range of slots.
    pub(crate) slots: Vec<(u16, u16)>,
}

impl Seen {
    /// Whether it is a primary with slots.
    pub(crate) fn serves_some(&self) -> bool {
        self.primary && !self.slots.is_empty()
    }

    pub(crate) fn serves(&self, slot: u16) -> bool {
        self.slots
            .iter()
            .any(|&(first, last)| (first..=last).contains(&slot))
    }

    /// Every slot of its, in order.
    pub(crate) fn all_slots(&self) -> impl Iterator<Item = u16> {
        self.slots.iter().flat_map(|&(first, last)| first..=last)
    }
}

/// Asks a node how it sees the cluster.
pub(crate) async fn ask(admin: &mut Admin) -> io::Result<Vec<Seen>> {
    let text = admin.ask_text(&["CLUSTER", "NODES"]).await?;
    Ok(text.lines().filter_map(line).collect())
}

/// The ports that `CLUSTER SLOTS` lists. A replica is among them only once its
/// node knows that it has replicated something.
pub(crate) async fn listed(admin: &mut Admin) -> io::Result<HashSet<u16>> {
    let leaves = admin.ask_all(&["CLUSTER", "SLOTS"]).await?;
    let addresses = leaves.windows(2).filter(|pair| pair[0] == b"127.0.0.1");
    let ports = addresses.filter_map(|pair| std::str::from_utf8(&pair[1]).ok()?.parse().ok());
    Ok(ports.collect())
}

fn line(line: &str) -> Option<Seen> {
    // id ip:port@cport[,hostname] flags primary ping pong epoch link slot…
    let mut words = line.split(' ');
    let id = words.next()?.to_owned();
    let address = words.next()?.split('@').next()?;
    let flags: Vec<_> = words.next()?.split(',').collect();
    let replica_of = words.next().filter(|&id| id != "-").map(str::to_owned);
    let has = |flag: &str| flags.contains(&flag);
    Some(Seen {
        id,
        port: address.rsplit(':').next()?.parse().ok()?,
        primary: has("master"),
        unwell: ["fail", "fail?", "handshake", "noaddr"]
            .into_iter()
            .any(has),
        myself: has("myself"),
        replica_of,
        slots: words.skip(4).filter_map(slots).collect(),
    })
}

/// `3`, or `3-7`; a slot under way, as `[3->-id]`, is its owner's still.
fn slots(word: &str) -> Option<(u16, u16)> {
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    Some((first.parse().ok()?, last.parse().ok()?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read() {
        let primary = line(
            "07c3 127.0.0.1:17004@27004,host myself,master - 0 142 4 connected 0-2 7 [9->-292f]",
        )
        .unwrap();
        assert_eq!((primary.id.as_str(), primary.port), ("07c3", 17004));
        assert!(primary.primary && primary.myself && !primary.unwell);
        assert_eq!(primary.all_slots().collect::<Vec<_>>(), [0, 1, 2, 7]);
        assert!(primary.serves(2) && !primary.serves(3) && !primary.serves(9));
        let replica =
            line("6ec2 127.0.0.1:17005@27005 slave,fail 07c3 0 1 4 disconnected").unwrap();
        assert_eq!(replica.replica_of.as_deref(), Some("07c3"));
        assert!(replica.unwell && !replica.primary && replica.slots.is_empty());
        assert_eq!(line("vars currentEpoch 6"), None);
    }
}
