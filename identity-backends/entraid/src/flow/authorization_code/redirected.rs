//! What a redirect brings back (RFC 6749 §4.1.2).

use url::form_urlencoded;
use zeroize::Zeroizing;

use crate::SignInError;
use crate::error::redirected;
use crate::secret::Secret;

/// A code of Entra ID has some 1 KiB.
const LONGEST: usize = 64 * 1024;
/// The person declined to consent (Microsoft Learn, "Microsoft Entra
/// authentication and authorization error codes").
const DECLINED: &str = "AADSTS65004";

#[derive(Default)]
struct Fields {
    code: Option<Zeroizing<String>>,
    state: Option<Zeroizing<String>>,
    error: Option<String>,
    error_description: Option<String>,
    error_subcode: Option<String>,
    /// Whether one of them stands there twice, other than `state`.
    repeated: bool,
}

/// The code in `text`: an absolute URL, its path and query, or its query, or
/// the body of a form post, which reads the same.
pub(super) fn code(text: &str, state: &Secret) -> Result<Secret, SignInError> {
    let fields = read(text);
    // Before all else: what someone else sends must not even cancel.
    if fields.state.as_deref().map(String::as_str) != Some(state.expose()) {
        return Err(SignInError::ForeignState);
    }
    if fields.repeated {
        // RFC 6749 §3.1 forbids it, and readers differ in which they take.
        return Err(SignInError::Malformed("a parameter stands in it twice"));
    }
    let description = fields.error_description.as_deref().unwrap_or_default();
    if let Some(error) = &fields.error {
        let cancelled = fields.error_subcode.as_deref() == Some("cancel");
        if cancelled || description.starts_with(DECLINED) {
            return Err(SignInError::Cancelled);
        }
        return Err(redirected(error, description).into());
    }
    fields
        .code
        .filter(|code| !code.is_empty())
        .map(Secret::from)
        .ok_or(SignInError::Malformed(
            "it holds neither a code nor an error",
        ))
}

/// Whether a query is a redirect's at all, of whichever sign-in.
pub(super) fn is_answer(query: &str) -> bool {
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "code" || name == "error")
}

/// Without a state, so of no sign-in, where it is too long or has two states.
fn read(text: &str) -> Fields {
    if text.len() > LONGEST {
        return Fields::default();
    }
    let text = text.split('#').next().unwrap_or_default();
    let query = match text.split_once('?') {
        Some((_, query)) => query,
        None if text.starts_with('/') || text.contains("://") => "",
        None => text,
    };
    let mut fields = Fields::default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        fields.repeated |= match &*name {
            "code" => fields.code.replace(value.into_owned().into()).is_some(),
            "state" if fields.state.is_some() => return Fields::default(),
            "state" => fields.state.replace(value.into_owned().into()).is_some(),
            "error" => fields.error.replace(value.into()).is_some(),
            "error_description" => fields.error_description.replace(value.into()).is_some(),
            "error_subcode" => fields.error_subcode.replace(value.into()).is_some(),
            _ => false,
        };
    }
    fields
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use redis_authx::ErrorKind;

    use super::*;
    use crate::EntraError;

    fn answer(text: &str) -> Result<String, SignInError> {
        code(text, &Secret::new("s-1")).map(|code| code.expose().to_owned())
    }

    #[test]
    fn a_code_is_found_in_every_form_of_redirect() {
        for text in [
            "http://localhost:1234/?code=a%2Bb+c&state=s-1&session_state=x",
            "https://app.example.com/signed-in?state=s-1&code=a%2Bb+c#_=_",
            "/signed-in?x=y&code=a%2Bb+c&state=s-1",
            "?code=a%2Bb+c&state=s-1",
            "code=a%2Bb+c&state=s-1",
        ] {
            assert_eq!(answer(text).expect(text), "a+b c");
        }
    }

    #[test]
    fn another_state_is_refused_whatever_else_is_there() {
        let long = format!("/?state=s-2&code={}", "x".repeat(LONGEST));
        for text in [
            "",
            "http://localhost/",
            "/?code=x",
            "/?code=x&state=",
            "/?code=x&state=s-2",
            "/?code=x&state=S-1",
            "/?code=x&state=s-1%00",
            "/?error=access_denied&error_subcode=cancel",
            "/?error=access_denied&error_subcode=cancel&state=s-",
            "/#code=x&state=s-1",
            "/?code=x&code=y&state=s-2",
            "/?code=x&code=y",
            "/?state=s-1&state=s-1&code=x",
            "/?state=s-1&state=s-2&code=x",
            &long,
        ] {
            let error = answer(text).expect_err(text);
            assert!(matches!(error, SignInError::ForeignState), "{text}");
        }
    }

    #[test]
    fn what_is_no_answer_is_said_so() {
        for text in [
            "/?state=s-1",
            "/?state=s-1&code=",
            "/?state=s-1&code=x&code=y",
            "/?error=a&error=b&state=s-1",
        ] {
            let error = answer(text).expect_err(text);
            assert!(matches!(error, SignInError::Malformed(_)), "{text}");
        }
    }

    #[test]
    fn who_cancels_is_told_from_who_is_refused() {
        for text in [
            "/?state=s-1&error=access_denied&error_subcode=cancel",
            "/?state=s-1&error=access_denied&error_description=AADSTS65004%3a+The+user",
            "/?state=s-1&error=consent_required&error_description=AADSTS65004%3a+The+user",
        ] {
            let error = answer(text).expect_err(text);
            assert!(matches!(error, SignInError::Cancelled), "{text}");
        }
        for (text, kind, codes) in [
            ("error=access_denied", ErrorKind::Rejected, &[][..]),
            (
                "error=interaction_required&error_description=AADSTS50058%3a+x",
                ErrorKind::Rejected,
                &[50058],
            ),
            (
                "error=invalid_request&error_description=AADSTS50011:x",
                ErrorKind::Misconfigured,
                &[50011],
            ),
            ("error=server_error", ErrorKind::Unavailable, &[]),
            ("error=%3Cscript%3E&code=x", ErrorKind::Other, &[]),
        ] {
            let Err(SignInError::Provider(error)) = answer(&format!("/?state=s-1&{text}")) else {
                panic!("{text}");
            };
            assert_eq!(error.kind(), kind, "{text}");
            let source: &EntraError = error
                .source()
                .and_then(<dyn Error>::downcast_ref)
                .expect("an EntraError");
            assert_eq!((source.status(), source.codes()), (302, codes));
            assert!(!format!("{source}{source:?}").contains("script"));
        }
    }

    #[test]
    fn only_an_answer_ends_the_wait() {
        for (query, is) in [
            ("code=x", true),
            ("a=b&error=y", true),
            ("", false),
            ("state=s-1", false),
            ("codes=x&c%6fde", true),
        ] {
            assert_eq!(is_answer(query), is, "{query}");
        }
    }
}
