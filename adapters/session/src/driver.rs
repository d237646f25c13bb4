use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_util::future::{AbortHandle, BoxFuture, Either, abortable, select};
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, Stream};

use redis_authx::{
    Alarm, Caught, Clock, ConnectionId, Credentials, Event, Moment, Need, ReauthError,
    ReauthErrorKind, ReauthPolicy, Runtime, SpanGuard, Token, TokenError,
};

use crate::Session;
use crate::entry::{Action, Grant, Renewal};
use crate::inbox::{Mail, Notice};
use crate::roster::{Ended, Output, Roster};
use crate::status::StatusCell;

/// `None` when it was aborted because its session has left.
type Job = BoxFuture<'static, Option<(ConnectionId, Ended)>>;

struct Member {
    session: Weak<dyn Session>,
    status: Arc<StatusCell>,
    /// Aborts what runs for it.
    running: Option<AbortHandle>,
}

/// Runs a [`Roster`] with the clock, the tokens and the sessions.
pub(super) struct ReauthDriver {
    credentials: Credentials,
    runtime: Arc<dyn Runtime>,
    mail: Arc<Mail>,
    roster: Roster<Member>,
    jobs: FuturesUnordered<Job>,
    token: Option<Token>,
    /// While a connection is lost and there is no token.
    need: Option<Need>,
    alarm: Alarm,
    /// Set once the manager has stopped or no handle is left.
    finished: bool,
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
            need: None,
            alarm: Alarm::default(),
            finished: false,
        }
    }

    /// Once a poll, since each notice wakes the driver again.
    fn take_notices(&mut self, now: Moment) {
        for notice in self.mail.take() {
            match notice {
                Notice::Joined {
                    id,
                    session,
                    grant,
                    status,
                } => {
                    let grant = self.updated(now, grant);
                    status.extended(grant.end);
                    let member = Member {
                        session,
                        status,
                        running: None,
                    };
                    self.roster.joined(now, id, grant, member);
                    self.check(now.monotonic(), id);
                }
                Notice::Left(id) => {
                    let member = self.roster.left(id);
                    if let Some(job) = member.and_then(|member| member.running) {
                        job.abort();
                    }
                }
                Notice::Lost(id, why) => {
                    if self.check(now.monotonic(), id)
                        && let (Some(error), Some(member)) = (why, self.roster.get(id))
                    {
                        member.status.failed(error.clone());
                        self.credentials.report(&Event::connection_lost(id, error));
                    }
                }
                Notice::Ready(id) => self.roster.ready(now.monotonic(), id),
            }
        }
    }

    /// Replaces a session that is no longer connected. Returns whether it is one.
    fn check(&mut self, now: Instant, id: ConnectionId) -> bool {
        let Some(session) = self.session(id) else {
            return false;
        };
        // It may be dropped here as well.
        let connected = catch_unwind(AssertUnwindSafe(move || session.is_connected()));
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
        let latest = std::task::ready!(self.credentials.poll_updated(cx));
        let now = Moment::now(&self.runtime);
        self.roster.read_clocks(now);
        match latest {
            Ok(token) => {
                let generation = token.generation();
                let held = self.token.as_ref().map(Token::generation);
                if held == Some(generation) {
                    let end = token.deadline(now);
                    self.roster
                        .extended(generation, end, |member| member.status.extended(end));
                } else {
                    self.roster.rotated(now, generation);
                }
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

    /// A grant with the end that its token has by now.
    fn updated(&self, now: Moment, grant: Grant) -> Grant {
        let same = |token: &&Token| token.generation() == grant.generation;
        match self.token.as_ref().filter(same) {
            Some(token) if grant.renewal == Renewal::WithRotation => Grant {
                end: token.deadline(now),
                ..grant
            },
            _ => grant,
        }
    }

    fn poll_jobs(&mut self, cx: &mut Context<'_>) -> bool {
        let Poll::Ready(Some(ended)) = Pin::new(&mut self.jobs).poll_next(cx) else {
            return false;
        };
        let Some((id, mut ended)) = ended else {
            return true;
        };
        let now = Moment::now(&self.runtime);
        ended.result = ended.result.map(|grant| self.updated(now, grant));
        if let Some(member) = self.roster.get_mut(id) {
            member.running = None;
            match &ended.result {
                Ok(grant) => member.status.succeeded(grant),
                Err(error) if ended.action.expects(error.kind()) => {}
                Err(error) => member.status.failed(error.clone()),
            }
        }
        self.roster.ended(now, id, ended);
        self.check(now.monotonic(), id);
        true
    }

    fn drain_outputs(&mut self) {
        while let Some(output) = self.roster.poll_output() {
            match output {
                Output::Ask(generation) => {
                    self.credentials.refresh_refused(generation);
                }
                Output::Report(event) => self.credentials.report(&event),
                Output::Start { id, action, limit } => self.start(id, action, limit),
            }
        }
    }

    fn start(&mut self, id: ConnectionId, action: Action, limit: Duration) {
        let now = Moment::now(&self.runtime);
        let is_valid = |token: &Token| token.time_left(now).is_none_or(|left| !left.is_zero());
        // After a suspend, reading the token makes the manager notice.
        let token = self.credentials.current().ok().filter(is_valid);
        let Some(token) = token else {
            return self.roster.put_back(now.monotonic(), id);
        };
        let Some(session) = self.session(id) else {
            // Its next notice says that it is gone.
            self.roster.left(id);
            return;
        };
        let runtime = Arc::clone(&self.runtime);
        let (job, handle) = abortable(job(id, session, action, token, limit, runtime));
        if let Some(member) = self.roster.get_mut(id) {
            member.running = Some(handle);
        }
        self.jobs.push(job.map(Result::ok).boxed());
    }

    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> bool {
        let deadline = self.roster.poll_timeout();
        let ready = self.alarm.poll(cx, &self.runtime, deadline).is_ready();
        if ready {
            self.roster.run(self.runtime.now());
        }
        ready
    }
}

impl Future for ReauthDriver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.mail.register(cx.waker());
        let now = Moment::now(&self.runtime);
        self.roster.read_clocks(now);
        self.take_notices(now);
        self.finished = self.mail.is_closed();
        while !self.finished {
            let mut moved = false;
            match self.poll_token(cx) {
                Poll::Ready(Ok(())) => moved = true,
                Poll::Ready(Err(_)) => {
                    self.finished = true;
                    break;
                }
                Poll::Pending => {}
            }
            moved |= self.poll_jobs(cx);
            moved |= self.poll_deadline(cx);
            self.drain_outputs();
            let needs = self.token.is_none() && self.roster.has_lost();
            match &self.need {
                None if needs => self.need = Some(self.credentials.need()),
                Some(_) if !needs => self.need = None,
                _ => {}
            }
            if !moved {
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }
}

impl Drop for ReauthDriver {
    fn drop(&mut self) {
        self.mail.end();
        let connections = self.roster.len();
        if !self.finished && connections > 0 {
            self.credentials.report(&Event::reauth_ended(connections));
        }
    }
}

/// One attempt for one session, within `limit`.
async fn job(
    id: ConnectionId,
    session: Arc<dyn Session>,
    action: Action,
    token: Token,
    limit: Duration,
    runtime: Arc<dyn Runtime>,
) -> (ConnectionId, Ended) {
    let started = runtime.now();
    let mut span = match action {
        Action::Authenticate => SpanGuard::reauthenticate(id, token.generation()),
        Action::Replace => SpanGuard::replace(id, token.generation()),
    };
    let used = token.clone();
    let attempt = span.around(async move {
        match action {
            Action::Authenticate => session.authenticate(&used).await,
            Action::Replace => session.replace(&used).await,
        }
    });
    let attempt = Caught::new(attempt);
    let (mut alarm, end) = (Alarm::default(), Some(started + limit));
    let time_up = poll_fn(|cx| alarm.poll(cx, &runtime, end));
    let result = match select(attempt, time_up).await {
        Either::Left((Some(result), _)) => result,
        Either::Left((None, _)) => Err(ReauthErrorKind::Other.into()),
        Either::Right(_) => Err(ReauthError::new(ReauthErrorKind::Timeout)),
    };
    span.ended(result.as_ref().err().map(|error| error.kind().as_str()));
    let ended = Ended {
        action,
        generation: token.generation(),
        latency: runtime.now().saturating_duration_since(started),
        result: result.map(|()| Grant::of(&token, &runtime)),
    };
    (id, ended)
}
