//! What servers say of each other, said of their gateways: the ports in topologies and
//! redirections.

use std::{collections::HashMap, sync::Arc};

use bytes::{BufMut, BytesMut};

/// The address that every node has.
const HOST: &[u8] = b"127.0.0.1";
/// Behind what a port comes in a text: `CLUSTER NODES`, `MOVED`, the names that sentinels give;
/// their messages; `INFO`.
const MARKS: [&[u8]; 4] = [b"127.0.0.1:", b"127.0.0.1 ", b"port=", b"port:"];
/// Behind which key a port comes: `CLUSTER SHARDS`, `SENTINEL MASTER` and its kin.
const KEYS: [&[u8]; 3] = [b"port", b"tls-port", b"master-port"];

/// How much of a reply speaks of nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Only redirections, at whatever depth; the rest is the client's data.
    Redirections,
    /// All of it.
    Topology,
}

/// Puts gateways' ports for servers'.
#[derive(Clone, Debug)]
pub(crate) struct Rewriter(Arc<HashMap<u16, u16>>);

impl Rewriter {
    /// From each server's port to its gateway's.
    pub(crate) fn new(ports: HashMap<u16, u16>) -> Self {
        Self(Arc::new(ports))
    }

    /// Writes a whole reply to `out`, with its ports replaced.
    ///
    /// Replies are read as the flat row of values that they are on the wire:
    /// nesting is in the arrays' lengths only, and those stay as they are.
    pub(crate) fn rewrite(&self, reply: &[u8], scope: Scope, out: &mut BytesMut) {
        let all = scope == Scope::Topology;
        let mut before: &[u8] = b"";
        let mut rest = reply;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (line, mut after) = rest.split_at(end + 1);
            let content = line.trim_ascii_end().get(1..).unwrap_or_default();
            let mut value = content;
            match line[0] {
                b'$' | b'=' => {
                    let length = number::<usize>(content).unwrap_or(0);
                    let whole = after.split_at_checked(length.saturating_add(2));
                    match whole {
                        Some((bulk, behind)) if number::<usize>(content).is_some() => {
                            value = &bulk[..length];
                            after = behind;
                            let text = if all { self.value(before, value) } else { None };
                            if let Some(text) = text {
                                out.put_slice(&line[..1]);
                                out.put_slice(format!("{}\r\n", text.len()).as_bytes());
                                out.put_slice(&text);
                                out.put_slice(b"\r\n");
                            } else {
                                out.put_slice(line);
                                out.put_slice(bulk);
                            }
                        }
                        _ => out.put_slice(line),
                    }
                }
                b'+' | b'-' | b':' if all || is_redirection(line) => {
                    // Client's data says nothing of a redirection behind it.
                    let text = self.value(if all { before } else { b"" }, content);
                    out.put_slice(&line[..1]);
                    out.put_slice(text.as_deref().unwrap_or(content));
                    out.put_slice(b"\r\n");
                }
                _ => out.put_slice(line),
            }
            before = value;
            rest = after;
        }
        out.put_slice(rest);
    }

    /// What to say for a value, if not the same.
    fn value(&self, before: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        if before == HOST || KEYS.contains(&before) {
            return self.port(value).map(|port| port.to_string().into_bytes());
        }
        let mut text = Vec::new();
        let mut copied = 0;
        let mut position = 0;
        while position < value.len() {
            let rest = &value[position..];
            let Some(mark) = MARKS.iter().find(|mark| rest.starts_with(mark)) else {
                position += 1;
                continue;
            };
            position += mark.len();
            let digits = &value[position..];
            let end = digits.iter().position(|byte| !byte.is_ascii_digit());
            let digits = &digits[..end.unwrap_or(digits.len())];
            if let Some(port) = self.port(digits) {
                text.extend_from_slice(&value[copied..position]);
                text.extend_from_slice(port.to_string().as_bytes());
                copied = position + digits.len();
            }
            position += digits.len();
        }
        (copied > 0).then(|| {
            text.extend_from_slice(&value[copied..]);
            text
        })
    }

    fn port(&self, digits: &[u8]) -> Option<u16> {
        self.0.get(&number(digits)?).copied()
    }
}

fn is_redirection(line: &[u8]) -> bool {
    line.starts_with(b"-MOVED ") || line.starts_with(b"-ASK ")
}

fn number<N: std::str::FromStr>(digits: &[u8]) -> Option<N> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn rewritten(reply: &str, scope: Scope) -> String {
        let rewriter = Rewriter::new(HashMap::from([(17001, 9), (17002, 40002)]));
        let mut out = BytesMut::new();
        rewriter.rewrite(reply.as_bytes(), scope, &mut out);
        String::from_utf8(out.to_vec()).unwrap()
    }

    fn bulk(text: &str) -> String {
        format!("${}\r\n{text}\r\n", text.len())
    }

    #[test]
    fn redirections_are_rewritten_and_data_is_not() {
        let reply = |first, second| {
            let data = bulk("127.0.0.1:17001") + &bulk("port");
            let host = bulk("127.0.0.1");
            format!(
                "*6\r\n-MOVED 3999 127.0.0.1:{first}\r\n{data}:17001\r\n\
                 {host}-ASK 1 127.0.0.1:{second}\r\n"
            )
        };
        let told = rewritten(&reply(17001, 17002), Scope::Redirections);
        assert_eq!(told, reply(9, 40002));
        for same in [
            "$-1\r\n",
            "_\r\n",
            "-ERR 127.0.0.1:17001\r\n",
            "-MOVED 1 127.0.0.1:5\r\n",
            "$99\r\ncut short",
            &bulk("-MOVED 1 127.0.0.1:17001\r\nbehind"),
        ] {
            assert_eq!(rewritten(same, Scope::Redirections), same);
        }
    }

    #[test]
    fn topologies_are_rewritten_where_ports_stand() {
        let texts = |texts: &[&str]| texts.iter().map(|text| bulk(text)).collect::<String>();
        let host = bulk("127.0.0.1");
        for (reply, expected) in [
            // CLUSTER SLOTS, CLUSTER SHARDS; a number elsewhere stays.
            (
                format!("*3\r\n:17001\r\n:5\r\n*2\r\n{host}:17001\r\n"),
                format!("*3\r\n:17001\r\n:5\r\n*2\r\n{host}:9\r\n"),
            ),
            (
                texts(&["port"]) + ":17002\r\n" + &texts(&["replication-offset"]) + ":17001\r\n",
                texts(&["port"]) + ":40002\r\n" + &texts(&["replication-offset"]) + ":17001\r\n",
            ),
            // CLUSTER NODES.
            (
                texts(&["a 127.0.0.1:17001@27001 m\nb 127.0.0.1:17002@27002 s\n"]),
                texts(&["a 127.0.0.1:9@27001 m\nb 127.0.0.1:40002@27002 s\n"]),
            ),
            // As a verbatim string.
            (
                "=23\r\ntxt:a 127.0.0.1:17001 m\r\n".to_owned(),
                "=19\r\ntxt:a 127.0.0.1:9 m\r\n".to_owned(),
            ),
            // Sentinels: an address, a table, a message.
            (texts(&["127.0.0.1", "17001"]), texts(&["127.0.0.1", "9"])),
            (
                texts(&["name", "127.0.0.1:17001", "port", "17001", "down", "17001"]),
                texts(&["name", "127.0.0.1:9", "port", "9", "down", "17001"]),
            ),
            (
                texts(&["m 127.0.0.1 17001 127.0.0.1 17002"]),
                texts(&["m 127.0.0.1 9 127.0.0.1 40002"]),
            ),
            // INFO.
            (
                texts(&["master_port:17001\r\nslave0:ip=127.0.0.1,port=17002\r\nn:17001\r\n"]),
                texts(&["master_port:9\r\nslave0:ip=127.0.0.1,port=40002\r\nn:17001\r\n"]),
            ),
        ] {
            assert_eq!(rewritten(&reply, Scope::Topology), expected);
        }
    }

    #[test]
    fn random_bytes_never_panic() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let length = random.usize(..60);
            let bytes: Vec<u8> = (0..length)
                .map(|_| *random.choice(b"*$=-+:127.0\r\n\r\n\xff").unwrap_or(&b'*'))
                .collect();
            let rewriter = Rewriter::new(HashMap::from([(7, 1)]));
            for scope in [Scope::Redirections, Scope::Topology] {
                rewriter.rewrite(&bytes, scope, &mut BytesMut::new());
            }
        }
    }
}
