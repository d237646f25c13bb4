use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// What a message costs beside its bytes, roughly.
const OVERHEAD: usize = 128;

/// Messages between the task that reads them and the application: a queue that
/// holds up to so many bytes and drops what comes beyond. Its writer never waits,
/// and its reader is told.
pub struct Backlog<T> {
    limit: usize,
    queue: Mutex<Queue<T>>,
    gaps: AtomicU64,
}

struct Queue<T> {
    items: VecDeque<Item<T>>,
    bytes: usize,
    /// Nothing comes any more.
    ended: bool,
    /// Nobody reads any more.
    closed: bool,
    reader: Option<Waker>,
}

enum Item<T> {
    /// Something is missing here.
    Gap,
    Message {
        message: T,
        bytes: usize,
    },
}

impl<T> Backlog<T> {
    /// An empty one that holds up to `limit` bytes.
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

    /// Appends a message that holds this many bytes.
    pub fn push(&self, message: T, bytes: usize) {
        let mut queue = self.queue();
        let bytes = bytes.saturating_add(OVERHEAD);
        if queue.closed {
            return;
        }
        // A single one may be larger than the limit.
        if queue.bytes > 0 && queue.bytes.saturating_add(bytes) > self.limit {
            queue.append_gap();
            return;
        }
        queue.bytes = queue.bytes.saturating_add(bytes);
        queue.items.push_back(Item::Message { message, bytes });
        Self::wake(queue);
    }

    /// Some messages may be missing here.
    pub fn gap(&self) {
        let mut queue = self.queue();
        queue.append_gap();
        Self::wake(queue);
    }

    /// There will be no more.
    pub fn end(&self) {
        let mut queue = self.queue();
        queue.ended = true;
        Self::wake(queue);
    }

    /// Nobody will read any more.
    pub fn close(&self) {
        let mut queue = self.queue();
        queue.closed = true;
        queue.bytes = 0;
        let unread = std::mem::take(&mut queue.items);
        drop(queue);
        drop(unread);
    }

    /// How many gaps the reader has come by.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.gaps.load(Ordering::Acquire)
    }

    /// The next message; `None` when there will be no more. Wakes the latest
    /// reader that waits.
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
            none => *none = Some(cx.waker().clone()),
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
    /// One after the other is one.
    fn append_gap(&mut self) {
        if !self.closed && !matches!(self.items.back(), Some(Item::Gap)) {
            self.items.push_back(Item::Gap);
        }
    }
}

impl<T> fmt::Debug for Backlog<T> {
    /// Messages may be secrets: only how many.
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
    fn what_is_beyond_the_limit_is_dropped_and_the_reader_told_where() {
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
    fn a_message_that_is_larger_than_the_limit_still_comes() {
        let backlog = Backlog::new(1);
        backlog.push(1, 1000);
        backlog.push(2, 0);
        assert_eq!(read(&backlog), [1]);
        backlog.push(3, usize::MAX);
        assert_eq!(read(&backlog), [3]);
        assert_eq!(backlog.gaps(), 1);
    }

    #[test]
    fn gaps_in_a_row_are_one() {
        let backlog = Backlog::new(usize::MAX);
        backlog.gap();
        backlog.gap();
        backlog.push(1, 0);
        backlog.gap();
        assert_eq!(read(&backlog), [1]);
        assert_eq!(backlog.gaps(), 2);
    }

    #[test]
    fn what_came_before_the_end_is_read() {
        let backlog = Backlog::new(usize::MAX);
        backlog.push(1, 0);
        backlog.end();
        assert_eq!(read(&backlog), [1]);
        let waker = noop_waker();
        let end = backlog.poll_next(&Context::from_waker(&waker));
        assert_eq!(end, Poll::Ready(None));
    }

    #[test]
    fn once_it_is_closed_nothing_is_kept() {
        let backlog = Backlog::new(usize::MAX);
        backlog.push(1, 0);
        backlog.close();
        backlog.push(2, 0);
        backlog.gap();
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
    fn its_reader_is_woken_for_everything() {
        type Act = fn(&Backlog<u32>);
        let acts: [Act; 3] = [|it| it.push(1, 0), Backlog::gap, Backlog::end];
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
