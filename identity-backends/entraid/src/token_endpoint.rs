//! The token endpoint (RFC 6749 §3.2), shared by every way to sign in.

mod form;
mod reply;

use std::sync::Arc;
use std::time::SystemTime;

use redis_authx::{ErrorKind, ProviderError, Token, TokenRequest};

use crate::EntraError;
use crate::error::refusal;
use crate::http::{
    HttpClient, HttpError, HttpErrorKind, HttpMethod, HttpRequest, HttpResponse, MAX_RESPONSE_BODY,
};
use crate::issue::TokenReader;
pub(crate) use form::Form;
pub(crate) use reply::Reply;

/// Where tokens are asked for, by what, and how the answers are read.
#[derive(Debug)]
pub(crate) struct TokenEndpoint {
    url: String,
    http: Arc<dyn HttpClient>,
    reader: TokenReader,
}

impl TokenEndpoint {
    pub(crate) const fn new(url: String, http: Arc<dyn HttpClient>, reader: TokenReader) -> Self {
        Self { url, http, reader }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Asks once.
    pub(crate) async fn request(
        &self,
        form: Form,
        request: &TokenRequest<'_>,
    ) -> Result<Token, ProviderError> {
        let reply = self.ask(form).await?;
        self.token(reply, request.clock().wall())
    }

    /// Asks once, for flows that need more of the reply than its token.
    pub(crate) async fn ask(&self, form: Form) -> Result<Reply, ProviderError> {
        let answer = post(&*self.http, &self.url, form).await?;
        Reply::parse(&answer)
    }

    /// The token of a reply that came at `received`.
    pub(crate) fn token(&self, reply: Reply, received: SystemTime) -> Result<Token, ProviderError> {
        let date = reply.date.as_deref();
        self.reader
            .token(reply.access_token?, reply.expires_in, date, received)
    }
}

/// Posts a form; an answer is one of status 200 with a body of usable length.
pub(crate) async fn post(
    http: &dyn HttpClient,
    url: &str,
    form: Form,
) -> Result<HttpResponse, ProviderError> {
    let request = HttpRequest::new(HttpMethod::Post, url)
        .with_header("accept", "application/json")
        .with_header("content-type", "application/x-www-form-urlencoded")
        .with_body(form);
    let answer = http.send(request).await.map_err(unanswered)?;
    // The status before the body: throttling is answered in plain text.
    if answer.status() != 200 {
        return Err(refusal(&answer));
    }
    check_length(&answer)?;
    Ok(answer)
}

/// Whatever client it came by.
pub(crate) fn check_length(answer: &HttpResponse) -> Result<(), ProviderError> {
    if answer.body().len() > MAX_RESPONSE_BODY {
        return Err(EntraError::unusable(
            ErrorKind::InvalidResponse,
            "the reply is too long",
        ));
    }
    Ok(())
}

/// What a request that got no answer means.
pub(crate) fn unanswered(error: HttpError) -> ProviderError {
    let kind = match error.kind() {
        HttpErrorKind::Connect | HttpErrorKind::Tls => ErrorKind::Unavailable,
        HttpErrorKind::Timeout => ErrorKind::Timeout,
        HttpErrorKind::TooLarge => ErrorKind::InvalidResponse,
        HttpErrorKind::Other => ErrorKind::Other,
    };
    ProviderError::new(kind).with_source(error)
}
