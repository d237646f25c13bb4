use std::error::Error;
use std::io;

use rustls::CertificateError;

use crate::http::{HttpError, HttpErrorKind};

const UNTRUSTED: &str = "the server's certificate is not signed by a trusted authority; trust a \
     private one with `UreqClient::builder().root_certificate_pem(..)`";
const WRONG_NAME: &str = "the server's certificate is for another host name";
const NOT_PINNED: &str =
    "the server's certificate is not the one whose SHA-1 thumbprint was expected";
const OUTDATED: &str =
    "the server's certificate has expired or is not valid yet, or this machine's clock is wrong";

/// What went wrong, sorted by who can mend it.
pub(super) fn http_error(error: ureq::Error) -> HttpError {
    use HttpErrorKind::{Connect, Other, Timeout, Tls, TooLarge};

    match error {
        ureq::Error::Timeout(which) => {
            HttpError::new(Timeout, format!("at the limit for: {which}"))
        }
        ureq::Error::HostNotFound => HttpError::new(Connect, "the host name is not known"),
        ureq::Error::ConnectProxyFailed(_) => HttpError::new(
            Connect,
            "the proxy refused to connect to the identity service",
        ),
        ureq::Error::Rustls(error) => HttpError::new(Tls, explain(error)),
        ureq::Error::Tls(reason) => HttpError::new(Tls, reason),
        ureq::Error::Io(error) => io_error(error),
        ureq::Error::BodyExceedsLimit(limit) => {
            HttpError::new(TooLarge, format!("a body of more than {limit} bytes"))
        }
        ureq::Error::LargeResponseHeader(..) => HttpError::new(TooLarge, "headers of that size"),
        ureq::Error::ConnectionFailed => HttpError::new(Connect, "no address could be reached"),
        // What is left says what rule of HTTP was broken, not by which bytes.
        error => HttpError::new(Other, error),
    }
}

pub(in crate::http) fn io_error(error: io::Error) -> HttpError {
    let tls = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    if let Some(tls) = tls {
        return HttpError::new(HttpErrorKind::Tls, explain(tls.clone()));
    }
    let kind = match error.kind() {
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => HttpErrorKind::Timeout,
        _ => HttpErrorKind::Connect,
    };
    HttpError::new(kind, error)
}

fn explain(error: rustls::Error) -> Box<dyn Error + Send + Sync> {
    use CertificateError::{
        ApplicationVerificationFailure, BadSignature, Expired, ExpiredContext, NotValidForName,
        NotValidForNameContext, NotValidYet, NotValidYetContext, UnknownIssuer,
    };

    match error {
        // The only verifier here that says so is the one for pinned ones.
        rustls::Error::InvalidCertificate(ApplicationVerificationFailure) => NOT_PINNED.into(),
        rustls::Error::InvalidCertificate(UnknownIssuer | BadSignature) => UNTRUSTED.into(),
        rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => {
            WRONG_NAME.into()
        }
        rustls::Error::InvalidCertificate(
            Expired | ExpiredContext { .. } | NotValidYet | NotValidYetContext { .. },
        ) => OUTDATED.into(),
        error => error.into(),
    }
}
