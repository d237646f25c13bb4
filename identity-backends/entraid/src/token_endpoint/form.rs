use url::form_urlencoded::byte_serialize;
use zeroize::Zeroizing;

/// A body of type `application/x-www-form-urlencoded`, as RFC 6749 appendix B
/// wants it. Holds a secret.
pub(crate) struct Form(Zeroizing<String>);

impl Form {
    /// `fields` in their order. The buffer is made in one piece: growing would
    /// leave copies of the secret behind.
    pub(crate) fn new(fields: &[(&str, &str)]) -> Self {
        // `%XX` for each byte at worst, and `=` and `&`.
        let longest = fields
            .iter()
            .map(|(name, value)| 3 * (name.len() + value.len()) + 2)
            .sum();
        let mut body = Zeroizing::new(String::with_capacity(longest));
        for (name, value) in fields {
            if !body.is_empty() {
                body.push('&');
            }
            body.extend(byte_serialize(name.as_bytes()));
            body.push('=');
            body.extend(byte_serialize(value.as_bytes()));
        }
        Self(body)
    }
}

impl From<Form> for Vec<u8> {
    fn from(mut form: Form) -> Self {
        std::mem::take(&mut *form.0).into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(fields: &[(&str, &str)]) -> String {
        let form = Form::new(fields);
        let capacity = form.0.capacity();
        let bytes = Vec::from(form);
        assert!(bytes.len() <= capacity);
        String::from_utf8(bytes).expect("ASCII")
    }

    #[test]
    fn fields_are_joined_in_order() {
        assert_eq!(encoded(&[]), "");
        assert_eq!(encoded(&[("a", "1"), ("b", "")]), "a=1&b=");
    }

    #[test]
    fn reserved_characters_do_not_break_out_of_their_field() {
        let secret = "a&b=c+d e%f~g/h?i#j\u{e9}\r\n\0\"";
        let body = encoded(&[("client_secret", secret), ("scope", "x")]);
        assert_eq!(
            body,
            "client_secret=a%26b%3Dc%2Bd+e%25f%7Eg%2Fh%3Fi%23j%C3%A9%0D%0A%00%22&scope=x"
        );
        let back: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).collect();
        assert_eq!(back[0].1, secret);
        assert_eq!(back[1].1, "x");
    }
}
