/// One of Microsoft's clouds, each with tenants and a sign-in host of its own.
///
/// Tenants, ids and secrets of one cloud are unknown in the others
/// (AADSTS90038). The scope for Redis is the same in all of them
/// (docs.azure.cn, "Use Microsoft Entra for cache authentication").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cloud {
    /// Azure in China, operated by 21Vianet: `login.partner.microsoftonline.cn`.
    /// For the older `login.chinacloudapi.cn` use
    /// [`Authority::custom`](crate::Authority::custom).
    China,
    /// The public cloud: `login.microsoftonline.com`. The default.
    #[default]
    Public,
    /// Azure Government: `login.microsoftonline.us`.
    UsGovernment,
}

impl Cloud {
    /// The sign-in host as a URL, without a slash at the end (Microsoft Learn,
    /// "National clouds").
    #[must_use]
    pub const fn host(self) -> &'static str {
        match self {
            Self::China => "https://login.partner.microsoftonline.cn",
            Self::Public => "https://login.microsoftonline.com",
            Self::UsGovernment => "https://login.microsoftonline.us",
        }
    }
}
