use crate::identity::{
    issuer::{self, GRAPH},
    refusal::Refusal,
};

const OPENID: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// The scopes of a request for a person's token: those of OpenID Connect, which are of no
/// resource, and those of one resource ("Scopes and permissions in the Microsoft identity
/// platform").
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Scopes {
    /// As they were asked for.
    pub(crate) text: String,
    pub(crate) resource: String,
}

impl Scopes {
    pub(crate) fn read(text: &str, tenant: &str) -> Result<Self, Refusal> {
        let mut resource: Option<&str> = None;
        for scope in text.split_ascii_whitespace() {
            if OPENID.contains(&scope) {
                continue;
            }
            let of = scope.rsplit_once('/').map_or(GRAPH, |(of, _)| of);
            if of != GRAPH && !issuer::is_redis(of) {
                return Err(Refusal::unknown_resource(of, tenant));
            }
            if resource.is_some_and(|other| other != of) {
                return Err(Refusal::several_resources(text));
            }
            resource = Some(of);
        }
        Ok(Self {
            text: text.to_owned(),
            resource: resource.unwrap_or(GRAPH).to_owned(),
        })
    }

    pub(crate) fn has(&self, scope: &str) -> bool {
        self.text.split_ascii_whitespace().any(|one| one == scope)
    }

    /// Those that were asked for at first, unless the request names its own.
    pub(crate) fn or(&self, asked: Option<&str>, tenant: &str) -> Result<Self, Refusal> {
        asked.map_or_else(|| Ok(self.clone()), |text| Self::read(text, tenant))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::identity::issuer::REDIS_RESOURCE;

    #[test]
    fn a_token_is_for_one_resource() {
        for (text, resource) in [
            ("https://redis.azure.com/.default openid", REDIS_RESOURCE),
            (
                "openid https://redis.azure.com/user_impersonation",
                REDIS_RESOURCE,
            ),
            ("openid offline_access", GRAPH),
            ("user.read offline_access", GRAPH),
        ] {
            assert_eq!(
                Scopes::read(text, "t").unwrap().resource,
                resource,
                "{text}"
            );
        }
        for (text, code) in [
            ("https://redis.azure.com/.default user.read", "70011"),
            ("https://vault.azure.net/.default", "500011"),
        ] {
            let refusal = format!("{:?}", Scopes::read(text, "t").unwrap_err());
            assert!(refusal.contains(&format!("code: {code},")), "{refusal}");
        }
    }
}
