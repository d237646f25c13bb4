//! An application with its secret or certificate, as the environment names it
//! (Microsoft Learn, "EnvironmentCredential Class").

use std::path::Path;

use redis_authx::ConfigError;

use crate::environment::Environment;
use crate::flow::settings::Settings;
use crate::{Authority, ClientCertificate, ClientSecret, EntraIdentity};

pub(super) fn identity(
    settings: &Settings,
    environment: &Environment,
) -> Result<EntraIdentity, ConfigError> {
    let variable = |name: &'static str, allowed| {
        let value = environment.get(name);
        value.ok_or_else(|| ConfigError::missing(name, allowed))
    };
    // Before anything is called wrong, all of it has to be there.
    variable("AZURE_TENANT_ID", "the tenant's id")?;
    let client_id = variable("AZURE_CLIENT_ID", "the application's client id")?;
    let client_id = client_id.trim();
    if let Some(secret) = environment.get("AZURE_CLIENT_SECRET") {
        let mut identity = ClientSecret::new(client_id, secret);
        identity.settings = settings.clone();
        return identity
            .authority(Authority::from_environment(environment)?)
            .build();
    }
    let path = variable(
        "AZURE_CLIENT_CERTIFICATE_PATH",
        "the path of a certificate, or a secret in `AZURE_CLIENT_SECRET`",
    )?;
    let chain = environment.get("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN");
    let chain = chain.is_some_and(|value| matches!(&*value.to_ascii_lowercase(), "1" | "true"));
    let mut identity = certificate(client_id, &path, environment)?;
    identity.settings = settings.clone();
    identity
        .send_certificate_chain(chain)
        .authority(Authority::from_environment(environment)?)
        .build()
}

fn certificate(
    client_id: &str,
    path: &str,
    environment: &Environment,
) -> Result<ClientCertificate, ConfigError> {
    let extension = Path::new(path).extension().unwrap_or_default();
    let is_pkcs12 = ["pfx", "p12"]
        .iter()
        .any(|e| extension.eq_ignore_ascii_case(e));
    if !is_pkcs12 {
        return Ok(ClientCertificate::from_pem_file(client_id, path));
    }
    #[cfg(feature = "pkcs12")]
    {
        let password = environment.get("AZURE_CLIENT_CERTIFICATE_PASSWORD");
        let password = password.unwrap_or_default();
        Ok(ClientCertificate::from_pkcs12_file(
            client_id, path, password,
        ))
    }
    #[cfg(not(feature = "pkcs12"))]
    {
        let _ = environment;
        Err(ConfigError::invalid(
            "AZURE_CLIENT_CERTIFICATE_PATH",
            format_args!("{path:?}"),
            "a PEM file; for PKCS#12 switch on the feature `pkcs12` of redis-authx-entraid",
        ))
    }
}

/// Whether the environment does not hold what it takes, rather than something
/// wrong.
pub(super) fn is_absent(error: &ConfigError) -> bool {
    error.found().is_none() && error.field().starts_with("AZURE_")
}

/// Names the variable in place of the builder's field that it went into.
pub(super) fn by_variable(error: ConfigError) -> ConfigError {
    let variable = match error.field() {
        "authority" | "authority.tenant" => "AZURE_TENANT_ID",
        "authority.url" => "AZURE_AUTHORITY_HOST",
        "client_id" => "AZURE_CLIENT_ID",
        "client_secret" => "AZURE_CLIENT_SECRET",
        "certificate" => "AZURE_CLIENT_CERTIFICATE_PATH",
        "password" => "AZURE_CLIENT_CERTIFICATE_PASSWORD",
        _ => return error,
    };
    let found = error.found().unwrap_or_default().to_owned();
    ConfigError::invalid(variable, found, error.allowed().to_owned())
}
