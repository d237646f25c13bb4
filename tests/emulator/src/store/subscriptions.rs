//! The channels and patterns that one session subscribes to.

use std::collections::BTreeSet;

use super::{
    hub::{Hub, Message, Way},
    reply::Reply,
};

/// One of the four commands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change {
    pub(crate) word: &'static str,
    pub(crate) way: Way,
    pub(crate) on: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    channels: BTreeSet<Vec<u8>>,
    patterns: BTreeSet<Vec<u8>>,
}

impl Subscriptions {
    pub(crate) fn count(&self) -> usize {
        self.channels.len() + self.patterns.len()
    }

    pub(crate) fn wants(&self, message: &Message) -> bool {
        match &message.pattern {
            None => self.channels.contains(&message.channel),
            Some(pattern) => self.patterns.contains(pattern),
        }
    }

    /// The confirmations: one for each name.
    pub(crate) fn change(
        &mut self,
        change: Change,
        names: &[&[u8]],
        session: u64,
        hub: &mut Hub,
    ) -> Vec<Reply> {
        let own = self.of(change.way);
        let names: Vec<Vec<u8>> = if names.is_empty() && !change.on {
            own.iter().cloned().collect()
        } else {
            names.iter().map(|name| name.to_vec()).collect()
        };
        if names.is_empty() {
            return vec![self.confirmation(change, Reply::Null)];
        }
        let mut replies = Vec::with_capacity(names.len());
        for name in names {
            if change.on {
                hub.subscribe(session, change.way, &name);
                self.of(change.way).insert(name.clone());
            } else {
                hub.unsubscribe(session, change.way, &name);
                self.of(change.way).remove(&name);
            }
            replies.push(self.confirmation(change, Reply::Bulk(name)));
        }
        replies
    }

    pub(crate) fn message(message: Message) -> Reply {
        let channel = Reply::Bulk(message.channel);
        let payload = Reply::Bulk(message.payload);
        Reply::Push(match message.pattern {
            None => vec![Reply::bulk("message"), channel, payload],
            Some(pattern) => {
                vec![
                    Reply::bulk("pmessage"),
                    Reply::Bulk(pattern),
                    channel,
                    payload,
                ]
            }
        })
    }

    fn confirmation(&self, change: Change, name: Reply) -> Reply {
        Reply::Push(vec![
            Reply::bulk(change.word),
            name,
            Reply::count(self.count()),
        ])
    }

    fn of(&mut self, way: Way) -> &mut BTreeSet<Vec<u8>> {
        match way {
            Way::Channel => &mut self.channels,
            Way::Pattern => &mut self.patterns,
        }
    }
}
