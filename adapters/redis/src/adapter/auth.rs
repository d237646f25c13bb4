//! `AUTH` on a connection that is in use already.
//!
//! It travels alone: redis-server 7.2 and later drops the reply to a refused
//! `AUTH` where other replies are pending
//! ([redis/redis#15640](https://github.com/redis/redis/issues/15640)), and each
//! later reply would go to the request before its own.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::{Either, select};
use redis_authx::{ReauthError, ReauthErrorKind, Runtime, Token};

use super::error;
use super::redis::aio::MultiplexedConnection;
use super::redis::{Cmd, RedisError, RedisResult, Value, cmd};

/// What the server is asked to send back.
const ECHO: &str = "redis-authx";

/// An `AUTH` that has no reply by then may never get one: pushed messages count as
/// pending replies too.
const LATE: Duration = Duration::from_secs(1);

/// The caller sets the limit.
const NO_LIMIT: Duration = Duration::from_secs(3600);

/// Waits until everything sent on `connection` has been answered. An error of the
/// kind [`OutOfStep`](ReauthErrorKind::OutOfStep) says that the replies so far
/// can't be trusted.
pub(super) async fn settle(mut connection: MultiplexedConnection) -> Result<(), ReauthError> {
    connection.set_response_timeout(NO_LIMIT);
    check_echo(connection.send_packed_command(&echo()).await)
}

/// Sends `AUTH` on a connection that owes no reply, and reads its reply. The caller
/// sees to it that nobody else sends anything meanwhile.
///
/// Calls `give_up` where the replies to come can't be trusted: also when this future
/// is dropped between the `AUTH` and its reply. Nothing more must be sent on the
/// connection then.
pub(super) async fn authenticate(
    mut connection: MultiplexedConnection,
    token: &Token,
    runtime: &Arc<dyn Runtime>,
    give_up: impl Fn() + Send,
) -> Result<(), ReauthError> {
    connection.set_response_timeout(NO_LIMIT);
    let mut other = connection.clone();
    let mut unanswered = Unanswered(Some(give_up));
    let command = auth(token);
    let sent = pin!(connection.send_packed_command(&command));
    let late = runtime.sleep_until(runtime.now() + LATE);
    let reply = match select(sent, late).await {
        Either::Left((reply, _)) => check_auth(reply),
        // Where none comes, it gets the reply to the next command.
        Either::Right((_, sent)) => {
            let echo = echo();
            let echoed = pin!(other.send_packed_command(&echo));
            match select(sent, echoed).await {
                Either::Left((reply, echoed)) => match check_auth(reply) {
                    Err(error) if is_loss(&error) => Err(error),
                    taken => check_echo(echoed.await).and(taken),
                },
                Either::Right((echoed, sent)) => check_echo(echoed).and(check_auth(sent.await)),
            }
        }
    };
    if !matches!(&reply, Err(error) if error.kind() == ReauthErrorKind::OutOfStep) {
        unanswered.0 = None;
    }
    reply
}

/// The command.
pub(super) fn auth(token: &Token) -> Cmd {
    let mut auth = cmd("AUTH");
    auth.arg(token.username()).arg(token.password());
    auth
}

/// A command whose reply is its own, and no other's.
pub(super) fn echo() -> Cmd {
    let mut ping = cmd("PING");
    ping.arg(ECHO);
    ping
}

/// Whether an [`echo`] shows that replies belong to their requests. A server may
/// refuse the command; that is a reply as well.
pub(super) fn check_echo(reply: RedisResult<Value>) -> Result<(), ReauthError> {
    match reply {
        Ok(Value::BulkString(text)) if text == ECHO.as_bytes() => Ok(()),
        // A proxy may word it so.
        Ok(Value::SimpleString(text)) if text == ECHO => Ok(()),
        Ok(Value::ServerError(error)) => {
            let error = RedisError::from(error);
            match error::is_lost(&error) {
                true => Err(error::reauth(error)),
                false => Ok(()),
            }
        }
        Ok(_) => Err(ReauthErrorKind::OutOfStep.into()),
        Err(error) => Err(error::reauth(error)),
    }
}

/// Whether an `AUTH` has succeeded: by `OK` alone.
pub(super) fn check_auth(reply: RedisResult<Value>) -> Result<(), ReauthError> {
    match reply {
        Ok(Value::Okay) => Ok(()),
        Ok(Value::ServerError(error)) => Err(error::reauth(error.into())),
        Ok(_) => Err(ReauthErrorKind::OutOfStep.into()),
        Err(error) => Err(error::reauth(error)),
    }
}

/// Whether the connection is of no more use.
pub(super) fn is_loss(error: &ReauthError) -> bool {
    matches!(
        error.kind(),
        ReauthErrorKind::Disconnected | ReauthErrorKind::OutOfStep
    )
}

/// An `AUTH` was sent, and has no reply.
struct Unanswered<F: Fn()>(Option<F>);

impl<F: Fn()> Drop for Unanswered<F> {
    fn drop(&mut self) {
        if let Some(give_up) = &self.0 {
            give_up();
        }
    }
}
