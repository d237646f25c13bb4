use zeroize::Zeroizing;

use crate::secret::Secret;

/// Tokens of Kubernetes and of GitHub have 1 to 2 KiB. Entra ID refuses far
/// shorter ones than this.
pub(in crate::flow) const MAX_ASSERTION: usize = 64 * 1024;

pub(in crate::flow) const NOT_A_JWT: &str = "no JWT";

/// A JWT that someone else has issued, with the white space around it taken
/// off, or what the text holds instead. Looks at its form only (RFC 7515 §3.1): three
/// parts in base64url, joined by dots.
pub(in crate::flow) fn foreign(text: &str) -> Result<Secret, &'static str> {
    let jwt = text.trim();
    if jwt.is_empty() {
        return Err("nothing");
    }
    if jwt.len() > MAX_ASSERTION {
        return Err("more than 65536 bytes");
    }
    let is_part = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
        !part.is_empty() && part.bytes().all(allowed)
    };
    if jwt.split('.').count() != 3 || !jwt.split('.').all(is_part) {
        return Err(NOT_A_JWT);
    }
    Ok(Secret::from(Zeroizing::new(jwt.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_around_it_is_dropped() {
        for text in ["a.b.c", " a.b.c\r\n", "\ta.b.c\n\n"] {
            let jwt = foreign(text).expect("a JWT");
            assert_eq!(jwt.expose(), "a.b.c");
        }
        assert!(foreign("e-_1.A=.x==").is_ok());
    }

    #[test]
    fn what_is_no_jwt_is_refused_without_being_shown() {
        for text in [
            "hunter2",
            "a.b",
            "a.b.c.d",
            "a..c",
            "a.b.",
            "a. b.c",
            "a.b.c\nd",
            "a.b.c&x=y",
            "ä.b.c",
        ] {
            assert_eq!(foreign(text).err(), Some(NOT_A_JWT), "{text}");
        }
        assert_eq!(foreign(" \n").err(), Some("nothing"));
        let longest = format!("a.b.{}", "c".repeat(MAX_ASSERTION - 4));
        assert!(foreign(&longest).is_ok());
        let found = foreign(&(longest + "c")).err();
        assert_eq!(found, Some("more than 65536 bytes"));
    }
}
