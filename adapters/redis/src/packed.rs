//! The names of commands that redis-rs hands over as bytes.

/// Reads the names of the commands in `bytes`, which are RESP arrays of bulk
/// strings; ends where they are not.
pub(crate) const fn names(bytes: &[u8]) -> Names<'_> {
    Names(bytes)
}

#[derive(Clone, Debug)]
pub(crate) struct Names<'a>(&'a [u8]);

impl<'a> Names<'a> {
    /// The first word of the next command; the others are passed over.
    fn command(&mut self) -> Option<Option<&'a [u8]>> {
        let words = self.number(b'*')?;
        let mut name = None;
        // Ends with the bytes, however many words are announced.
        for place in 0..words {
            let length = self.number(b'$')?;
            let word = self.take(length)?;
            if self.take(2)? != b"\r\n" {
                return None;
            }
            if place == 0 {
                name = Some(word);
            }
        }
        Some(name)
    }

    /// A line of `kind` and a number.
    fn number(&mut self, kind: u8) -> Option<usize> {
        // As long as the longest number, its kind and the end of the line.
        let line = &self.0[..self.0.len().min(23)];
        let end = line.windows(2).position(|pair| pair == b"\r\n")?;
        let (first, digits) = self.take(end)?.split_first()?;
        self.take(2)?;
        if *first != kind || digits.first() == Some(&b'+') {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok()
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }
}

impl<'a> Iterator for Names<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            match self.command() {
                Some(Some(name)) => return Some(name),
                // An empty array is no command.
                Some(None) => {}
                None => {
                    self.0 = &[];
                    return None;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Vec<String> {
        let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
        names(bytes).map(name).collect()
    }

    const SET: &[u8] = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\n*1\r\n$\r\n";

    #[test]
    fn the_first_word_of_each_command_is_its_name() {
        assert_eq!(read(b""), [""; 0]);
        assert_eq!(read(SET), ["SET"]);
        let pipeline = [b"*1\r\n$5\r\nMULTI\r\n", SET, b"*1\r\n$4\r\nexec\r\n"].concat();
        assert_eq!(read(&pipeline), ["MULTI", "SET", "exec"]);
        assert_eq!(read(b"*0\r\n*1\r\n$4\r\nPING\r\n"), ["PING"]);
        assert_eq!(read(b"*2\r\n$3\r\nGET\r\n$0\r\n\r\n"), ["GET"]);
    }

    #[test]
    fn what_is_not_resp_ends_it() {
        for odd in [
            &b"PING\r\n"[..],
            b"*",
            b"*1\r\n",
            b"*-1\r\n",
            b"*+1\r\n$4\r\nPING\r\n",
            b"*x\r\n$4\r\nPING\r\n",
            b"*1\r\n$-1\r\n",
            b"*1\r\n$5\r\nPING\r\n",
            b"*1\r\n$3\r\nPING\r\n",
            b"*1\r\n$18446744073709551615\r\nPING\r\n",
            b"*99999999999999999999999\r\n$4\r\nPING\r\n",
            b"*18446744073709551615\r\n$4\r\nPING\r\n",
            b"\r\n\r\n",
        ] {
            assert_eq!(read(odd), [""; 0], "{}", odd.escape_ascii());
            let after = [SET, odd].concat();
            assert_eq!(read(&after), ["SET"], "{}", odd.escape_ascii());
        }
    }

    /// Every cut and every change of one byte: names come from the bytes, and
    /// nothing panics.
    #[test]
    fn no_bytes_make_it_panic() {
        let whole = [b"*1\r\n$5\r\nMULTI\r\n", SET, b"*1\r\n$4\r\nEXEC\r\n"].concat();
        for place in 0..whole.len() {
            assert!(names(&whole[..place]).count() <= 3);
            for byte in 0..=u8::MAX {
                let mut changed = whole.clone();
                changed[place] = byte;
                assert!(names(&changed).count() <= whole.len());
            }
        }
        // As many bytes at random, of those that mean something here.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..20_000 {
            let bytes: Vec<u8> = (0..48)
                .map(|_| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1);
                    b"**$$\r\n\r\n0123A"[(state >> 33) as usize % 13]
                })
                .collect();
            assert!(names(&bytes).count() <= bytes.len());
        }
    }
}
