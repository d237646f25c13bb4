use std::io::{self, Read};

use ureq::Body;
use zeroize::Zeroizing;

use super::failure::http_error;
use crate::http::{HttpError, MAX_RESPONSE_BODY};

/// Enough for a token reply, so that growing is the exception.
const FIRST: usize = 16 * 1024;

/// Reads a body of at most [`MAX_RESPONSE_BODY`] bytes.
pub(super) fn read(body: &mut Body) -> Result<Vec<u8>, HttpError> {
    let limited = body.with_config().limit(MAX_RESPONSE_BODY as u64).reader();
    let mut whole = read_wiping(limited).map_err(|error| http_error(error.into()))?;
    Ok(std::mem::take(&mut *whole))
}

/// Like `read_to_end`, but wipes each buffer that it outgrows.
fn read_wiping(mut from: impl Read) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; FIRST]);
    let mut filled = 0;
    loop {
        if filled == buffer.len() {
            let mut larger = Zeroizing::new(vec![0; filled * 2]);
            larger[..filled].copy_from_slice(&buffer);
            buffer = larger;
        }
        match from.read(&mut buffer[filled..]) {
            Ok(0) => {
                buffer.truncate(filled);
                return Ok(buffer);
            }
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_of_any_length_is_read_whole() {
        for length in [0, 1, FIRST - 1, FIRST, FIRST + 1, 5 * FIRST] {
            let bytes: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let read = read_wiping(bytes.as_slice()).expect("reading from memory");
            assert_eq!(*read, bytes);
        }
    }
}
