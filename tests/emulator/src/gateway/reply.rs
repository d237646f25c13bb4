//! Finds where each reply ends in the backend's byte stream, and notes the little of it that the
//! gateway goes by (Redis serialization protocol specification, RESP2 and RESP3).

/// How much of a reply's beginning is kept: enough for `+QUEUED`, an error's
/// first word, or a pub/sub message's kind.
const HEAD: usize = 32;
/// No reply of Redis nests deeper.
const DEEPEST: usize = 64;

/// One whole reply.
#[derive(Debug)]
pub(crate) struct Reply<'a> {
    /// Its first bytes.
    pub(crate) head: &'a [u8],
    /// Of an array: each element's first byte, which tells an error from the
    /// rest. Empty unless recording was asked for.
    pub(crate) elements: &'a [u8],
    /// The last integer directly within it.
    pub(crate) last_integer: Option<i64>,
}

/// Reads replies piece by piece.
#[derive(Debug, Default)]
pub(crate) struct ReplyScanner {
    head: Vec<u8>,
    elements: Vec<u8>,
    last_integer: Option<i64>,
    line: Vec<u8>,
    in_line: bool,
    line_too_long: bool,
    /// Bytes of a bulk string, with its CR LF, still to come.
    skip: usize,
    /// Per open array, how many elements are to come.
    open: Vec<u64>,
    started: bool,
    record: bool,
    /// Set once something came that is no reply.
    lost: bool,
}

impl ReplyScanner {
    /// Whether to note the elements of the replies that start from now on.
    pub(crate) fn record_elements(&mut self, record: bool) {
        self.record = record;
    }

    /// Whether something came that is no reply, so that no end is told anymore.
    pub(crate) fn is_lost(&self) -> bool {
        self.lost
    }

    /// Reads up to the end of one reply. Gives the bytes read, and whether a
    /// reply ended there; [`reply`](Self::reply) then tells what it was.
    pub(crate) fn scan(&mut self, bytes: &[u8]) -> (usize, bool) {
        let mut position = 0;
        while position < bytes.len() && !self.lost {
            let rest = &bytes[position..];
            if self.skip > 0 {
                let taken = self.skip.min(rest.len());
                self.keep_head(&rest[..taken]);
                self.skip -= taken;
                position += taken;
                if self.skip == 0 && self.value_ended() {
                    return (position, true);
                }
                continue;
            }
            if !self.in_line {
                self.begin_value(rest[0]);
            }
            let end = rest.iter().position(|&byte| byte == b'\n');
            let taken = end.map_or(rest.len(), |end| end + 1);
            self.keep_head(&rest[..taken]);
            self.keep_line(&rest[..taken]);
            position += taken;
            if end.is_some() {
                self.in_line = false;
                if self.line_ended() {
                    return (position, true);
                }
            }
        }
        (if self.lost { bytes.len() } else { position }, false)
    }

    /// The reply whose end `scan` has just reported.
    pub(crate) fn reply(&self) -> Reply<'_> {
        Reply {
            head: &self.head,
            elements: &self.elements,
            last_integer: self.last_integer,
        }
    }

    fn begin_value(&mut self, kind: u8) {
        if !self.started {
            self.started = true;
            self.head.clear();
            self.elements.clear();
            self.last_integer = None;
        }
        self.in_line = true;
        self.line_too_long = false;
        self.line.clear();
        if self.record && self.open.len() == 1 {
            self.elements.push(kind);
        }
    }

    fn keep_head(&mut self, bytes: &[u8]) {
        let room = HEAD.saturating_sub(self.head.len());
        if room > 0 {
            self.head.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }

    /// Only lengths and integers are read from a line, which are short.
    fn keep_line(&mut self, bytes: &[u8]) {
        let room = HEAD.saturating_sub(self.line.len());
        self.line_too_long |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    /// Whether the line completed the whole reply.
    fn line_ended(&mut self) -> bool {
        let kind = self.line.first().copied().unwrap_or_default();
        let number = || {
            let digits = self.line.get(1..)?.trim_ascii_end();
            std::str::from_utf8(digits).ok()?.parse::<i64>().ok()
        };
        match kind {
            b'+' | b'-' | b'_' | b',' | b'#' | b'(' => self.value_ended(),
            b':' => {
                if self.open.len() == 1 {
                    self.last_integer = number();
                }
                self.value_ended()
            }
            b'$' | b'=' | b'!' => match number().filter(|_| !self.line_too_long) {
                Some(length) if length >= 0 => {
                    self.skip = usize::try_from(length)
                        .unwrap_or(usize::MAX)
                        .saturating_add(2);
                    false
                }
                Some(_) => self.value_ended(),
                None => self.lose(),
            },
            b'*' | b'~' | b'>' | b'%' | b'|' => match number().filter(|_| !self.line_too_long) {
                Some(count) => self.open_aggregate(kind, count),
                None => self.lose(),
            },
            _ => self.lose(),
        }
    }

    fn open_aggregate(&mut self, kind: u8, count: i64) -> bool {
        let Ok(count) = u64::try_from(count) else {
            return self.value_ended();
        };
        let elements = match kind {
            b'%' => count.saturating_mul(2),
            // Attributes go before the value that they belong to.
            b'|' => count.saturating_mul(2).saturating_add(1),
            _ => count,
        };
        if elements == 0 {
            return self.value_ended();
        }
        if self.open.len() == DEEPEST {
            return self.lose();
        }
        self.open.push(elements);
        false
    }

    fn value_ended(&mut self) -> bool {
        while let Some(left) = self.open.last_mut() {
            *left -= 1;
            if *left > 0 {
                return false;
            }
            self.open.pop();
        }
        self.started = false;
        true
    }

    /// From here on bytes are passed without being understood.
    fn lose(&mut self) -> bool {
        self.lost = true;
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPLIES: [&[u8]; 12] = [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":12\r\n",
        b"$5\r\na\r\nbc\r\n",
        b"$-1\r\n",
        b"*0\r\n",
        b"*-1\r\n",
        b"*3\r\n:1\r\n*2\r\n+a\r\n$0\r\n\r\n-E x\r\n",
        b"%2\r\n+a\r\n:1\r\n$1\r\nb\r\n_\r\n",
        b">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n",
        b"|1\r\n+k\r\n+v\r\n*1\r\n#t\r\n",
        b"=7\r\ntxt:abc\r\n",
    ];

    fn ends(pieces: &[&[u8]]) -> usize {
        let mut scanner = ReplyScanner::default();
        let mut found = 0;
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                let (taken, ended) = scanner.scan(rest);
                found += usize::from(ended);
                rest = &rest[taken..];
            }
        }
        found
    }

    #[test]
    fn replies_are_counted_however_they_are_cut() {
        let all = REPLIES.concat();
        assert_eq!(ends(&[&all]), REPLIES.len());
        let bytes: Vec<&[u8]> = all.chunks(1).collect();
        assert_eq!(ends(&bytes), REPLIES.len());
        for cut in 1..all.len() {
            assert_eq!(
                ends(&[&all[..cut], &all[cut..]]),
                REPLIES.len(),
                "cut at {cut}"
            );
        }
    }

    #[test]
    fn elements_and_integers_at_the_top_are_noted() {
        let mut scanner = ReplyScanner::default();
        scanner.record_elements(true);
        let (_, ended) = scanner.scan(b"*4\r\n+OK\r\n-WRONGPASS x\r\n*1\r\n:9\r\n:7\r\n");
        assert!(ended);
        assert_eq!(scanner.reply().elements, b"+-*:");
        assert_eq!(scanner.reply().last_integer, Some(7));
        assert!(scanner.reply().head.starts_with(b"*4\r\n+OK"));
    }

    #[test]
    fn nonsense_and_endless_nesting_end_the_reading_but_not_the_bytes() {
        for bytes in [b"nonsense\r\n".to_vec(), b"*1\r\n".repeat(1000)] {
            let mut scanner = ReplyScanner::default();
            assert_eq!(scanner.scan(&bytes), (bytes.len(), false));
            assert_eq!(scanner.scan(b"+OK\r\n"), (5, false));
        }
    }

    #[test]
    fn random_bytes_never_panic_and_are_all_read() {
        let seed = fastrand::u64(..);
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        for _ in 0..20_000 {
            let length = random.usize(1..60);
            let bytes: Vec<u8> = (0..length)
                .map(|_| *random.choice(b"*$%~>|:+-_129\r\n\r\n\xff").unwrap_or(&b'*'))
                .collect();
            let mut scanner = ReplyScanner::default();
            scanner.record_elements(random.bool());
            let mut rest = &bytes[..];
            while !rest.is_empty() {
                let (taken, _) = scanner.scan(rest);
                assert!(taken > 0 && taken <= rest.len());
                rest = &rest[taken..];
            }
            assert!(scanner.reply().head.len() <= HEAD);
        }
    }
}
