//! Service Fabric (Microsoft Learn, "How to leverage a Service Fabric
//! application's managed identity to access Azure services").

use std::sync::Arc;

use redis_authx::ConfigError;

use super::endpoint::{Endpoint, Setup, secret, url};
use super::id::IdParameters;
use crate::http::{PinnedClient, Thumbprint};

const API_VERSION: &str = "2019-07-01-preview";
const THUMBPRINT: &str = "IDENTITY_SERVER_THUMBPRINT";

pub(super) fn endpoint(setup: &Setup<'_>) -> Result<Endpoint, ConfigError> {
    let url = url(setup.environment, "IDENTITY_ENDPOINT")?;
    if url.scheme() != "https" {
        let allowed = "an https:// URL, since Service Fabric serves no other";
        return Err(ConfigError::invalid(
            "IDENTITY_ENDPOINT",
            "an http:// URL",
            allowed,
        ));
    }
    secret(setup.environment, "IDENTITY_HEADER")?;
    let mut endpoint = Endpoint::get(url, API_VERSION, setup.resource);
    endpoint.secret = Some(("Secret", "IDENTITY_HEADER"));
    endpoint.user_assigned(
        setup.id,
        &IdParameters::NONE,
        "none with Service Fabric, where the application's manifest says which identity it has",
    )?;
    endpoint.http = Some(Arc::new(client(setup)?));
    Ok(endpoint)
}

/// The endpoint's certificate is signed by itself; the platform tells its
/// thumbprint.
fn client(setup: &Setup<'_>) -> Result<PinnedClient, ConfigError> {
    let allowed = "the SHA-1 thumbprint of the endpoint's certificate, 40 hexadecimal digits";
    let text = setup
        .environment
        .get(THUMBPRINT)
        .ok_or_else(|| ConfigError::missing(THUMBPRINT, allowed))?;
    let thumbprint = Thumbprint::parse(&text)
        .ok_or_else(|| ConfigError::invalid(THUMBPRINT, "something else", allowed))?;
    PinnedClient::new(thumbprint)
        .map_err(|error| ConfigError::invalid("http_client", error, "a TLS set-up that works"))
}
