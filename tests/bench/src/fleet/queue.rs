//! What happens when.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::identity::Answer;
use super::server::Outcome;
use super::time::Nanos;

/// Something that happens to a process or to one of its connections.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// The identity service has answered a request of the process.
    Answer {
        process: u32,
        request: u32,
        answer: Answer,
    },
    /// A connection's own timer.
    Due(u32),
    /// A token of the process has expired.
    Expiry(u32),
    /// The server has accepted an AUTH that its client no longer waits for.
    Granted {
        link: u32,
        incarnation: u16,
        ends: Nanos,
    },
    /// The AUTH of a connection has ended, for its client.
    Reply { link: u32, outcome: Outcome },
    /// The process starts.
    Start(u32),
    /// The process's own timer.
    Wake(u32),
}

/// Events by time; those of one moment in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Entry>,
    added: u64,
}

#[derive(Debug)]
struct Entry {
    at: Nanos,
    number: u64,
    event: Event,
}

impl Queue {
    pub(super) fn add(&mut self, at: Nanos, event: Event) {
        let number = self.added;
        self.added += 1;
        self.heap.push(Entry { at, number, event });
    }

    /// The next event, if it comes before `end`.
    pub(super) fn next_before(&mut self, end: Nanos) -> Option<(Nanos, Event)> {
        if self.heap.peek()?.at >= end {
            return None;
        }
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }

    /// Events that never came, in no order.
    pub(super) fn left(&self) -> impl Iterator<Item = &Event> {
        self.heap.iter().map(|entry| &entry.event)
    }

    pub(super) const fn added(&self) -> u64 {
        self.added
    }
}

/// The heap's greatest is the one that comes first.
impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Entry {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_by_time_and_then_by_age() {
        let mut queue = Queue::default();
        for (at, process) in [(5, 1), (3, 2), (5, 3), (9, 4)] {
            queue.add(at, Event::Wake(process));
        }
        let mut order = Vec::new();
        while let Some((at, Event::Wake(process))) = queue.next_before(9) {
            order.push((at, process));
        }
        assert_eq!(order, [(3, 2), (5, 1), (5, 3)]);
        assert_eq!(queue.left().count(), 1);
    }
}
