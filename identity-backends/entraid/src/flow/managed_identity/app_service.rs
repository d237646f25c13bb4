//! App Service, Functions, Container Apps and Automation (Microsoft Learn, "How
//! to use managed identities for App Service and Azure Functions", REST endpoint
//! reference).

use redis_authx::ConfigError;

use super::endpoint::{Endpoint, Setup, secret, url};
use super::id::IdParameters;

const API_VERSION: &str = "2019-08-01";

/// `object_id` is an alias of `principal_id`; `msi_res_id`, which IMDS takes,
/// is not known here.
const IDS: IdParameters = IdParameters {
    client: Some("client_id"),
    object: Some("principal_id"),
    resource: Some("mi_res_id"),
};

pub(super) fn endpoint(setup: &Setup<'_>) -> Result<Endpoint, ConfigError> {
    let url = url(setup.environment, "IDENTITY_ENDPOINT")?;
    secret(setup.environment, "IDENTITY_HEADER")?;
    let mut endpoint = Endpoint::get(url, API_VERSION, setup.resource);
    endpoint.secret = Some(("X-IDENTITY-HEADER", "IDENTITY_HEADER"));
    // Azure Automation, which is asked the same way, wants it too (Microsoft
    // Learn, "Using a system-assigned managed identity for an Azure Automation
    // account").
    endpoint.metadata = true;
    endpoint.user_assigned(setup.id, &IDS, "one of its variants")?;
    Ok(endpoint)
}
