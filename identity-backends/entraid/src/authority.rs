//! Which tenant of which cloud issues the tokens.

mod cloud;
mod environment;
mod url;

use redis_authx::ConfigError;

use crate::environment::Environment;

pub(crate) use self::url::is_loopback;
pub use cloud::Cloud;

/// Path segments that stand for "whichever tenant the user is of", where an
/// application by itself is of none.
const SHARED: [&str; 3] = ["common", "consumers", "organizations"];

/// Which tenant of which cloud issues the tokens.
///
/// ```
/// use redis_authx_entraid::{Authority, Cloud};
///
/// let public = Authority::tenant("contoso.onmicrosoft.com");
/// let us_government = Authority::in_cloud(Cloud::UsGovernment, "contoso.onmicrosoft.us");
/// let by_url = Authority::custom("https://login.microsoftonline.us/contoso.onmicrosoft.us");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Authority {
    /// `https://login.microsoftonline.com/common`: whichever tenant the person
    /// who signs in belongs to. Entra ID refuses it for an application that
    /// signs in by itself, as [`ClientSecret`](crate::ClientSecret) does, so
    /// building that fails with it.
    #[default]
    Default,
    /// `https://login.microsoftonline.com/{tenant}`: the tenant's id or one of
    /// its verified domains. Letters, digits, `-` and `.` only.
    MultiTenant(String),
    /// A URL up to and including the tenant: another cloud, a proxy, an
    /// emulator. `https`, or `http` to this machine; no user info, query or
    /// fragment. A trailing `/`, `/v2.0` or `/oauth2/v2.0` is dropped. Of AD FS
    /// it is the URL up to `/adfs`.
    Custom(String),
    /// A tenant of a national cloud.
    NationalCloud(Cloud, String),
}

impl Authority {
    /// [`MultiTenant`](Self::MultiTenant): a tenant of the public cloud, by id
    /// or domain.
    pub fn tenant(tenant: impl Into<String>) -> Self {
        Self::MultiTenant(tenant.into())
    }

    /// [`Custom`](Self::Custom): any URL.
    pub fn custom(url: impl Into<String>) -> Self {
        Self::Custom(url.into())
    }

    /// [`NationalCloud`](Self::NationalCloud): a tenant, by id or domain, of
    /// the cloud that it is in.
    pub fn in_cloud(cloud: Cloud, tenant: impl Into<String>) -> Self {
        Self::NationalCloud(cloud, tenant.into())
    }

    /// What `AZURE_TENANT_ID` and `AZURE_AUTHORITY_HOST` name.
    pub(crate) fn from_environment(environment: &Environment) -> Result<Self, ConfigError> {
        environment::authority(environment)
    }

    /// An endpoint (`token`) for a grant in which no person takes part.
    ///
    /// Microsoft Learn, "OAuth 2.0 client credentials flow".
    pub(crate) fn app_url(&self, endpoint: &str) -> Result<String, ConfigError> {
        let base = self.base()?;
        let tenant = base.rsplit('/').next().unwrap_or_default();
        if SHARED.iter().any(|name| tenant.eq_ignore_ascii_case(name)) {
            return Err(ConfigError::invalid(
                "authority",
                base,
                "one that names a tenant, as `Authority::tenant(..)` does: Entra ID gives an \
                 application no token from a shared one (AADSTS9001023, AADSTS50059)",
            ));
        }
        Ok(in_authority(&base, endpoint))
    }

    /// An endpoint (`authorize`, `devicecode`, `token`) for a grant in which a
    /// person signs in, who may be of any tenant.
    #[cfg(feature = "interactive")]
    pub(crate) fn user_url(&self, endpoint: &str) -> Result<String, ConfigError> {
        Ok(in_authority(&self.base()?, endpoint))
    }

    /// Up to and including the tenant, with no slash at the end.
    fn base(&self) -> Result<String, ConfigError> {
        match self {
            Self::Default => Ok(format!("{}/common", Cloud::Public.host())),
            Self::MultiTenant(tenant) => in_cloud(Cloud::Public, tenant),
            Self::NationalCloud(cloud, tenant) => in_cloud(*cloud, tenant),
            Self::Custom(text) => url::base(text),
        }
    }
}

/// AD FS has no tenants, and no version in its paths (Microsoft Learn, "AD FS
/// OpenID Connect/OAuth concepts").
fn in_authority(base: &str, endpoint: &str) -> String {
    let last = base.rsplit('/').next().unwrap_or_default();
    if last.eq_ignore_ascii_case("adfs") {
        format!("{base}/oauth2/{endpoint}")
    } else {
        format!("{base}/oauth2/v2.0/{endpoint}")
    }
}

fn in_cloud(cloud: Cloud, tenant: &str) -> Result<String, ConfigError> {
    check_tenant(tenant)?;
    Ok(format!("{}/{tenant}", cloud.host()))
}

fn check_tenant(tenant: &str) -> Result<(), ConfigError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    // At least one letter or digit: `..` would climb in the URL's path.
    if tenant.chars().all(allowed) && tenant.contains(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(());
    }
    Err(ConfigError::invalid(
        "authority.tenant",
        format_args!("{tenant:?}"),
        "a tenant's id or domain: letters, digits, `-` and `.`",
    ))
}

#[cfg(test)]
mod tests;
