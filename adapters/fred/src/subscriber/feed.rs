//! The messages of one connection.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use fred::clients::Client;
use fred::interfaces::EventInterface;
use fred::types::{KeyspaceEvent, Message, MessageKind};
use futures_util::future::join;
use redis_authx_session::handover;
use redis_authx_session::handover::{Backlog, Kind};

use super::messages::Messages;
use super::pump::{Pump, each};
use crate::dial::Connected;

/// What fred makes of a server's messages.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Message(Message),
    /// A message of a channel like `__keyspace@0__:key`.
    Keyspace(KeyspaceEvent),
}

/// Whatever the connection has brought, until it is taken.
pub(super) struct Feed {
    // Dropped first: nothing is pumped any more.
    _pump: Arc<Pump>,
    connected: Option<Connected>,
    backlog: Arc<Backlog<Item>>,
    gaps: u64,
    messages: Arc<Messages>,
}

impl Feed {
    /// Before the connection subscribes to anything.
    pub(super) fn of(client: &Client, connected: Connected, messages: Arc<Messages>) -> Self {
        let backlog = Arc::new(Backlog::new(Backlog::<Item>::DEFAULT_LIMIT));
        let pump = Pump::start({
            let (one, two) = (Arc::clone(&backlog), Arc::clone(&backlog));
            let messages = each(client.message_rx(), move |message| {
                push(&one, message.map(Item::Message));
            });
            let events = each(client.keyspace_event_rx(), move |event| {
                push(&two, event.map(Item::Keyspace));
            });
            async {
                join(messages, events).await;
            }
        });
        Self {
            _pump: pump,
            connected: Some(connected),
            backlog,
            gaps: 0,
            messages,
        }
    }
}

impl handover::Feed for Feed {
    type Message = Item;

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Item>> {
        loop {
            if let Poll::Ready(next) = self.backlog.poll_next(cx) {
                let gaps = self.backlog.gaps();
                if gaps > self.gaps {
                    self.gaps = gaps;
                    self.messages.gap();
                }
                return Poll::Ready(next);
            }
            // All that it brought has been read by now.
            let Some(connected) = &mut self.connected else {
                return Poll::Pending;
            };
            ready!(Pin::new(connected).poll(cx));
            self.connected = None;
            self.backlog.end();
        }
    }

    fn origin(item: &Item) -> (Kind, &[u8]) {
        match item {
            Item::Message(message) => {
                let kind = match message.kind {
                    MessageKind::Message => Kind::Channel,
                    MessageKind::PMessage => Kind::Pattern,
                    MessageKind::SMessage => Kind::Shard,
                };
                (kind, message.channel.as_bytes())
            }
            Item::Keyspace(_) => (Kind::Pattern, &[]),
        }
    }
}

fn push(backlog: &Backlog<Item>, item: Option<Item>) {
    match item {
        Some(item) => {
            let bytes = size(&item);
            backlog.push(item, bytes);
        }
        None => backlog.push_gap(),
    }
}

/// The bytes that a message holds, roughly.
fn size(item: &Item) -> usize {
    match item {
        Item::Message(message) => {
            let payload = message.value.as_bytes().map_or(0, <[u8]>::len);
            payload + message.channel.len()
        }
        Item::Keyspace(event) => event.operation.len() + event.key.as_bytes().len(),
    }
}
