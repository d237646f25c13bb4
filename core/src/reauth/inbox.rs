use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::Waker;

use futures::task::AtomicWaker;

use super::Session;
use super::entry::Grant;
use super::status::{ConnectionId, StatusCell};

/// What handles tell the driver.
#[derive(Debug)]
pub(super) enum Notice {
    Joined {
        id: ConnectionId,
        session: Weak<dyn Session>,
        grant: Grant,
        status: Arc<StatusCell>,
    },
    Left(ConnectionId),
    Lost(ConnectionId),
    Ready(ConnectionId),
}

/// The handles' end. Closes the driver's when the last one is dropped.
#[derive(Debug, Default)]
pub(super) struct Inbox(Arc<Mail>);

/// The driver's end.
#[derive(Debug, Default)]
pub(super) struct Mail {
    notices: Mutex<Vec<Notice>>,
    closed: AtomicBool,
    driver: AtomicWaker,
}

impl Inbox {
    pub(super) fn mail(&self) -> Arc<Mail> {
        Arc::clone(&self.0)
    }

    pub(super) fn send(&self, notice: Notice) {
        self.0
            .notices
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(notice);
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
        std::mem::take(&mut *self.notices.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}
