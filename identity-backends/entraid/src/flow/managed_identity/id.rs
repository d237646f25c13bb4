use redis_authx::ConfigError;

/// Which user-assigned identity of several: any one of its three ids, which
/// its page in the Azure portal shows.
///
/// What each source takes is in the table of
/// [`ManagedIdentitySource`](crate::ManagedIdentitySource).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserAssignedId {
    /// Its client id, a GUID.
    Client(String),
    /// Its object (principal) id, a GUID: the Redis user name.
    Object(String),
    /// Its resource id:
    /// `/subscriptions/…/resourceGroups/…/providers/Microsoft.ManagedIdentity/userAssignedIdentities/…`.
    Resource(String),
}

/// The parameters by which a source is told which identity is meant; `None`
/// where it can't be told by that id.
pub(super) struct IdParameters {
    pub(super) client: Option<&'static str>,
    pub(super) object: Option<&'static str>,
    pub(super) resource: Option<&'static str>,
}

impl IdParameters {
    /// For a source that can't be told at all.
    pub(super) const NONE: Self = Self {
        client: None,
        object: None,
        resource: None,
    };
}

impl UserAssignedId {
    /// Its parameter, as name and value. `unsupported` says what a source
    /// takes that does not take this.
    pub(super) fn parameter(
        &self,
        names: &IdParameters,
        unsupported: &'static str,
    ) -> Result<(&'static str, &str), ConfigError> {
        let (variant, value, name) = match self {
            Self::Client(id) => ("Client", id, names.client),
            Self::Object(id) => ("Object", id, names.object),
            Self::Resource(id) => ("Resource", id, names.resource),
        };
        let Some(name) = name else {
            let found = format!("UserAssignedId::{variant}({value:?})");
            return Err(ConfigError::invalid("user_assigned", found, unsupported));
        };
        let resource = matches!(self, Self::Resource(_));
        if value.trim().is_empty()
            || value.contains(char::is_control)
            || (!resource && value.contains(char::is_whitespace))
            || (resource && !value.starts_with('/'))
        {
            return Err(ConfigError::invalid(
                "user_assigned",
                format!("UserAssignedId::{variant}({value:?})"),
                "a client or object id (a GUID), or a resource id from `/subscriptions/` on",
            ));
        }
        Ok((name, value))
    }
}
