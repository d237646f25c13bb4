use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// The memory that a message takes beside its bytes, roughly.
const OVERHEAD: usize = 128;

/// A bounded queue of messages between the task that reads a connection and the
/// application.
///
/// The writer never waits: messages beyond the limit are dropped, and
/// [`gaps`](Self::gaps) tells the reader.
pub struct Backlog<T> {
    limit: usize,
    queue: Mutex<Queue<T>>,
    gaps: AtomicU64,
}

struct Queue<T> {
    items: VecDeque<Item<T>>,
    bytes: usize,
    /// The writer has finished.
    ended: bool,
    /// The reader has finished.
    closed: bool,
    reader: Option<Waker>,
}

enum Item<T> {
    /// Messages may be missing here.
    Gap,
    Message {
        message: T,
        bytes: usize,
    },
}

impl<T> Backlog<T> {
    /// A limit for applications that are busy now and then: 64 MiB, twice what a
    /// server holds for a slow subscriber
    /// (`client-output-buffer-limit pubsub 32mb 8mb 60` in redis.conf).
    pub const DEFAULT_LIMIT: usize = 64 << 20;

    /// Creates an empty queue for up to `limit` bytes. Each message counts as its
    /// bytes and 128 more.
    #[must_use]
    pub const fn new(limit: usize) -> Self {
        Self {
            limit,
            queue: Mutex::new(Queue {
                items: VecDeque::new(),
                bytes: 0,
                ended: false,
                closed: false,
                reader: None,
            }),
            gaps: AtomicU64::new(0),
        }
    }

    /// Appends a message of this many bytes, or a gap in its place when it exceeds
    /// the limit. A message larger than the limit fits into an empty queue. Does
    /// nothing once the queue is [closed](Self::close).
    pub fn push(&self, message: T, bytes: usize) {
        let mut queue = self.queue();
        let bytes = bytes.saturating_add(OVERHEAD);
        if queue.closed {
            return;
        }
        // An empty queue takes a message of any size.
        if queue.bytes > 0 && queue.bytes.saturating_add(bytes) > self.limit {
            queue.append_gap();
            return;
        }
        queue.bytes = queue.bytes.saturating_add(bytes);
        queue.items.push_back(Item::Message { message, bytes });
        Self::wake(queue);
    }

    /// Appends a gap: messages may be missing here. Adjacent gaps are merged.
    pub fn push_gap(&self) {
        let mut queue = self.queue();
        queue.append_gap();
        Self::wake(queue);
    }

    /// Ends the queue for the reader, once it has read what is left.
    pub fn end(&self) {
        let mut queue = self.queue();
        queue.ended = true;
        Self::wake(queue);
    }

    /// Drops all messages, and those that are pushed later.
    pub fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.bytes = 0;
        let unread = std::mem::take(&mut queue.items);
        drop(queue);
        drop(unread);
    }

    /// The number of gaps that the reader has passed.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::Acquire)
    }

    /// Returns the next message; `None` after the [end](Self::end). Only the task
    /// that polled last is woken.
    pub fn poll_next(&self, cx: &Context<'_>) -> Poll<Option<T>> {
        let mut queue = self.queue();
        while let Some(item) = queue.items.pop_front() {
            match item {
                Item::Gap => {
                    self.gaps.fetch_add(1, Ordering::AcqRel);
                }
                Item::Message { message, bytes } => {
                    queue.bytes -= bytes;
                    return Poll::Ready(Some(message));
                }
            }
        }
        if queue.ended {
            return Poll::Ready(None);
        }
        match &mut queue.reader {
            Some(reader) => reader.clone_from(cx.waker()),
            empty => *empty = Some(cx.waker().clone()),
        }
        Poll::Pending
    }

    fn wake(mut queue: MutexGuard<'_, Queue<T>>) {
        let reader = queue.reader.take();
        drop(queue);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Queue<T> {
    /// Appends a gap, unless the last item is one.
    fn append_gap(&mut self) {
        if !self.closed && !matches!(self.items.back(), Some(Item::Gap)) {
            self.items.push_back(Item::Gap);
        }
    }
}

impl<T> fmt::Debug for Backlog<T> {
    /// Shows counts only: messages may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (items, bytes) = {
            let queue = self.queue();
            (queue.items.len(), queue.bytes)
        };
        f.debug_struct("Backlog")
            .field("items", &items)
            .field("bytes", &bytes)
            .field("gaps", &self.gaps())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicUsize;

    use futures_util::task::{ArcWake, noop_waker, waker};

    use super::*;

    fn read(backlog: &Backlog<u32>) -> Vec<u32> {
        let waker = noop_waker();
        let mut read = Vec::new();
        while let Poll::Ready(Some(message)) = backlog.poll_next(&Context::from_waker(&waker)) {
            read.push(message);
        }
        read
    }

    #[test]
    fn messages_beyond_the_limit_are_dropped_and_leave_a_gap() {
        let backlog = Backlog::new(3 * OVERHEAD);
        for message in 1..=5 {
            backlog.push(message, 0);
        }
        let waker = noop_waker();
        let cx = Context::from_waker(&waker);
        assert_eq!(backlog.poll_next(&cx), Poll::Ready(Some(1)));
        backlog.push(6, 0);
        assert_eq!(backlog.poll_next(&cx), Poll::Ready(Some(2)));
        assert_eq!(backlog.poll_next(&cx), Poll::Ready(Some(3)));
        assert_eq!(backlog.gaps(), 0, "not yet");
        assert_eq!(backlog.poll_next(&cx), Poll::Ready(Some(6)));
        assert_eq!(backlog.gaps(), 1);
        assert_eq!(backlog.poll_next(&cx), Poll::Pending);
    }

    #[test]
    fn a_message_larger_than_the_limit_is_delivered() {
        let backlog = Backlog::new(1);
        backlog.push(1, 1000);
        backlog.push(2, 0);
        assert_eq!(read(&backlog), [1]);
        backlog.push(3, usize::MAX);
        assert_eq!(read(&backlog), [3]);
        assert_eq!(backlog.gaps(), 1);
    }

    #[test]
    fn adjacent_gaps_are_merged() {
        let backlog = Backlog::new(usize::MAX);
        backlog.push_gap();
        backlog.push_gap();
        backlog.push(1, 0);
        backlog.push_gap();
        assert_eq!(read(&backlog), [1]);
        assert_eq!(backlog.gaps(), 2);
    }

    #[test]
    fn messages_before_the_end_are_read() {
        let backlog = Backlog::new(usize::MAX);
        backlog.push(1, 0);
        backlog.end();
        assert_eq!(read(&backlog), [1]);
        let waker = noop_waker();
        let end = backlog.poll_next(&Context::from_waker(&waker));
        assert_eq!(end, Poll::Ready(None));
    }

    #[test]
    fn a_closed_queue_keeps_nothing() {
        let backlog = Backlog::new(usize::MAX);
        backlog.push(1, 0);
        backlog.close();
        backlog.push(2, 0);
        backlog.push_gap();
        assert!(backlog.queue().items.is_empty());
    }

    #[derive(Default)]
    struct Woken(AtomicUsize);

    impl ArcWake for Woken {
        fn wake_by_ref(woken: &Arc<Self>) {
            woken.0.fetch_add(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn every_change_wakes_the_reader() {
        type Act = fn(&Backlog<u32>);
        let acts: [Act; 3] = [|it| it.push(1, 0), Backlog::push_gap, Backlog::end];
        for act in acts {
            let backlog = Backlog::new(usize::MAX);
            let woken = Arc::new(Woken::default());
            let waker = waker(Arc::clone(&woken));
            let pending = backlog.poll_next(&Context::from_waker(&waker));
            assert_eq!(pending, Poll::Pending);
            act(&backlog);
            assert_eq!(woken.0.load(Ordering::SeqCst), 1);
        }
    }
}
