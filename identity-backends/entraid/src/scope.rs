//! What a token is asked for.

use redis_authx::ConfigError;

/// The scope for Azure Managed Redis and Azure Cache for Redis (Microsoft
/// Learn, "Use Microsoft Entra for cache authentication"). The default.
pub const REDIS_SCOPE_DEFAULT: &str = "https://redis.azure.com/.default";

/// The same resource by its application id, which some documents use.
pub const REDIS_SCOPE_APP_ID: &str = "acca5fbb-b7e4-4009-81f1-37e38fd66d78/.default";

/// A client credentials grant asks for one resource's `.default` (Microsoft
/// Learn, "OAuth 2.0 client credentials flow").
pub(crate) fn check_app_scope(scope: &str) -> Result<(), ConfigError> {
    resource_of(scope).map(drop)
}

/// The resource of such a scope: what the endpoints of managed identities are
/// asked for.
pub(crate) fn resource_of(scope: &str) -> Result<&str, ConfigError> {
    let allowed = "one resource followed by `/.default`, as \
                   `https://redis.azure.com/.default` (REDIS_SCOPE_DEFAULT)";
    let bad = scope.contains(|c: char| c.is_whitespace() || c.is_control());
    let resource = scope.strip_suffix("/.default").unwrap_or_default();
    if bad || resource.is_empty() {
        return Err(ConfigError::invalid(
            "scope",
            format_args!("{scope:?}"),
            allowed,
        ));
    }
    Ok(resource)
}
