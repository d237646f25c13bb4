//! Which requests the gateway looks into, and the log-in requests taken apart and put together.

use bytes::{BufMut, BytesMut};
use redis_protocol::resp2::{decode::decode_range, types::RangeFrame};

use super::frame::Request;

/// What a request is to the gateway.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing to it: passed on.
    Plain,
    /// `AUTH`.
    Auth,
    /// `HELLO`, with `AUTH` or without.
    Hello,
    /// `MULTI`.
    Multi,
    /// `EXEC`.
    Exec,
    /// `DISCARD`.
    Discard,
    /// `RESET`.
    Reset,
    /// `CLUSTER`, `INFO` or `ROLE`, whose answers name nodes.
    Topology,
    /// `SUBSCRIBE` and its kin, whose answers are not one reply a request.
    Subscription,
}

impl Kind {
    pub(crate) fn of(name: &[u8]) -> Self {
        const KINDS: [(&[u8], Kind); 15] = [
            (b"AUTH", Kind::Auth),
            (b"HELLO", Kind::Hello),
            (b"MULTI", Kind::Multi),
            (b"EXEC", Kind::Exec),
            (b"DISCARD", Kind::Discard),
            (b"RESET", Kind::Reset),
            (b"CLUSTER", Kind::Topology),
            (b"INFO", Kind::Topology),
            (b"ROLE", Kind::Topology),
            (b"SUBSCRIBE", Kind::Subscription),
            (b"UNSUBSCRIBE", Kind::Subscription),
            (b"PSUBSCRIBE", Kind::Subscription),
            (b"PUNSUBSCRIBE", Kind::Subscription),
            (b"SSUBSCRIBE", Kind::Subscription),
            (b"SUNSUBSCRIBE", Kind::Subscription),
        ];
        KINDS
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map_or(Self::Plain, |&(_, kind)| kind)
    }
}

/// The words of a request that the scanner found at the front of `bytes`.
pub(crate) fn words<'a>(bytes: &'a [u8], request: &Request) -> Vec<&'a [u8]> {
    let bytes = &bytes[..request.length];
    if request.inline {
        return bytes
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
            .collect();
    }
    // The scanner has seen to it that this is one flat array of bulk strings.
    let Ok(Some((RangeFrame::Array(frames), _))) = decode_range(bytes) else {
        return Vec::new();
    };
    frames
        .iter()
        .filter_map(|frame| match frame {
            RangeFrame::BulkString((start, end)) => bytes.get(*start..*end),
            _ => None,
        })
        .collect()
}

/// Where in the words of `AUTH` or `HELLO` the user and the password are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Login {
    /// Both, at these two positions.
    Named(usize, usize),
    /// `AUTH` with a password alone.
    PasswordOnly,
    /// None, or not in a form that Redis takes: for the backend to answer.
    None,
}

impl Login {
    pub(crate) fn find(kind: Kind, words: &[&[u8]]) -> Self {
        match (kind, words.len()) {
            (Kind::Auth, 2) => Self::PasswordOnly,
            (Kind::Auth, 3) => Self::Named(1, 2),
            (Kind::Hello, count) => {
                // HELLO version [AUTH user password] [SETNAME name], in any order.
                let mut position = 2;
                while position < count {
                    let option = words[position];
                    if option.eq_ignore_ascii_case(b"AUTH") && position + 2 < count {
                        return Self::Named(position + 1, position + 2);
                    }
                    position += 2;
                }
                Self::None
            }
            _ => Self::None,
        }
    }
}

/// Writes a request as an array of bulk strings.
pub(crate) fn write(words: &[&[u8]], out: &mut BytesMut) {
    out.put_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        out.put_slice(format!("${}\r\n", word.len()).as_bytes());
        out.put_slice(word);
        out.put_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gateway::frame::{Scan, Scanner};

    fn found(line: &str) -> Login {
        let words: Vec<_> = line.split(' ').map(str::as_bytes).collect();
        Login::find(Kind::of(words[0]), &words)
    }

    #[test]
    fn log_ins_are_found_where_redis_takes_them() {
        assert_eq!(found("auth user token"), Login::Named(1, 2));
        assert_eq!(found("AUTH token"), Login::PasswordOnly);
        assert_eq!(found("AUTH a b c"), Login::None);
        assert_eq!(found("HELLO 3 auth u t"), Login::Named(3, 4));
        assert_eq!(found("HELLO 3 SETNAME AUTH AUTH u t"), Login::Named(5, 6));
        assert_eq!(found("HELLO 3 AUTH u"), Login::None);
        assert_eq!(found("HELLO"), Login::None);
        assert_eq!(found("GET auth"), Login::None);
    }

    #[test]
    fn words_survive_being_taken_apart_and_put_together() {
        let mut written = BytesMut::new();
        let words_in: [&[u8]; 3] = [b"AUTH", b"", b"a\r\n$b"];
        write(&words_in, &mut written);
        let scan = Scanner::default().scan(&written, false);
        assert!(matches!(&scan, Scan::Request(request)
            if words(&written, request) == words_in && request.length == written.len()));
        let line = b" auth  a b \r\n";
        let scan = Scanner::default().scan(line, false);
        let expected: [&[u8]; 3] = [b"auth", b"a", b"b"];
        assert!(matches!(&scan, Scan::Request(request) if words(line, request) == expected));
    }
}
