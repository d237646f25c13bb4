//! An `AUTH` on a live connection, and what its answer says.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::Client;
use fred::error::Error;
use fred::interfaces::ClientLike;
use fred::types::config::Options;
use fred::types::{ClusterHash, CustomCommand, Value};
use futures_util::future::{Either, select};
use redis_authx::{ReauthError, ReauthErrorKind, Token};

use super::error;

/// An `AUTH` is cut off by the re-authenticator, not by fred's time limit for
/// ordinary commands.
const NO_LIMIT: Duration = Duration::from_secs(3600);

/// Has a cluster's client drop the connection on which this error comes, before
/// it reads on; and where scripts are not permitted, `QUIT` follows.
const DROP: &str = "return redis.error_reply('CLUSTERDOWN redis-authx: \
                    the replies of this connection no longer belong to its requests')";

/// Not sent again after a reconnect, which has logged in already, and maybe with
/// a newer token. The caller sets the limit.
pub(crate) fn patient() -> Options {
    Options {
        max_attempts: Some(1),
        timeout: Some(NO_LIMIT),
        ..Options::default()
    }
}

/// Sends `AUTH`, and says whether the server has taken the token.
///
/// A refused one may never be answered, and the next reply, `OK` for all we
/// know, would be taken for its answer. So a `PING` that can be told from all
/// others follows in the same piece: either `AUTH` is answered and then that
/// `PING`, or the connection is out of step. One more `PING` after them has the
/// answer come soon in that case as well, whether or not others send anything.
pub(crate) async fn auth(
    client: &Client,
    route: ClusterHash,
    token: &Token,
) -> Result<(), ReauthError> {
    static PINGS: AtomicU64 = AtomicU64::new(0);
    let payload = format!("redis-authx:{}", PINGS.fetch_add(1, Ordering::Relaxed));
    let command = |name| CustomCommand::new_static(name, route.clone(), false);
    let pipeline = client.pipeline().with_options(&patient());
    let credentials = vec![token.username(), token.password()];
    let queued = pipeline.custom(command("AUTH"), credentials).await;
    let () = queued.map_err(error::reauth)?;
    let queued = pipeline
        .custom(command("PING"), vec![payload.as_str()])
        .await;
    let () = queued.map_err(error::reauth)?;
    let client = client.with_options(&patient());
    let nudge = client.custom::<Value, _>(command("PING"), vec!["redis-authx"]);
    let replies = Box::pin(pipeline.try_all::<Value>());
    let replies = match select(replies, Box::pin(nudge)).await {
        Either::Left((replies, _)) => replies,
        Either::Right((_, replies)) => replies.await,
    };
    judge(replies, &payload)
}

fn judge(replies: Vec<Result<Value, Error>>, payload: &str) -> Result<(), ReauthError> {
    let out_of_step = || ReauthError::new(ReauthErrorKind::OutOfStep);
    let (auth, ping) = match <[_; 2]>::try_from(replies) {
        Ok([auth, ping]) => (auth, ping),
        // One error for both: the connection is gone.
        Err(mut replies) => match replies.pop() {
            Some(Err(error)) => return Err(error::reauth(error)),
            _ => return Err(out_of_step()),
        },
    };
    match (auth, ping) {
        // The answer to `PING` may be an error, where the user has no right to
        // it; `OK` is not.
        (Ok(auth), Err(_)) if is(&auth, "OK") => Ok(()),
        (Err(auth), Err(_)) if error::is_refusal(&auth) => Err(error::reauth(auth)),
        // They have got into a raw `MULTI`, and are not in force.
        (Ok(auth), Ok(ping)) if is(&auth, "QUEUED") && is(&ping, "QUEUED") => {
            Err(ReauthErrorKind::Busy.into())
        }
        (auth, Ok(ping)) if says(&ping, payload) => match auth {
            Ok(auth) if is(&auth, "OK") => Ok(()),
            Ok(_) => Err(out_of_step()),
            Err(error) => Err(error::reauth(error)),
        },
        // With no source: an error may be the reply to another's command.
        _ => Err(out_of_step()),
    }
}

fn is(reply: &Value, text: &str) -> bool {
    reply.as_bytes() == Some(text.as_bytes())
}

/// Whether a reply to `PING` has what was sent: by itself, or, of a connection
/// that subscribes over RESP2, after a `pong`.
pub(crate) fn says(reply: &Value, payload: &str) -> bool {
    match reply {
        Value::Array(parts) => parts.last().is_some_and(|last| says(last, payload)),
        reply => is(reply, payload),
    }
}

/// Has fred drop a connection that is out of step, as soon as it can be had to,
/// and open another.
///
/// Where there is one connection, fred is told to reconnect. It waits for the
/// first delay of its reconnect policy (100 to 200 ms by default), and until then
/// still delivers what the old connection brings. A cluster's is only dropped for
/// what the node says on it. Neither is done while fred waits for all replies of
/// the connection, of which one never comes: as for a transaction of `multi`.
pub(crate) async fn drop_connection(client: &Client, route: ClusterHash) {
    if !client.is_clustered() {
        let _ = client.force_reconnection().await;
        return;
    }
    let command = |name| CustomCommand::new_static(name, route.clone(), false);
    let pipeline = client.pipeline().with_options(&patient());
    let eval: Result<(), Error> = pipeline.custom(command("EVAL"), vec![DROP, "0"]).await;
    let none: Vec<&str> = Vec::new();
    let quit: Result<(), Error> = pipeline.custom(command("QUIT"), none).await;
    if eval.and(quit).is_ok() {
        pipeline.try_all::<Value>().await;
    }
}

#[cfg(test)]
mod tests {
    use fred::error::ErrorKind;

    use super::*;

    fn wrong() -> Result<Value, Error> {
        Err(Error::new(ErrorKind::Auth, "WRONGPASS no"))
    }

    fn denied() -> Result<Value, Error> {
        Err(Error::new(ErrorKind::Unknown, "NOPERM no 'ping'"))
    }

    fn text(text: &str) -> Result<Value, Error> {
        Ok(Value::from(text))
    }

    fn kind(auth: Result<Value, Error>, ping: Result<Value, Error>) -> Option<ReauthErrorKind> {
        judge(vec![auth, ping], "7").err().map(|error| error.kind())
    }

    #[test]
    fn ok_and_the_right_ping_is_success_and_nothing_else_is() {
        let out_of_step = Some(ReauthErrorKind::OutOfStep);
        assert_eq!(kind(text("OK"), text("7")), None);
        assert_eq!(kind(text("OK"), denied()), None);
        assert_eq!(kind(text("OK"), text("6")), out_of_step);
        assert_eq!(kind(text("OK"), text("OK")), out_of_step);
        // No answer to `AUTH`: what came is that to `PING`, and another's.
        assert_eq!(kind(text("7"), text("somebody's")), out_of_step);
        assert_eq!(kind(text("7"), wrong()), out_of_step);
        assert_eq!(kind(denied(), text("somebody's")), out_of_step);
        assert_eq!(kind(denied(), denied()), out_of_step);
        assert_eq!(kind(text("somebody's"), text("7")), out_of_step);
    }

    #[test]
    fn a_refusal_that_is_answered_leaves_it_in_step() {
        let refused = Some(ReauthErrorKind::Refused);
        assert_eq!(kind(wrong(), text("7")), refused);
        assert_eq!(kind(wrong(), denied()), refused);
        assert_eq!(kind(wrong(), text("6")), Some(ReauthErrorKind::OutOfStep));
        let busy = Some(ReauthErrorKind::Busy);
        assert_eq!(kind(text("QUEUED"), text("QUEUED")), busy);
        let lost = judge(vec![Err(Error::new(ErrorKind::IO, "gone"))], "7");
        assert_eq!(lost.unwrap_err().kind(), ReauthErrorKind::Disconnected);
    }
}
