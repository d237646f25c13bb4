//! Servers that are connected by Azure Arc (Microsoft Learn, "Authenticate
//! against Azure resources with Azure Arc-enabled servers"): the agent wants
//! to see that the process may read a file that only the trusted may read.

mod key;

use std::path::PathBuf;

use redis_authx::ConfigError;
use url::Url;

use super::endpoint::{Endpoint, Setup, url};
use super::id::IdParameters;
pub(super) use key::Keys;

/// Where the agent listens when the environment does not say.
const ENDPOINT: &str = "http://127.0.0.1:40342/metadata/identity/oauth2/token";
const API_VERSION: &str = "2020-06-01";

pub(super) fn endpoint(
    setup: &Setup<'_>,
    key_directory: Option<PathBuf>,
) -> Result<Endpoint, ConfigError> {
    // `IMDS_ENDPOINT` belongs to it: alone it may be another source's.
    let told = setup.environment.get("IDENTITY_ENDPOINT").is_some()
        && setup.environment.get("IMDS_ENDPOINT").is_some();
    let url = if told {
        url(setup.environment, "IDENTITY_ENDPOINT")?
    } else {
        Url::parse(ENDPOINT).map_err(|error| {
            ConfigError::invalid("IDENTITY_ENDPOINT", error, "the agent's address")
        })?
    };
    let mut endpoint = Endpoint::get(url, API_VERSION, setup.resource);
    endpoint.metadata = true;
    endpoint.user_assigned(
        setup.id,
        &IdParameters::NONE,
        "none with Azure Arc, where a server has one identity, the system-assigned",
    )?;
    let directory = match key_directory {
        Some(directory) => directory,
        None => default_directory(setup)?,
    };
    endpoint.keys = Some(Keys::new(directory));
    Ok(endpoint)
}

fn default_directory(setup: &Setup<'_>) -> Result<PathBuf, ConfigError> {
    if !cfg!(windows) {
        return Ok("/var/opt/azcmagent/tokens".into());
    }
    let folder = setup.environment.get("ProgramData").ok_or_else(|| {
        let allowed =
            "the folder that Windows sets, which holds the key files of Azure Arc's agent";
        ConfigError::missing("ProgramData", allowed)
    })?;
    Ok(PathBuf::from(folder)
        .join("AzureConnectedMachineAgent")
        .join("Tokens"))
}
