use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use redis_authx::{
    IdentityProvider, ProviderError, RequestReason, Token, TokenRequest, async_trait,
};

use super::endpoint::Endpoint;
use super::refusal::{no_answer, refusal};
use super::source::ManagedIdentitySource;
use crate::environment::Environment;
use crate::http::{HttpClient, HttpRequest, HttpResponse};
use crate::issue::{TokenReader, lifetime};
use crate::token_endpoint::{Reply, check_length, unanswered};

/// As the probes of Azure's other identity libraries have it.
const PROBE_LIMIT: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct Flow {
    pub(super) source: ManagedIdentitySource,
    pub(super) endpoint: Endpoint,
    pub(super) environment: Environment,
    pub(super) resource: String,
    pub(super) http: Arc<dyn HttpClient>,
    pub(super) reader: TokenReader,
    /// Whether a machine without an identity is no error of the configuration:
    /// no id was given, and there is something to fall back on.
    pub(super) optional: bool,
    /// Whether the endpoint is still to be asked for a sign of life first.
    pub(super) probe: AtomicBool,
}

impl Flow {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, ProviderError> {
        let answer = self.http.send(request).await;
        answer.map_err(|error| unanswered(error.with_advice(no_answer(self.source))))
    }

    /// Any answer will do. Without the header that a token is given for, so
    /// that none is asked for.
    async fn probe(&self) -> Result<(), ProviderError> {
        if self.probe.load(Relaxed) {
            let request = self.endpoint.bare().with_time_limit(PROBE_LIMIT);
            self.send(request).await?;
            self.probe.store(false, Relaxed);
        }
        Ok(())
    }

    async fn ask(&self, fresh: bool) -> Result<HttpResponse, ProviderError> {
        let request = self
            .endpoint
            .request(&self.environment, &self.resource, fresh)?;
        let Some(keys) = &self.endpoint.keys else {
            return self.send(request).await;
        };
        let challenge = self.send(request.clone()).await?;
        if challenge.status() != 401 {
            return Ok(challenge);
        }
        let key = keys.answer(&challenge).await?;
        self.send(request.with_header("Authorization", key.expose()))
            .await
    }
}

#[async_trait]
impl IdentityProvider for Flow {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        self.probe().await?;
        let fresh = matches!(request.reason(), RequestReason::Refused { .. });
        let answer = self.ask(fresh).await?;
        if answer.status() != 200 {
            return Err(refusal(self.source, self.optional, &answer));
        }
        check_length(&answer)?;
        let reply = Reply::parse(&answer)?;
        let date = reply.date.as_deref();
        let received = request.clock().wall();
        // Sources say how long, until when, or both.
        let left = match reply.expires_on {
            Some(end) => Some(lifetime(end, reply.expires_in, date, received)),
            None => reply.expires_in,
        };
        self.reader.token(reply.access_token?, left, date, received)
    }
}
