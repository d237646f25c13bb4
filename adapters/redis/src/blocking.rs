//! Commands that the server holds back the reply of until something happens.

use std::time::Duration;

/// A time-out beyond it is as good as none, and could overflow: ten years.
pub(crate) const FAR: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// A command that may block its connection, and how long at most.
///
/// What it is, is read from its words: nothing here knows a client library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Blocking {
    kind: Kind,
    unit: Unit,
    /// Where among the words the time-out is.
    place: usize,
    limit: Option<Duration>,
}

/// What an end before the time means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `BLPOP`, `XREADGROUP` and their like: nothing has happened yet, and on any
    /// other connection the same would have happened.
    Takes,
    /// The same of `XREAD`, which changes nothing: `CLIENT PAUSE … WRITE` does
    /// not hold it back.
    Reads,
    /// `WAIT`, `WAITAOF`: about the writes of its own connection.
    OwnWrites,
}

/// What the time-out is counted in. The `B…` commands take a number of seconds
/// with a fraction (since Redis 6.0), the others whole milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Milliseconds,
    Seconds,
}

impl Blocking {
    /// Reads the words of a command. `None` for one that does not block: by its
    /// name, for want of `BLOCK`, or because its time-out is none and the
    /// server will refuse it.
    ///
    /// The syntax is that of the commands' pages on redis.io.
    pub(crate) fn of(words: &[&[u8]]) -> Option<Self> {
        let (name, count) = (words.first()?, words.len());
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        let (kind, unit, place) = match name.len() {
            4 if is("WAIT") => (Kind::OwnWrites, Unit::Milliseconds, 2),
            7 if is("WAITAOF") => (Kind::OwnWrites, Unit::Milliseconds, 3),
            5 if is("BLPOP") || is("BRPOP") => last(count),
            6 if is("BLMOVE") => last(count),
            6 if is("BLMPOP") || is("BZMPOP") => (Kind::Takes, Unit::Seconds, 1),
            8 if is("BZPOPMIN") || is("BZPOPMAX") => last(count),
            10 if is("BRPOPLPUSH") => last(count),
            5 if is("XREAD") => (Kind::Reads, Unit::Milliseconds, block(words, 1)?),
            // XREADGROUP GROUP group consumer …
            10 if is("XREADGROUP") => (Kind::Takes, Unit::Milliseconds, block(words, 4)?),
            _ => return None,
        };
        let limit = unit.read(words.get(place)?)?;
        Some(Self {
            kind,
            unit,
            place,
            limit,
        })
    }

    /// Whether a command of that name may block: a quick look before
    /// [`of`](Self::of).
    pub(crate) fn may_be(name: &[u8]) -> bool {
        match name {
            [b'b' | b'B', ..] => matches!(name.len(), 5 | 6 | 8 | 10),
            [b'x' | b'X', ..] => matches!(name.len(), 5 | 10),
            [b'w' | b'W', ..] => matches!(name.len(), 4 | 7),
            _ => false,
        }
    }

    pub(crate) const fn kind(&self) -> Kind {
        self.kind
    }

    /// How long it blocks at most; `None`: for ever.
    pub(crate) const fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// The time-out to send it again with after it has waited for `waited`,
    /// as the word for [`place`](Self::place). `None`: its time is up.
    pub(crate) fn rest(&self, waited: Duration) -> Option<String> {
        let Some(limit) = self.limit else {
            return Some("0".to_owned());
        };
        let left = limit.saturating_sub(waited);
        // Less than a millisecond is none: 0 would be for ever.
        (left.as_millis() > 0).then(|| self.unit.write(left))
    }

    /// A word for [`place`](Self::place) with which it blocks no longer than
    /// `limit`, and no longer than it would have.
    pub(crate) fn at_most(&self, limit: Duration) -> String {
        let limit = self.limit.map_or(limit, |own| own.min(limit));
        self.unit.write(limit.max(Duration::from_millis(1)))
    }

    /// Where among the words the time-out is.
    pub(crate) const fn place(&self) -> usize {
        self.place
    }
}

/// The time-out is the last word.
const fn last(count: usize) -> (Kind, Unit, usize) {
    (Kind::Takes, Unit::Seconds, count.saturating_sub(1))
}

/// Where the milliseconds are in the options of `XREAD` and `XREADGROUP`.
fn block(words: &[&[u8]], options: usize) -> Option<usize> {
    let mut place = options;
    let mut found = None;
    while let Some(word) = words.get(place) {
        place += match () {
            () if word.eq_ignore_ascii_case(b"STREAMS") => return found,
            () if word.eq_ignore_ascii_case(b"COUNT") => 2,
            () if word.eq_ignore_ascii_case(b"BLOCK") => {
                found = Some(place + 1);
                2
            }
            () => 1,
        };
    }
    None
}

/// The streams that an `XREAD` reads what comes from now on of, each with the
/// place of its `$`.
///
/// Sent again, a `$` would miss what came in between. Whoever may have to send
/// it again puts the stream's last id in its place before it is first sent,
/// which reads the same and more surely.
pub(crate) fn from_now_on<'a>(words: &[&'a [u8]]) -> Vec<(&'a [u8], usize)> {
    let is_xread = words
        .first()
        .is_some_and(|name| name.eq_ignore_ascii_case(b"XREAD"));
    let streams = words
        .iter()
        .position(|word| word.eq_ignore_ascii_case(b"STREAMS"));
    let Some(first) = streams.filter(|_| is_xread).map(|place| place + 1) else {
        return Vec::new();
    };
    let count = (words.len() - first) / 2;
    (first..first + count)
        .filter(|key| words[key + count] == b"$")
        .map(|key| (words[key], key + count))
        .collect()
}

impl Unit {
    /// `None`: not a time-out that a server takes; `Some(None)`: for ever.
    fn read(self, word: &[u8]) -> Option<Option<Duration>> {
        let text = std::str::from_utf8(word).ok()?;
        let limit = match self {
            Self::Milliseconds => Duration::from_millis(text.parse().ok()?),
            Self::Seconds => Duration::try_from_secs_f64(text.parse().ok()?).ok()?,
        };
        Some(Some(limit).filter(|limit| !limit.is_zero() && *limit < FAR))
    }

    fn write(self, limit: Duration) -> String {
        match self {
            Self::Milliseconds => limit.as_millis().to_string(),
            Self::Seconds => {
                let millis = limit.as_millis();
                format!("{}.{:03}", millis / 1000, millis % 1000)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<&[u8]> {
        line.split(' ').map(str::as_bytes).collect()
    }

    fn read(line: &str) -> Option<Blocking> {
        let words = words(line);
        let read = Blocking::of(&words);
        assert!(read.is_none() || Blocking::may_be(words[0]), "{line}");
        read
    }

    #[test]
    fn every_command_that_blocks_is_known_with_its_time_out() {
        for (line, millis) in [
            ("BLPOP a b 1.5", 1500),
            ("brpop a 2", 2000),
            ("BRPOPLPUSH a b 0.25", 250),
            ("BLMOVE a b LEFT RIGHT 3", 3000),
            ("BLMPOP 4 2 a b LEFT COUNT 10", 4000),
            ("BZPOPMIN a 5", 5000),
            ("BZPOPMAX a b 6", 6000),
            ("BZMPOP 7 1 a MIN", 7000),
            ("XREAD COUNT 2 BLOCK 800 STREAMS BLOCK 0-0", 800),
            (
                "XREADGROUP GROUP BLOCK STREAMS block 900 NOACK STREAMS s >",
                900,
            ),
            ("WAIT 1 100", 100),
            ("WAITAOF 1 0 200", 200),
        ] {
            let limit = read(line).map(|blocking| blocking.limit());
            assert_eq!(limit, Some(Some(Duration::from_millis(millis))), "{line}");
        }
    }

    #[test]
    fn zero_is_for_ever() {
        for line in [
            "BLPOP a 0",
            "BLPOP a 0.0",
            "BLPOP a 1e19",
            "XREAD BLOCK 0 STREAMS s $",
            "WAIT 1 0",
        ] {
            let limit = read(line).map(|blocking| blocking.limit());
            assert_eq!(limit, Some(None), "{line}");
        }
    }

    #[test]
    fn what_does_not_block_or_will_be_refused_is_none() {
        for line in [
            "",
            "GET BLPOP",
            "LPOP a",
            "BLPOP",
            "BLPOP a b",
            "BLPOP a -1",
            "BLPOP a nan",
            "BLPOP a inf",
            "BLPOP a 1e300",
            "XREAD STREAMS BLOCK 5",
            "XREAD BLOCK 5",
            "XREAD BLOCK 1.5 STREAMS s 0",
            "XREADGROUP GROUP g c STREAMS s >",
            "WAIT 1",
            "WAIT 1 99999999999999999999999",
            "BITPOS a 1",
            "XTRIM a 1",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }

    #[test]
    fn the_time_waited_is_taken_off() {
        let rest = |line, waited| read(line).unwrap().rest(Duration::from_millis(waited));
        assert_eq!(rest("BLPOP a 2", 500).as_deref(), Some("1.500"));
        assert_eq!(rest("BLPOP a 2", 1999).as_deref(), Some("0.001"));
        assert_eq!(rest("BLPOP a 2", 2000), None);
        assert_eq!(rest("BLPOP a 2", 5000), None);
        assert_eq!(
            rest("XREAD BLOCK 700 STREAMS s 0", 1).as_deref(),
            Some("699")
        );
        assert_eq!(rest("BLPOP a 0", 9999).as_deref(), Some("0"));
    }

    #[test]
    fn a_block_can_be_cut_short() {
        let at_most = |line, limit| read(line).unwrap().at_most(Duration::from_millis(limit));
        assert_eq!(at_most("BLPOP a 0", 1500), "1.500");
        assert_eq!(at_most("BLPOP a 1", 1500), "1.000");
        assert_eq!(at_most("WAIT 1 0", 0), "1");
    }

    #[test]
    fn the_time_out_is_put_where_it_was() {
        for (line, word) in [
            ("BLPOP a b 1.5", "1.5"),
            ("BLMPOP 4 2 a b LEFT", "4"),
            ("XREAD COUNT 2 BLOCK 800 STREAMS s 0", "800"),
            ("WAITAOF 1 0 200", "200"),
        ] {
            let place = read(line).unwrap().place();
            assert_eq!(words(line)[place], word.as_bytes(), "{line}");
        }
    }

    #[test]
    fn streams_that_are_read_from_now_on() {
        let found = |line| from_now_on(&words(line));
        assert_eq!(
            found("XREAD BLOCK 0 STREAMS a $ b $ 0-0 $"),
            [(b"a".as_slice(), 7), (b"b".as_slice(), 9)],
            "the second of three is a stream named $"
        );
        assert_eq!(found("XREAD BLOCK 0 streams a 5-1"), []);
        assert_eq!(found("XREAD BLOCK 0 STREAMS"), []);
        assert_eq!(found("XREADGROUP GROUP g c BLOCK 0 STREAMS a $"), []);
        assert_eq!(found("BLPOP STREAMS $ 0"), []);
    }
}
