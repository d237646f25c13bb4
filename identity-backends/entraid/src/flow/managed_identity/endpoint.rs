//! What the sources have in common: a request that is known when the identity
//! is built, but for a secret of the environment.

use std::sync::Arc;

use redis_authx::{ConfigError, ProviderError};
use url::Url;

use super::arc::Keys;
use super::id::{IdParameters, UserAssignedId};
use crate::environment::Environment;
use crate::http::{HttpClient, HttpMethod, HttpRequest};
use crate::secret::Secret;
use crate::token_endpoint::Form;

/// What a source's endpoint is made from.
pub(super) struct Setup<'a> {
    pub(super) environment: &'a Environment,
    pub(super) id: Option<&'a UserAssignedId>,
    pub(super) resource: &'a str,
}

/// How a source is asked.
#[derive(Debug)]
pub(super) struct Endpoint {
    method: HttpMethod,
    url: Url,
    /// Whether to send `Metadata: true`, which a web page could not make a
    /// browser or a server send.
    pub(super) metadata: bool,
    /// The parameter that asks for a token which is not from the endpoint's
    /// cache, where it has one.
    pub(super) bypass: Option<(&'static str, &'static str)>,
    /// The header with a secret, and the variable that it is read from at each
    /// request: the platform may change it while the process lives.
    pub(super) secret: Option<(&'static str, &'static str)>,
    /// What answers a challenge.
    pub(super) keys: Option<Keys>,
    /// The only client that will do, in place of the default one.
    pub(super) http: Option<Arc<dyn HttpClient>>,
}

impl Endpoint {
    /// Asked by `GET`, with everything in the query.
    pub(super) fn get(mut url: Url, api_version: &str, resource: &str) -> Self {
        url.query_pairs_mut()
            .append_pair("api-version", api_version)
            .append_pair("resource", resource);
        Self {
            method: HttpMethod::Get,
            url,
            metadata: false,
            bypass: None,
            secret: None,
            keys: None,
            http: None,
        }
    }

    /// Asked by `POST`, with the resource in a form.
    pub(super) fn post(url: Url) -> Self {
        Self {
            method: HttpMethod::Post,
            url,
            metadata: false,
            bypass: None,
            secret: None,
            keys: None,
            http: None,
        }
    }

    pub(super) fn parameter(&mut self, name: &str, value: &str) {
        self.url.query_pairs_mut().append_pair(name, value);
    }

    /// Adds the id that was asked for, if one was.
    pub(super) fn user_assigned(
        &mut self,
        id: Option<&UserAssignedId>,
        names: &IdParameters,
        unsupported: &'static str,
    ) -> Result<(), ConfigError> {
        if let Some(id) = id {
            let (name, value) = id.parameter(names, unsupported)?;
            self.parameter(name, value);
        }
        Ok(())
    }

    /// The request as it is to be sent now; `fresh`: past the endpoint's cache,
    /// where that can be asked for.
    pub(super) fn request(
        &self,
        environment: &Environment,
        resource: &str,
        fresh: bool,
    ) -> Result<HttpRequest, ProviderError> {
        let mut url = self.url.clone();
        if let Some((name, value)) = self.bypass.filter(|_| fresh) {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = self.plain(&url).with_header("accept", "application/json");
        if self.metadata {
            request = request.with_header("Metadata", "true");
        }
        if let Some((header, variable)) = self.secret {
            let secret = secret(environment, variable).map_err(ProviderError::misconfigured)?;
            request = request.with_header(header, secret.expose());
        }
        if self.method == HttpMethod::Post {
            request = request
                .with_header("content-type", "application/x-www-form-urlencoded")
                .with_body(Form::new(&[("resource", resource)]));
        }
        Ok(request)
    }

    /// Nothing but the method and the URL. Through no proxy: it would be asked
    /// for an identity of its own machine, or be shown a secret.
    pub(super) fn bare(&self) -> HttpRequest {
        self.plain(&self.url)
    }

    fn plain(&self, url: &Url) -> HttpRequest {
        HttpRequest::new(self.method, url.as_str()).without_proxy()
    }
}

/// The URL in a variable.
pub(super) fn url(environment: &Environment, variable: &'static str) -> Result<Url, ConfigError> {
    let allowed = "an http:// or https:// URL without user info or fragment, as the platform \
                   sets it where a managed identity is assigned";
    let text = environment
        .get(variable)
        .ok_or_else(|| ConfigError::missing(variable, allowed))?;
    // Not shown: it is a secret if the variables were mixed up.
    let invalid = || ConfigError::invalid(variable, "something else", allowed);
    let url = Url::parse(text.trim()).map_err(|_| invalid())?;
    let fits = matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    if fits { Ok(url) } else { Err(invalid()) }
}

/// The secret in a variable, as it can stand in a header.
pub(super) fn secret(
    environment: &Environment,
    variable: &'static str,
) -> Result<Secret, ConfigError> {
    let allowed = "the text that the platform sets, which is one line";
    let text = environment
        .get(variable)
        .ok_or_else(|| ConfigError::missing(variable, allowed))?;
    let secret = Secret::new(text);
    if secret
        .expose()
        .contains(|c: char| c.is_control() || !c.is_ascii())
    {
        let found = "a text with characters that no header can hold";
        return Err(ConfigError::invalid(variable, found, allowed));
    }
    Ok(secret)
}
