use redis_authx::ConfigError;

use super::{Authority, Cloud, check_tenant};
use crate::environment::Environment;

/// The authority that `AZURE_TENANT_ID` and `AZURE_AUTHORITY_HOST` name, as
/// every Azure SDK reads them; without a host it is the public cloud's.
pub(super) fn authority(environment: &Environment) -> Result<Authority, ConfigError> {
    let tenant = environment.get("AZURE_TENANT_ID").ok_or_else(|| {
        ConfigError::missing(
            "AZURE_TENANT_ID",
            "the tenant's id in this environment variable, or an `authority(..)`",
        )
    })?;
    let tenant = tenant.trim();
    check_tenant(tenant)?;
    let host = environment.get("AZURE_AUTHORITY_HOST");
    let host = host.as_deref().map_or(Cloud::Public.host(), str::trim);
    // azure-identity for Python takes a host without the scheme too.
    let scheme = if host.contains("://") { "" } else { "https://" };
    let host = host.trim_end_matches('/');
    Ok(Authority::custom(format!("{scheme}{host}/{tenant}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(pairs: &[(&str, &str)]) -> Result<String, ConfigError> {
        authority(&Environment::from_pairs(pairs.iter().copied()))?.app_url("token")
    }

    #[test]
    fn host_and_tenant_make_an_authority() {
        let tenant = ("AZURE_TENANT_ID", " contoso.com\n");
        assert_eq!(
            url(&[tenant]).expect("the public cloud"),
            "https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token"
        );
        for host in [
            "https://login.microsoftonline.us/",
            "https://login.microsoftonline.us",
            "login.microsoftonline.us",
        ] {
            assert_eq!(
                url(&[tenant, ("AZURE_AUTHORITY_HOST", host)]).expect("a host"),
                "https://login.microsoftonline.us/contoso.com/oauth2/v2.0/token"
            );
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let field = |pairs: &[_]| url(pairs).expect_err("unusable").field().to_owned();
        assert_eq!(field(&[]), "AZURE_TENANT_ID");
        assert_eq!(field(&[("AZURE_TENANT_ID", "a/../b")]), "authority.tenant");
        let plain = ("AZURE_AUTHORITY_HOST", "http://example.com");
        assert_eq!(field(&[("AZURE_TENANT_ID", "t"), plain]), "authority.url");
    }
}
