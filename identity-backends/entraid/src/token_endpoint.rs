//! The token endpoint (RFC 6749 §3.2), shared by every way to sign in.

mod form;
mod lifetime;
mod reply;

use std::sync::Arc;
use std::time::SystemTime;

use redis_authx::{ErrorKind, ProviderError, Token};

use crate::error::refusal;
use crate::http::{
    HttpClient, HttpError, HttpErrorKind, HttpMethod, HttpRequest, MAX_RESPONSE_BODY,
};
use crate::username::Username;
use crate::{Claims, EntraError};
pub(crate) use form::Form;
use lifetime::lifetime;

/// Where tokens are asked for, by what, and how the answers are read.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    url: String,
    http: Arc<dyn HttpClient>,
    username: Username,
}

impl TokenEndpoint {
    pub(crate) fn new(url: String, http: Arc<dyn HttpClient>, username: Username) -> Self {
        Self {
            url,
            http,
            username,
        }
    }

    /// Asks once.
    pub(crate) async fn request(&self, form: Form) -> Result<Token, ProviderError> {
        let request = HttpRequest::new(HttpMethod::Post, self.url.as_str())
            .with_header("accept", "application/json")
            .with_header("content-type", "application/x-www-form-urlencoded")
            .with_body(form);
        let answer = self.http.send(request).await.map_err(unanswered)?;
        // The status before the body: throttling is answered in plain text.
        if answer.status() != 200 {
            return Err(refusal(&answer));
        }
        if answer.body().len() > MAX_RESPONSE_BODY {
            return Err(EntraError::unusable(
                ErrorKind::InvalidResponse,
                "the reply is too long",
            ));
        }
        let received = SystemTime::now();
        let reply = reply::parse(answer.body())?;
        let claims = Claims::parse(&reply.access_token).map_err(ProviderError::invalid_response)?;
        let username = self
            .username
            .of(&claims)
            .map_err(ProviderError::invalid_response)?;
        let exp = claims.exp().map_err(ProviderError::invalid_response)?;
        let left = lifetime(exp, reply.expires_in, answer.header("date"), received);
        if left.is_zero() {
            return Err(EntraError::unusable(
                ErrorKind::Expired,
                "the token it holds has expired by its own `exp` or `expires_in`; if it happens \
                 again and again, this machine's clock is ahead",
            ));
        }
        let mut password = reply.access_token;
        // Moved, not copied: no second copy is left to wipe.
        Ok(Token::new(username, std::mem::take(&mut *password)).expires_in(left))
    }
}

fn unanswered(error: HttpError) -> ProviderError {
    let kind = match error.kind() {
        HttpErrorKind::Connect | HttpErrorKind::Tls => ErrorKind::Unavailable,
        HttpErrorKind::Timeout => ErrorKind::Timeout,
        HttpErrorKind::TooLarge => ErrorKind::InvalidResponse,
        HttpErrorKind::Other => ErrorKind::Other,
    };
    ProviderError::new(kind).with_source(error)
}
