//! Azure Machine Learning: the first protocol of App Service (version
//! 2017-09-01), which Microsoft's libraries speak there. It is not documented.

use redis_authx::ConfigError;

use super::endpoint::{Endpoint, Setup, secret, url};
use super::id::{IdParameters, UserAssignedId};

const API_VERSION: &str = "2017-09-01";

const IDS: IdParameters = IdParameters {
    client: Some("clientid"),
    object: None,
    resource: None,
};

pub(super) fn endpoint(setup: &Setup<'_>) -> Result<Endpoint, ConfigError> {
    let url = url(setup.environment, "MSI_ENDPOINT")?;
    secret(setup.environment, "MSI_SECRET")?;
    // The identity that the compute was given is a user-assigned one as well.
    let default = setup.environment.get("DEFAULT_IDENTITY_CLIENT_ID");
    let default = default.map(UserAssignedId::Client);
    let mut endpoint = Endpoint::get(url, API_VERSION, setup.resource);
    endpoint.secret = Some(("secret", "MSI_SECRET"));
    endpoint.user_assigned(
        setup.id.or(default.as_ref()),
        &IDS,
        "UserAssignedId::Client with Azure Machine Learning",
    )?;
    Ok(endpoint)
}
