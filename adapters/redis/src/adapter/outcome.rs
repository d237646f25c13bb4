//! How a request of redis-rs ended.

use super::redis::{RedisError, RedisResult, Value};

use super::error;
use crate::blocking::Blocking;
use crate::outcome::Outcome;

/// redis-rs leaves a server's error among the replies.
pub(crate) trait Replies {
    fn replies(&self) -> &[Value];
}

impl Replies for Value {
    fn replies(&self) -> &[Value] {
        std::slice::from_ref(self)
    }
}

impl Replies for Vec<Value> {
    fn replies(&self) -> &[Value] {
        self
    }
}

/// The text of the error that ends a command on behalf of `CLIENT UNBLOCK id ERROR`
/// begins with it.
pub(crate) const UNBLOCKED: &str = "UNBLOCKED";

/// The reply to a command inside a transaction.
const QUEUED: &str = "QUEUED";

/// The replies that only some requests may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MayBe {
    pub(crate) unblocked: bool,
    pub(crate) queued: bool,
    pub(crate) pushed: bool,
}

impl MayBe {
    /// To commands of those names.
    pub(crate) fn to<'a>(names: impl IntoIterator<Item = &'a [u8]>, queued: bool) -> Self {
        let none = Self {
            unblocked: false,
            queued,
            pushed: false,
        };
        names.into_iter().fold(none, Self::and_to)
    }

    pub(crate) fn and_to(self, name: &[u8]) -> Self {
        let end = name.last_chunk::<9>();
        let subscribes = end.is_some_and(|end| end.eq_ignore_ascii_case(b"SUBSCRIBE"));
        // A script, a function or a module may answer whatever it likes.
        let is_anything = name.contains(&b'.')
            || name
                .first_chunk::<4>()
                .is_some_and(|start| start.eq_ignore_ascii_case(b"EVAL"))
            || name
                .first_chunk::<5>()
                .is_some_and(|start| start.eq_ignore_ascii_case(b"FCALL"));
        Self {
            unblocked: self.unblocked || is_anything || Blocking::may_be(name),
            queued: self.queued || is_anything,
            pushed: self.pushed || subscribes,
        }
    }
}

/// Whether there is a reply that can't be to the request. So are all others, then.
pub(crate) fn is_misplaced(result: &RedisResult<impl Replies>, may_be: impl Fn() -> MayBe) -> bool {
    let is_misplaced = |reply: &Value| match reply {
        Value::ServerError(error) => error.code() == UNBLOCKED && !may_be().unblocked,
        Value::SimpleString(text) => text == QUEUED && !may_be().queued,
        Value::Push { .. } => !may_be().pushed,
        _ => false,
    };
    matches!(result, Ok(replies) if replies.replies().iter().any(is_misplaced))
}

pub(super) fn of(result: &RedisResult<impl Replies>) -> Outcome {
    match result {
        Ok(replies) => of_replies(replies.replies()),
        Err(error) => of_error(error),
    }
}

/// Whether nothing was done, because the connection is not logged in.
#[cfg(feature = "cluster")]
pub(super) fn is_logged_out(result: &RedisResult<impl Replies>) -> bool {
    match result {
        Ok(replies) => {
            let replies = replies.replies();
            !replies.is_empty() && replies.iter().all(|reply| is_refusal(reply) == Some(true))
        }
        Err(error) => error::is_logged_out(error),
    }
}

/// Whether a server answered as a replica that can't serve it: not writes, where
/// `writes` are to be expected, or nothing at all (`MASTERDOWN`).
#[cfg(feature = "sentinel")]
pub(super) fn is_demoted(result: &RedisResult<impl Replies>, writes: bool) -> bool {
    let is = |code: &str| code == "MASTERDOWN" || writes && code == "READONLY";
    match result {
        Ok(replies) => replies.replies().iter().any(|reply| match reply {
            Value::ServerError(error) => is(error.code()),
            _ => false,
        }),
        Err(error) => error::server_codes(error).iter().any(|code| is(code)),
    }
}

/// `None` when it is none, else whether for want of a log-in.
fn is_refusal(reply: &Value) -> Option<bool> {
    match reply {
        Value::ServerError(error) => Some(error.code() == error::LOGGED_OUT),
        _ => None,
    }
}

fn of_replies(replies: &[Value]) -> Outcome {
    if replies.iter().any(|reply| is_refusal(reply) == Some(true)) {
        Outcome::Lost
    } else if replies.iter().all(|reply| is_refusal(reply).is_some()) {
        Outcome::Refused
    } else {
        Outcome::Done
    }
}

fn of_error(error: &RedisError) -> Outcome {
    if error::is_lost(error) {
        Outcome::Lost
    } else if error.is_io_error() {
        Outcome::Unknown
    } else {
        Outcome::Refused
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Error, ErrorKind};

    use super::super::redis::parse_redis_value;

    use super::*;

    fn replied(bytes: &[&str]) -> Outcome {
        let value = |bytes: &&str| parse_redis_value(bytes.as_bytes());
        of(&bytes.iter().map(value).collect::<RedisResult<Vec<_>>>())
    }

    fn failed(kind: ErrorKind) -> Outcome {
        of(&Err::<Value, _>(Error::from(kind).into()))
    }

    #[test]
    fn replies_say_whether_anything_was_done() {
        assert_eq!(replied(&["+OK\r\n"]), Outcome::Done);
        assert_eq!(replied(&["+OK\r\n", "-ERR no\r\n"]), Outcome::Done);
        assert_eq!(replied(&["-ERR no\r\n", "-ERR no\r\n"]), Outcome::Refused);
        for harmless in ["-LOADING\r\n", "-NOPERM no\r\n", "-READONLY no\r\n"] {
            assert_eq!(replied(&[harmless]), Outcome::Refused, "{harmless}");
        }
    }

    #[test]
    fn whoever_is_logged_out_needs_another_connection() {
        let noauth = "-NOAUTH Authentication required.\r\n";
        assert_eq!(replied(&[noauth]), Outcome::Lost);
        assert_eq!(replied(&["+OK\r\n", noauth]), Outcome::Lost);
        // What a command holds is no reply of its own.
        assert_eq!(replied(&["*1\r\n-NOAUTH no\r\n"]), Outcome::Done);
    }

    #[test]
    fn no_reply_is_no_knowledge() {
        assert_eq!(failed(ErrorKind::TimedOut), Outcome::Unknown);
        assert_eq!(failed(ErrorKind::BrokenPipe), Outcome::Lost);
        assert_eq!(failed(ErrorKind::UnexpectedEof), Outcome::Lost);
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn only_what_was_not_executed_at_all_may_be_sent_again() {
        let noauth = "-NOAUTH Authentication required.\r\n";
        let logged_out = |bytes: &[&str]| {
            let value = |bytes: &&str| parse_redis_value(bytes.as_bytes());
            is_logged_out(&bytes.iter().map(value).collect::<RedisResult<Vec<_>>>())
        };
        assert!(logged_out(&[noauth]));
        assert!(logged_out(&[noauth, noauth]));
        assert!(!logged_out(&["+OK\r\n", noauth]));
        assert!(!logged_out(&["-ERR no\r\n"]));
        assert!(!logged_out(&[]));
    }

    #[cfg(feature = "sentinel")]
    #[test]
    fn a_replica_is_no_master() {
        let readonly = "-READONLY You can't write against a read only replica.\r\n";
        for (bytes, of_master, of_replica) in [
            (readonly, true, false),
            ("-MASTERDOWN Link with MASTER is down.\r\n", true, true),
            ("-ERR no\r\n", false, false),
            ("+READONLY\r\n", false, false),
        ] {
            let reply = parse_redis_value(bytes.as_bytes());
            assert_eq!(is_demoted(&reply, true), of_master, "{bytes}");
            assert_eq!(is_demoted(&reply, false), of_replica, "{bytes}");
        }
    }
}
