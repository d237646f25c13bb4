//! What every request for a token goes through, whichever endpoint it came to: it is counted, held
//! back, and meets the fault that is set.

use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use tokio::time;

use super::{
    control::{IdentityControl, RequestGuard},
    fault::Fault,
    http::DropConnection,
    issuer::{Issuer, Minted, Order},
    people::User,
    refusal::Refusal,
};

/// The most that [`Fault::OversizedBody`] sends.
const LARGEST_BODY: usize = 64 << 20;

/// A request whose turn it is to be answered. It counts as failed until a token
/// has been minted for it.
pub(crate) struct Turn<'a> {
    control: &'a IdentityControl,
    guard: RequestGuard<'a>,
    fault: Option<Fault>,
}

impl<'a> Turn<'a> {
    /// Waits for the turn; `Err` is the answer that a fault gives. `refuse`
    /// words an error as the endpoint does.
    pub(crate) async fn take(
        control: &'a IdentityControl,
        refuse: impl Fn(Refusal) -> Response,
    ) -> Result<Self, Response> {
        let guard = control.request_came();
        time::sleep(control.latency()).await;
        // Subscribed before the fault is read, so that no release is missed.
        let mut releases = control.releases();
        let mut fault = control.take_fault();
        if fault == Some(Fault::Hang) {
            let _ = releases.changed().await;
            fault = None;
        }
        if control.is_out() {
            return Err(DropConnection.into_response());
        }
        match &fault {
            Some(Fault::Throttled { retry_after }) => {
                let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
                let seconds = seconds.to_string();
                let text = "Too many requests. Please retry later.";
                let headers = [
                    (header::RETRY_AFTER, seconds.as_str()),
                    (header::CONTENT_TYPE, "text/plain"),
                ];
                Err((StatusCode::TOO_MANY_REQUESTS, headers, text).into_response())
            }
            Some(Fault::ServerError(status)) => Err(refuse(Refusal::server_error(*status))),
            Some(Fault::Refused(code)) => Err(refuse(Refusal::numbered(*code))),
            Some(Fault::InvalidClient) => Err(refuse(Refusal::wrong_secret())),
            Some(Fault::Malformed) => {
                let text = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0"#;
                Err(([(header::CONTENT_TYPE, "application/json")], text).into_response())
            }
            Some(Fault::EmptyBody) => Err(StatusCode::OK.into_response()),
            Some(Fault::DropConnection) => Err(DropConnection.into_response()),
            _ => Ok(Self {
                control,
                guard,
                fault,
            }),
        }
    }

    /// A token for `resource`, with the flaw that the fault wants; `None` only
    /// if the signing itself fails.
    pub(crate) fn mint(
        &self,
        issuer: &Issuer,
        resource: &str,
        user: Option<&User>,
    ) -> Option<Minted> {
        let again = (self.fault == Some(Fault::SameToken)).then(|| issuer.latest());
        let minted = again.flatten().or_else(|| {
            issuer.mint(&Order {
                lifetime: self.control.lifetime(),
                resource,
                user,
                skew_seconds: self.control.skew_seconds(),
                flaw: self.fault.as_ref().and_then(Fault::flaw),
            })
        })?;
        self.guard.issued();
        Some(minted)
    }

    /// What makes the answer as long as [`Fault::OversizedBody`] wants it.
    pub(crate) fn padding(&self) -> Option<String> {
        match self.fault {
            Some(Fault::OversizedBody(bytes)) => Some("x".repeat(bytes.min(LARGEST_BODY))),
            _ => None,
        }
    }
}
