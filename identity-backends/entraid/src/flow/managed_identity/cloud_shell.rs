//! Azure Cloud Shell, as Microsoft's libraries ask it; it is not documented.

use redis_authx::ConfigError;

use super::endpoint::{Endpoint, Setup, url};
use super::id::IdParameters;

pub(super) fn endpoint(setup: &Setup<'_>) -> Result<Endpoint, ConfigError> {
    let mut endpoint = Endpoint::post(url(setup.environment, "MSI_ENDPOINT")?);
    endpoint.metadata = true;
    endpoint.user_assigned(
        setup.id,
        &IdParameters::NONE,
        "none with Cloud Shell, whose only identity is the signed-in person's",
    )?;
    Ok(endpoint)
}
