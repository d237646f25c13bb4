//! The connections that are open, and the reports of the last ones that were.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Instant,
};

use tokio::sync::Notify;

use super::{door::Route, report::ConnectionRecord, session::Session};

/// How many reports of closed connections are kept.
const CLOSED_KEPT: usize = 10_000;

/// One open connection, as the rest of the emulator sees it.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) id: u64,
    pub(crate) route: Route,
    pub(crate) opened_at: Instant,
    session: Mutex<Session>,
    /// Told to close it at once.
    pub(crate) kill: Notify,
    /// Told when its log-in has changed.
    pub(crate) login_changed: Notify,
}

impl Connection {
    pub(crate) fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, open: bool, closed_by_expiry: bool) -> ConnectionRecord {
        let session = self.session();
        session.record.report(
            self.id,
            &self.route,
            self.opened_at,
            session.login(),
            open,
            closed_by_expiry,
        )
    }
}

#[derive(Debug, Default)]
pub(crate) struct Registry {
    accepted: AtomicU64,
    lists: Mutex<Lists>,
}

#[derive(Debug, Default)]
struct Lists {
    open: HashMap<u64, Arc<Connection>>,
    closed: VecDeque<ConnectionRecord>,
}

impl Registry {
    pub(crate) fn opened(&self, route: Route) -> Arc<Connection> {
        let connection = Arc::new(Connection {
            id: self.accepted.fetch_add(1, Relaxed) + 1,
            route,
            opened_at: Instant::now(),
            session: Mutex::default(),
            kill: Notify::new(),
            login_changed: Notify::new(),
        });
        self.lists()
            .open
            .insert(connection.id, Arc::clone(&connection));
        connection
    }

    pub(crate) fn closed(&self, connection: &Connection, by_expiry: bool) {
        let report = connection.report(false, by_expiry);
        let mut lists = self.lists();
        lists.open.remove(&connection.id);
        if lists.closed.len() == CLOSED_KEPT {
            lists.closed.pop_front();
        }
        lists.closed.push_back(report);
    }

    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    pub(crate) fn open(&self) -> Vec<Arc<Connection>> {
        self.lists().open.values().map(Arc::clone).collect()
    }

    pub(crate) fn open_count(&self) -> usize {
        self.lists().open.len()
    }

    /// In the order of arrival.
    pub(crate) fn reports(&self) -> Vec<ConnectionRecord> {
        let lists = self.lists();
        let mut reports: Vec<_> = lists.closed.iter().cloned().collect();
        reports.extend(lists.open.values().map(|open| open.report(true, false)));
        drop(lists);
        reports.sort_by_key(|report| report.id);
        reports
    }

    fn lists(&self) -> MutexGuard<'_, Lists> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
