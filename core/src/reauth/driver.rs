use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::{AbortHandle, BoxFuture, Either, abortable, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, Stream};

use super::entry::{Action, Grant};
use super::inbox::{Mail, Notice};
use super::roster::{Ended, Output, Roster};
use super::status::{ConnectionId, StatusCell};
use super::{ReauthError, ReauthErrorKind, ReauthPolicy, Session};
use crate::trace::Work;
use crate::{Clock, Credentials, Event, Runtime, Sleep, Token, TokenError};

/// `None` when it was cut short because its session has left.
type Job = BoxFuture<'static, Option<(ConnectionId, Ended)>>;

struct Held {
    session: Weak<dyn Session>,
    status: Arc<StatusCell>,
    /// Cuts short what runs for it.
    running: Option<AbortHandle>,
}

/// Runs a [`Roster`]: the only place where it meets time, tokens and sessions.
pub(super) struct ReauthDriver {
    credentials: Credentials,
    runtime: Arc<dyn Runtime>,
    mail: Arc<Mail>,
    roster: Roster<Held>,
    jobs: FuturesUnordered<Job>,
    token: Option<Token>,
    sleep: Option<(Instant, Sleep)>,
}

impl ReauthDriver {
    pub(super) fn new(
        credentials: Credentials,
        policy: ReauthPolicy,
        runtime: Arc<dyn Runtime>,
        mail: Arc<Mail>,
    ) -> Self {
        Self {
            credentials,
            runtime,
            mail,
            roster: Roster::new(policy, fastrand::Rng::new()),
            jobs: FuturesUnordered::new(),
            token: None,
            sleep: None,
        }
    }

    /// Once a poll, not until none are left: each wakes the driver again.
    fn take_notices(&mut self) {
        let now = self.runtime.now();
        for notice in self.mail.take() {
            match notice {
                Notice::Joined {
                    id,
                    session,
                    grant,
                    status,
                } => {
                    let held = Held {
                        session,
                        status,
                        running: None,
                    };
                    self.roster.joined(now, id, grant, held);
                    self.check(now, id);
                }
                Notice::Left(id) => {
                    let held = self.roster.left(id);
                    if let Some(job) = held.and_then(|held| held.running) {
                        job.abort();
                    }
                }
                Notice::Lost(id, why) => {
                    if self.check(now, id)
                        && let (Some(error), Some(held)) = (why, self.roster.get(id))
                    {
                        held.status.failed(error.clone());
                        let connection = id;
                        self.credentials
                            .report(&Event::ConnectionLost { connection, error });
                    }
                }
                Notice::Ready(id) => self.roster.ready(now, id),
            }
        }
    }

    /// Has a session replaced that is no longer connected.
    /// Returns whether it is.
    fn check(&mut self, now: Instant, id: ConnectionId) -> bool {
        let Some(session) = self.session(id) else {
            return false;
        };
        let connected = catch_unwind(AssertUnwindSafe(|| session.is_connected()));
        let is_lost = !connected.unwrap_or(true);
        if is_lost {
            self.roster.lost(now, id);
        }
        is_lost
    }

    fn session(&self, id: ConnectionId) -> Option<Arc<dyn Session>> {
        self.roster.get(id)?.session.upgrade()
    }

    fn poll_token(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), TokenError>> {
        let news = std::task::ready!(self.credentials.poll_changed(cx));
        match news {
            Ok(token) => {
                self.roster.rotated(self.runtime.now(), token.generation());
                self.token = Some(token);
            }
            Err(TokenError::Stopped) => return Poll::Ready(Err(TokenError::Stopped)),
            Err(_) => {
                self.roster.withdrawn();
                self.token = None;
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_jobs(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(Some(ended)) = Pin::new(&mut self.jobs).poll_next(cx) else {
            return false;
        };
        let Some((id, ended)) = ended else {
            return true;
        };
        if let Some(held) = self.roster.get_mut(id) {
            held.running = None;
            match &ended.result {
                Ok(grant) => held.status.succeeded(grant),
                Err(error) if ended.action.is_not_for(error.kind()) => {}
                Err(error) => held.status.failed(error.clone()),
            }
        }
        let now = self.runtime.now();
        self.roster.ended(now, id, ended);
        self.check(now, id);
        true
    }

    fn drain_outputs(&mut self) {
        while let Some(output) = self.roster.poll_output() {
            match output {
                Output::Ask => {
                    self.credentials.refresh();
                }
                Output::Report(event) => self.credentials.report(&event),
                Output::Start { id, action, limit } => self.start(id, action, limit),
            }
        }
    }

    fn start(&mut self, id: ConnectionId, action: Action, limit: Duration) {
        let (Some(session), Some(token)) = (self.session(id), self.token.clone()) else {
            // It is being dropped, and says so with its next notice.
            self.roster.left(id);
            return;
        };
        let runtime = Arc::clone(&self.runtime);
        let (job, handle) = abortable(job(id, session, action, token, limit, runtime));
        if let Some(held) = self.roster.get_mut(id) {
            held.running = Some(handle);
        }
        self.jobs.push(job.map(Result::ok).boxed());
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> bool {
        let now = self.runtime.now();
        let Some(deadline) = self.roster.poll_timeout() else {
            self.sleep = None;
            return false;
        };
        if deadline <= now {
            self.roster.run(now);
            return true;
        }
        if self.sleep.as_ref().is_none_or(|(at, _)| *at != deadline) {
            self.sleep = Some((deadline, self.runtime.sleep_until(deadline)));
        }
        let fired = self
            .sleep
            .as_mut()
            .is_some_and(|(_, sleep)| Pin::new(sleep).poll(cx).is_ready());
        if fired {
            self.sleep = None;
        }
        fired
    }
}

impl Future for ReauthDriver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.mail.register(cx.waker());
        self.take_notices();
        if self.mail.is_closed() {
            return Poll::Ready(());
        }
        loop {
            let mut moved = false;
            match self.poll_token(cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(_)) => return Poll::Ready(()),
                Poll::Pending => {}
            }
            moved |= self.poll_jobs(cx);
            moved |= self.poll_deadline(cx);
            self.drain_outputs();
            if !moved {
                return Poll::Pending;
            }
        }
    }
}

impl Drop for ReauthDriver {
    fn drop(&mut self) {
        self.mail.end();
    }
}

/// One try for one session, within `limit`.
async fn job(
    id: ConnectionId,
    session: Arc<dyn Session>,
    action: Action,
    token: Token,
    limit: Duration,
    runtime: Arc<dyn Runtime>,
) -> (ConnectionId, Ended) {
    let started = runtime.now();
    let mut work = match action {
        Action::Authenticate => Work::reauthenticate(id, token.generation()),
        Action::Replace => Work::replace(id, token.generation()),
    };
    let attempt = work.around(async {
        match action {
            Action::Authenticate => session.authenticate(&token).await,
            Action::Replace => session.replace(&token).await,
        }
    });
    let attempt = AssertUnwindSafe(attempt).catch_unwind().boxed();
    let result = match select(attempt, runtime.sleep_until(started + limit)).await {
        Either::Left((Ok(result), _)) => result,
        Either::Left((Err(_), _)) => Err(ReauthErrorKind::Other.into()),
        Either::Right(_) => Err(ReauthError::new(ReauthErrorKind::Timeout)),
    };
    work.ended(result.as_ref().err().map(|error| error.kind().as_str()));
    let ended = Ended {
        action,
        generation: token.generation(),
        latency: runtime.now().saturating_duration_since(started),
        result: result.map(|()| Grant::of(&token, &runtime)),
    };
    (id, ended)
}
