//! Replies, and how each protocol version writes them.

use std::borrow::Cow;

use bytes::{BufMut, BytesMut};

/// One reply.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Reply {
    Simple(&'static str),
    /// Without the leading `-`.
    Error(Cow<'static, str>),
    Integer(i64),
    Bulk(Vec<u8>),
    Null,
    /// What RESP2 writes as an array that is none.
    NullArray,
    Array(Vec<Self>),
    Set(Vec<Self>),
    /// Keys and values in turn.
    Map(Vec<Self>),
    /// Out of turn in RESP3; an array in RESP2.
    Push(Vec<Self>),
}

/// What a command comes to; the error is an error reply's text.
pub(crate) type Outcome = Result<Reply, Cow<'static, str>>;

pub(crate) const OK: Reply = Reply::Simple("OK");

impl Reply {
    pub(crate) fn bulk(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bulk(bytes.as_ref().to_vec())
    }

    pub(crate) fn bulk_or_null(bytes: Option<impl AsRef<[u8]>>) -> Self {
        bytes.map_or(Self::Null, Self::bulk)
    }

    pub(crate) fn count(count: usize) -> Self {
        Self::Integer(i64::try_from(count).unwrap_or(i64::MAX))
    }

    pub(crate) fn write(&self, resp3: bool, out: &mut BytesMut) {
        match self {
            Self::Simple(text) => line(b'+', text.as_bytes(), out),
            Self::Error(text) => line(b'-', text.as_bytes(), out),
            Self::Integer(number) => line(b':', number.to_string().as_bytes(), out),
            Self::Bulk(bytes) => {
                line(b'$', bytes.len().to_string().as_bytes(), out);
                out.put_slice(bytes);
                out.put_slice(b"\r\n");
            }
            Self::Null | Self::NullArray if resp3 => line(b'_', b"", out),
            Self::Null => line(b'$', b"-1", out),
            Self::NullArray => line(b'*', b"-1", out),
            Self::Array(items) => many(b'*', items.len(), items, resp3, out),
            Self::Set(items) => many(
                if resp3 { b'~' } else { b'*' },
                items.len(),
                items,
                resp3,
                out,
            ),
            Self::Push(items) => many(
                if resp3 { b'>' } else { b'*' },
                items.len(),
                items,
                resp3,
                out,
            ),
            Self::Map(items) if resp3 => many(b'%', items.len() / 2, items, resp3, out),
            Self::Map(items) => many(b'*', items.len(), items, resp3, out),
        }
    }
}

fn line(kind: u8, text: &[u8], out: &mut BytesMut) {
    out.put_u8(kind);
    // A line break in an echoed argument must not end the reply.
    if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
        out.extend(
            text.iter()
                .map(|&byte| if byte < b' ' { b' ' } else { byte }),
        );
    } else {
        out.put_slice(text);
    }
    out.put_slice(b"\r\n");
}

fn many(kind: u8, count: usize, items: &[Reply], resp3: bool, out: &mut BytesMut) {
    line(kind, count.to_string().as_bytes(), out);
    for item in items {
        item.write(resp3, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(reply: &Reply, resp3: bool) -> String {
        let mut out = BytesMut::new();
        reply.write(resp3, &mut out);
        String::from_utf8_lossy(&out).replace("\r\n", "|")
    }

    #[test]
    fn each_version_writes_its_own_form() {
        let map = Reply::Map(vec![Reply::bulk("k"), Reply::Null]);
        assert_eq!(written(&map, false), "*2|$1|k|$-1|");
        assert_eq!(written(&map, true), "%1|$1|k|_|");
        let push = Reply::Push(vec![Reply::Integer(-1)]);
        assert_eq!(written(&push, false), "*1|:-1|");
        assert_eq!(written(&push, true), ">1|:-1|");
        assert_eq!(written(&Reply::NullArray, false), "*-1|");
        assert_eq!(
            written(&Reply::Error("ERR a\r\n+b".into()), false),
            "-ERR a  +b|"
        );
    }
}
