//! What happens when.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use super::identity::Answer;
use super::server::Outcome;
use super::time::{Nanos, SECOND};

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
///
/// A calendar: a heap for the second that is under way, and for each later one
/// a list that becomes the heap when its time has come. Most events are added
/// long before, which is then cheap.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Entry>,
    /// The second of the heap.
    second: usize,
    later: Vec<Vec<Entry>>,
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
        let entry = Entry { at, number, event };
        let second = second(at);
        if second <= self.second {
            return self.heap.push(entry);
        }
        if self.later.len() <= second {
            self.later.resize_with(second + 1, Vec::new);
        }
        self.later[second].push(entry);
    }

    /// The next event, if it comes before `end`.
    pub(super) fn next_before(&mut self, end: Nanos) -> Option<(Nanos, Event)> {
        while self.heap.is_empty() && self.second < self.later.len() {
            if second(end) < self.second {
                return None;
            }
            self.heap = std::mem::take(&mut self.later[self.second]).into();
            self.second += usize::from(self.heap.is_empty());
        }
        if self.heap.peek()?.at >= end {
            return None;
        }
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }

    /// Events that never came, in no order.
    pub(super) fn left(&self) -> impl Iterator<Item = &Event> {
        let later = self.later.iter().flatten();
        self.heap.iter().chain(later).map(|entry| &entry.event)
    }

    pub(super) const fn added(&self) -> u64 {
        self.added
    }
}

fn second(at: Nanos) -> usize {
    usize::try_from(at / SECOND).unwrap_or(usize::MAX)
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

    fn drain(queue: &mut Queue, end: Nanos) -> Vec<(Nanos, u32)> {
        let mut order = Vec::new();
        while let Some((at, Event::Wake(process))) = queue.next_before(end) {
            order.push((at, process));
        }
        order
    }

    #[test]
    fn events_come_by_time_and_then_by_age() {
        let mut queue = Queue::default();
        for (at, process) in [(5, 1), (3, 2), (5, 3), (9, 4)] {
            queue.add(at, Event::Wake(process));
        }
        assert_eq!(drain(&mut queue, 9), [(3, 2), (5, 1), (5, 3)]);
        assert_eq!(queue.left().count(), 1);
    }

    #[test]
    fn no_second_is_left_out() {
        let random = &mut fastrand::Rng::with_seed(5);
        let mut queue = Queue::default();
        let (mut added, mut order) = (Vec::new(), Vec::new());
        for process in 0..1_000 {
            // Half of the time some come while others are added.
            let at = order.last().map_or(0, |(at, _)| *at) + random.u64(0..20 * SECOND);
            queue.add(at, Event::Wake(process));
            added.push((at, process));
            if random.bool()
                && let Some((at, Event::Wake(process))) = queue.next_before(at + 1)
            {
                order.push((at, process));
            }
        }
        order.extend(drain(&mut queue, Nanos::MAX));
        added.sort_unstable();
        assert_eq!(order, added);
    }
}
