//! Every order of events in a handover, up to a size at which all cases occur.

use redis_authx_session::handover::{Handover, Marker, Outcome, Side, Verdict};

/// Messages that are published, numbered from 0.
const MESSAGES: usize = 5;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Item {
    Message(usize),
    Marker,
}

/// One order of events at the server. Positions are between messages: 0 is
/// before the first.
#[derive(Clone, Copy, Debug)]
struct Order {
    marked: bool,
    /// From here on the new connection receives messages.
    subscribed: usize,
    /// Where the marker is published, or the reply to the old one's `PING` is sent.
    marker: usize,
    old_lost: Option<usize>,
    new_lost: Option<usize>,
    /// The adapter gives up after this many items.
    abandoned: Option<usize>,
}

impl Order {
    fn all() -> Vec<Self> {
        let mut orders = Vec::new();
        let lost_from = |first: usize| {
            let somewhere = (first..=MESSAGES).map(Some);
            std::iter::once(None).chain(somewhere).collect::<Vec<_>>()
        };
        for marked in [true, false] {
            for subscribed in 0..=MESSAGES {
                for marker in subscribed..=MESSAGES {
                    // Both were there when the new one had subscribed.
                    for old_lost in lost_from(subscribed) {
                        for new_lost in lost_from(subscribed) {
                            for abandoned in lost_from(0) {
                                orders.push(Self {
                                    marked,
                                    subscribed,
                                    marker,
                                    old_lost,
                                    new_lost,
                                    abandoned,
                                });
                            }
                        }
                    }
                }
            }
        }
        orders
    }

    /// What a connection receives, the marker before the message of its position.
    fn feed(&self, first: usize, lost: Option<usize>, marked: bool) -> Vec<Item> {
        let end = lost.unwrap_or(MESSAGES);
        let mut items = Vec::new();
        for position in first..=end {
            // A connection that is lost at that position may have received the
            // marker or not: here it has not.
            if marked && position == self.marker && lost.is_none_or(|lost| position < lost) {
                items.push(Item::Marker);
            }
            if position < end {
                items.push(Item::Message(position));
            }
        }
        items
    }

    fn run(&self) -> (Outcome, Vec<usize>) {
        let mut handover = if self.marked {
            Handover::with_marker()
        } else {
            Handover::without_marker()
        };
        let mut old = self.feed(0, self.old_lost, true).into_iter();
        let mut new = self
            .feed(self.subscribed, self.new_lost, self.marked)
            .into_iter();
        let mut delivered = Vec::new();
        let mut read = 0;
        loop {
            if self.abandoned == Some(read) {
                handover.abandon();
            }
            let item = match handover.read_side() {
                Side::Old => old.next(),
                Side::New => new.next(),
            };
            read += 1;
            match item {
                Some(Item::Message(number)) => {
                    if handover.on_message() == Verdict::Deliver {
                        delivered.push(number);
                    }
                }
                Some(Item::Marker) => handover.on_marker(),
                None if handover.outcome().is_none() => handover.on_lost(),
                None => break,
            }
        }
        (handover.outcome().expect("the end was read"), delivered)
    }
}

#[test]
fn no_order_loses_a_message() {
    let up_to = |lost: Option<usize>| (0..lost.unwrap_or(MESSAGES)).collect::<Vec<_>>();
    let mut seen = [0; 3];
    for order in Order::all() {
        let (outcome, delivered) = order.run();
        match outcome {
            // As with a single connection.
            Outcome::Exact => {
                assert!(order.marked, "{order:?}");
                assert_eq!(delivered, up_to(order.new_lost), "{order:?}");
                seen[0] += 1;
            }
            Outcome::Abandoned => {
                assert_eq!(delivered, up_to(order.old_lost), "{order:?}");
                seen[1] += 1;
            }
            Outcome::Overlapped => {
                let old = if order.marked || order.old_lost.is_some_and(|at| at <= order.marker) {
                    order.old_lost.expect("else there was a marker")
                } else {
                    order.marker
                };
                let mut expected: Vec<usize> = (0..old).collect();
                expected.extend(order.subscribed..order.new_lost.unwrap_or(MESSAGES));
                assert_eq!(delivered, expected, "{order:?}");
                assert!(order.subscribed <= old, "no gap: {order:?}");
                seen[2] += 1;
            }
            _ => unreachable!(),
        }
    }
    println!("exact, abandoned, overlapped: {seen:?}");
    assert!(seen.iter().all(|count| *count > 100), "{seen:?}");
}

#[test]
fn a_handover_without_losses_is_exact() {
    for order in Order::all() {
        if order.marked && (order.old_lost, order.new_lost, order.abandoned) == (None, None, None) {
            assert_eq!(order.run().0, Outcome::Exact, "{order:?}");
        }
    }
}

#[test]
fn events_after_the_end_change_nothing() {
    for (end, outcome, stays) in [
        (
            Handover::on_marker as fn(&mut Handover),
            Outcome::Exact,
            Side::New,
        ),
        (Handover::on_lost, Outcome::Overlapped, Side::New),
        (Handover::abandon, Outcome::Abandoned, Side::Old),
    ] {
        let mut handover = Handover::with_marker();
        end(&mut handover);
        end(&mut handover);
        for late in [Handover::on_marker, Handover::on_lost, Handover::abandon] {
            late(&mut handover);
            assert_eq!(handover.outcome(), Some(outcome));
            assert_eq!(handover.read_side(), stays);
            assert_eq!(handover.on_message(), Verdict::Deliver);
        }
    }
}

#[test]
fn markers_differ_and_no_other_channel_is_one() {
    let markers: Vec<Marker> = (0..1000).map(|_| Marker::new()).collect();
    for (place, marker) in markers.iter().enumerate() {
        let channel = marker.channel();
        assert_eq!(channel.len(), Marker::PREFIX.len() + 32, "{channel}");
        assert!(Marker::is_marker(channel.as_bytes()));
        assert!(!markers[..place].contains(marker));
    }
    for channel in ["orders", "", "redis-authx:", "x-redis-authx:handover:1"] {
        assert!(!Marker::is_marker(channel.as_bytes()), "{channel}");
    }
}
