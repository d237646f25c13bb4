//! Finds where each request ends in a client's byte stream.
//!
//! Requests are an array of bulk strings, or one line of words (Redis
//! serialization protocol specification, "Sending commands to a Redis server"
//! and "Inline commands"). `redis-protocol` decodes the few requests that the
//! gateway must read, once they are complete; it is not handed the raw stream,
//! because its decoder starts again from the front whenever more bytes come,
//! recurses into nested arrays, and knows no limits.

use std::ops::Range;

/// The longest line of words, and the longest length line.
const LONGEST_LINE: usize = 64 << 10;
/// The most arguments, as in Redis.
const MOST_ARGUMENTS: usize = 1 << 20;
/// The longest request. Redis allows more; the gateway holds a request whole.
const LONGEST_REQUEST: usize = 64 << 20;
/// Redis's limits for who has not logged in.
const MOST_ARGUMENTS_BEFORE_AUTH: usize = 10;
const LONGEST_ARGUMENT_BEFORE_AUTH: usize = 16 << 10;

/// What the front of the buffer holds.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Not yet a whole request.
    Incomplete,
    /// A request without words (an empty line or array): no reply is due.
    Empty {
        /// Its bytes.
        length: usize,
    },
    /// A request.
    Request(Request),
    /// What is no request; the text is Redis's, without its `ERR` prefix.
    Malformed(String),
}

/// A whole request at the front of the buffer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// Its bytes.
    pub(crate) length: usize,
    /// Words, the command's name included.
    pub(crate) words: usize,
    /// Where the command's name is.
    pub(crate) name: Range<usize>,
    /// Whether it is a line of words.
    pub(crate) inline: bool,
}

/// Keeps its place in a request that is still incomplete.
#[derive(Debug, Default)]
pub(crate) struct Scanner {
    position: usize,
    words: usize,
    words_left: usize,
    name: Range<usize>,
}

impl Scanner {
    /// Looks at the front of `buffer`. After anything but `Incomplete` the next
    /// call must see the bytes that follow.
    pub(crate) fn scan(&mut self, buffer: &[u8], logged_in: bool) -> Scan {
        let scan = self.advance(buffer, logged_in);
        if scan != Scan::Incomplete {
            *self = Self::default();
        }
        scan
    }

    fn advance(&mut self, buffer: &[u8], logged_in: bool) -> Scan {
        if self.position == 0 {
            match buffer.first() {
                None => return Scan::Incomplete,
                Some(b'*') => {}
                Some(_) => return inline(buffer),
            }
            let (count, next) = match length_line(buffer, 0) {
                Line::Incomplete => return Scan::Incomplete,
                Line::TooLong => return malformed("too big mbulk count string"),
                Line::NotANumber => return malformed("invalid multibulk length"),
                Line::Number(count, next) => (count, next),
            };
            if count <= 0 {
                return Scan::Empty { length: next };
            }
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            if count > MOST_ARGUMENTS {
                return malformed("invalid multibulk length");
            }
            if !logged_in && count > MOST_ARGUMENTS_BEFORE_AUTH {
                return malformed("unauthenticated multibulk length");
            }
            (self.words, self.words_left, self.position) = (count, count, next);
        }
        while self.words_left > 0 {
            match buffer.get(self.position) {
                None => return Scan::Incomplete,
                Some(b'$') => {}
                Some(&found) => {
                    let found = char::from(found).escape_default();
                    return Scan::Malformed(format!("Protocol error: expected '$', got '{found}'"));
                }
            }
            let (length, start) = match length_line(buffer, self.position) {
                Line::Incomplete => return Scan::Incomplete,
                Line::TooLong => return malformed("too big bulk count string"),
                Line::NotANumber => return malformed("invalid bulk length"),
                Line::Number(length, next) => (length, next),
            };
            let Ok(length) = usize::try_from(length) else {
                return malformed("invalid bulk length");
            };
            if !logged_in && length > LONGEST_ARGUMENT_BEFORE_AUTH {
                return malformed("unauthenticated bulk length");
            }
            if length > LONGEST_REQUEST || start + length > LONGEST_REQUEST {
                return malformed("invalid bulk length");
            }
            let end = start + length;
            let Some(terminator) = buffer.get(end..end + 2) else {
                return Scan::Incomplete;
            };
            if terminator != b"\r\n" {
                return malformed("a bulk string must end with CR LF");
            }
            if self.words_left == self.words {
                self.name = start..end;
            }
            self.words_left -= 1;
            self.position = end + 2;
        }
        Scan::Request(Request {
            length: self.position,
            words: self.words,
            name: self.name.clone(),
            inline: false,
        })
    }
}

fn malformed(what: &str) -> Scan {
    Scan::Malformed(format!("Protocol error: {what}"))
}

enum Line {
    Incomplete,
    TooLong,
    NotANumber,
    Number(i64, usize),
}

/// The number behind the type byte at `start`, and where the next line starts.
fn length_line(buffer: &[u8], start: usize) -> Line {
    // No length has more digits; a longer line need not be waited for.
    const LONGEST_LENGTH: usize = 32;
    let rest = &buffer[start + 1..];
    let window = &rest[..rest.len().min(LONGEST_LENGTH)];
    let Some(end) = window.iter().position(|&byte| byte == b'\r') else {
        return if rest.len() >= LONGEST_LENGTH {
            Line::TooLong
        } else {
            Line::Incomplete
        };
    };
    match rest.get(end + 1) {
        None => return Line::Incomplete,
        Some(b'\n') => {}
        Some(_) => return Line::NotANumber,
    }
    let number = std::str::from_utf8(&rest[..end])
        .ok()
        .and_then(|digits| digits.parse().ok());
    number.map_or(Line::NotANumber, |number| {
        Line::Number(number, start + 1 + end + 2)
    })
}

fn inline(buffer: &[u8]) -> Scan {
    let window = &buffer[..buffer.len().min(LONGEST_LINE)];
    let Some(end) = window.iter().position(|&byte| byte == b'\n') else {
        return if buffer.len() >= LONGEST_LINE {
            malformed("too big inline request")
        } else {
            Scan::Incomplete
        };
    };
    let line = &buffer[..end];
    let words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .count();
    if words == 0 {
        return Scan::Empty { length: end + 1 };
    }
    let start = line
        .iter()
        .position(|byte| !byte.is_ascii_whitespace())
        .unwrap_or(0);
    let length = line[start..]
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(line.len() - start);
    Scan::Request(Request {
        length: end + 1,
        words,
        name: start..start + length,
        inline: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(length: usize, words: usize, name: Range<usize>, inline: bool) -> Scan {
        Scan::Request(Request {
            length,
            words,
            name,
            inline,
        })
    }

    #[test]
    fn a_request_is_found_however_its_bytes_arrive() {
        let bytes = b"*2\r\n$3\r\nGET\r\n$5\r\na\r\nbc\r\n";
        let mut scanner = Scanner::default();
        for end in 0..bytes.len() {
            assert_eq!(scanner.scan(&bytes[..end], true), Scan::Incomplete, "{end}");
        }
        assert_eq!(
            scanner.scan(bytes, true),
            request(bytes.len(), 2, 8..11, false)
        );
        assert_eq!(
            scanner.scan(bytes, true),
            request(bytes.len(), 2, 8..11, false)
        );
    }

    #[test]
    fn lines_of_words_are_requests() {
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.scan(b"  PING  x\r\nrest", false),
            request(11, 2, 2..6, true)
        );
        assert_eq!(scanner.scan(b"PING\n", false), request(5, 1, 0..4, true));
        assert_eq!(scanner.scan(b"\r\n", false), Scan::Empty { length: 2 });
        assert_eq!(scanner.scan(b"*0\r\n", false), Scan::Empty { length: 4 });
        assert_eq!(scanner.scan(b"*-1\r\n", false), Scan::Empty { length: 5 });
    }

    #[test]
    fn bad_input_is_named_and_not_waited_for() {
        let long_line = vec![b'x'; LONGEST_LINE];
        let deep = b"*1\r\n".repeat(10_000);
        let cases: [(&[u8], bool, &str); 11] = [
            (b"*x\r\n", true, "invalid multibulk length"),
            (
                b"*99999999999999999999\r\n",
                true,
                "invalid multibulk length",
            ),
            (b"*2000000\r\n", true, "invalid multibulk length"),
            (b"*11\r\n", false, "unauthenticated multibulk length"),
            (b"*1\r\n$20000\r\n", false, "unauthenticated bulk length"),
            (b"*1\r\n$-1\r\n", true, "invalid bulk length"),
            (b"*1\r\n$600000000\r\n", true, "invalid bulk length"),
            (b"*1\r\n:1\r\n", true, "expected '$', got ':'"),
            (b"*1\r\n$1\r\nabc", true, "must end with CR LF"),
            (&long_line, true, "too big inline request"),
            (&deep, true, "expected '$', got '*'"),
        ];
        for (bytes, logged_in, expected) in cases {
            let scan = Scanner::default().scan(bytes, logged_in);
            assert!(
                matches!(&scan, Scan::Malformed(text) if text.contains(expected)),
                "{expected}: {scan:?}"
            );
        }
    }

    #[test]
    fn random_bytes_never_panic_and_always_make_progress() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let length = random.usize(..60);
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    *random
                        .choice(b"*$:12-90\r\n\r\nPING \0\xff")
                        .unwrap_or(&b'*')
                })
                .collect();
            let mut scanner = Scanner::default();
            let mut position = 0;
            loop {
                match scanner.scan(&bytes[position..], random.bool()) {
                    Scan::Incomplete | Scan::Malformed(_) => break,
                    Scan::Empty { length } => {
                        assert!(length > 0);
                        position += length;
                    }
                    Scan::Request(request) => {
                        assert!(request.length > 0 && request.words > 0);
                        assert!(request.name.end <= request.length);
                        position += request.length;
                    }
                }
                assert!(position <= bytes.len());
            }
        }
    }
}
