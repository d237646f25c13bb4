use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::Waker;

use futures_util::task::AtomicWaker;
use redis_authx::{ConnectionId, ReauthError};

use crate::Session;
use crate::entry::Grant;
use crate::status::StatusCell;

/// What handles report to the driver.
#[derive(Debug)]
pub(super) enum Notice {
    Joined {
        id: ConnectionId,
        session: Weak<dyn Session>,
        grant: Grant,
        status: Arc<StatusCell>,
    },
    Left(ConnectionId),
    /// With the reason, where the session itself has given up the connection.
    Lost(ConnectionId, Option<ReauthError>),
    Ready(ConnectionId),
}

/// The handles' side of the queue. Dropping the last one closes it.
#[derive(Debug)]
pub(super) struct Inbox(Arc<Mail>);

/// The driver's side of the queue.
#[derive(Debug)]
pub(super) struct Mail {
    /// `None` once the driver has ended.
    notices: Mutex<Option<Vec<Notice>>>,
    closed: AtomicBool,
    driver: AtomicWaker,
}

impl Inbox {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mail {
            notices: Mutex::new(Some(Vec::new())),
            closed: AtomicBool::new(false),
            driver: AtomicWaker::new(),
        }))
    }

    pub(super) fn mail(&self) -> Arc<Mail> {
        Arc::clone(&self.0)
    }

    pub(super) fn send(&self, notice: Notice) {
        if let Some(notices) = &mut *self.0.notices() {
            notices.push(notice);
        }
        self.0.driver.wake();
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.0.closed.store(true, Ordering::Release);
        self.0.driver.wake();
    }
}

impl Mail {
    pub(super) fn register(&self, waker: &Waker) {
        self.driver.register(waker);
    }

    pub(super) fn take(&self) -> Vec<Notice> {
        self.notices()
            .as_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// The driver has ended: its task is freed, and further notices are dropped.
    pub(super) fn end(&self) {
        let unread = self.notices().take();
        drop((unread, self.driver.take()));
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn notices(&self) -> MutexGuard<'_, Option<Vec<Notice>>> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
