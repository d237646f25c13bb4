//! Virtual machines: the Azure Instance Metadata Service (Microsoft Learn, "How
//! to use managed identities for Azure resources on an Azure VM to acquire an
//! access token").

use redis_authx::ConfigError;
use url::Url;

use super::endpoint::{Endpoint, Setup, url};
use super::id::IdParameters;

/// The address is the same on every machine in Azure.
const HOST: &str = "http://169.254.169.254";
/// As the identity libraries of Azure SDK and MSAL let it be moved.
const HOST_VARIABLE: &str = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
const PATH: &str = "metadata/identity/oauth2/token";
/// The first version, which every later service still serves.
const API_VERSION: &str = "2018-02-01";

/// As the OpenAPI document of IMDS has it (`imds.json` in
/// `Azure/azure-rest-api-specs`): "the token must be retrieved from Azure AD and
/// cannot be retrieved from an internal cache".
const BYPASS: (&str, &str) = ("bypass_cache", "true");

const IDS: IdParameters = IdParameters {
    client: Some("client_id"),
    object: Some("object_id"),
    resource: Some("msi_res_id"),
};

pub(super) fn endpoint(setup: &Setup<'_>) -> Result<Endpoint, ConfigError> {
    let host = match setup.environment.get(HOST_VARIABLE) {
        None => HOST.to_owned(),
        Some(_) => url(setup.environment, HOST_VARIABLE)?.into(),
    };
    let url = Url::parse(&format!("{}/{PATH}", host.trim_end_matches('/'))).map_err(|_| {
        let allowed = "scheme and host, as `http://127.0.0.1:8080`";
        ConfigError::invalid(HOST_VARIABLE, "something else", allowed)
    })?;
    let mut endpoint = Endpoint::get(url, API_VERSION, setup.resource);
    endpoint.metadata = true;
    endpoint.bypass = Some(BYPASS);
    endpoint.user_assigned(setup.id, &IDS, "one of its variants")?;
    Ok(endpoint)
}
