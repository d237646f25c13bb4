//! Which tenant of which cloud issues the tokens.

mod url;

use redis_authx::ConfigError;

pub(crate) use self::url::is_loopback;

const PUBLIC_CLOUD: &str = "https://login.microsoftonline.com";
/// Path segments that stand for "whichever tenant the user is of", where an
/// application by itself is of none.
const SHARED: [&str; 3] = ["common", "consumers", "organizations"];

/// Which tenant of which cloud issues the tokens.
///
/// ```
/// use redis_authx_entraid::Authority;
///
/// let public = Authority::tenant("contoso.onmicrosoft.com");
/// let us_government = Authority::custom("https://login.microsoftonline.us/contoso.com");
/// ```
///
/// Hosts of the other clouds: Microsoft Learn, "National clouds".
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
    /// fragment. A trailing `/`, `/v2.0` or `/oauth2/v2.0` is dropped.
    Custom(String),
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

    /// The token endpoint for a grant in which no person takes part.
    ///
    /// Microsoft Learn, "OAuth 2.0 client credentials flow".
    pub(crate) fn app_token_url(&self) -> Result<String, ConfigError> {
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
        Ok(format!("{base}/oauth2/v2.0/token"))
    }

    /// Up to and including the tenant, with no slash at the end.
    fn base(&self) -> Result<String, ConfigError> {
        match self {
            Self::Default => Ok(format!("{PUBLIC_CLOUD}/common")),
            Self::MultiTenant(tenant) => {
                check_tenant(tenant)?;
                Ok(format!("{PUBLIC_CLOUD}/{tenant}"))
            }
            Self::Custom(text) => url::base(text),
        }
    }
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
