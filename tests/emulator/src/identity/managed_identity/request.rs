//! What requests to all sources are judged by.

use axum::http::HeaderMap;

use super::{AssignedIdentities, RESOURCE_ID, problem::Problem};
use crate::identity::{IdentityState, form::Form, issuer};

/// The parameters that name a user-assigned identity, with their aliases.
pub(super) struct IdNames {
    pub(super) client: &'static [&'static str],
    pub(super) object: &'static [&'static str],
    pub(super) resource: &'static [&'static str],
    /// What is there for another source only, and would be passed over in
    /// silence here: told to whoever mixes them up.
    pub(super) foreign: &'static [&'static str],
}

/// Of a GET: the query.
pub(super) fn query(query: Option<String>) -> Form {
    Form::read(&HeaderMap::new(), query.unwrap_or_default().as_bytes())
}

/// The header that shows that no web page made someone else ask.
pub(super) fn check_metadata(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers
        .get("metadata")
        .and_then(|value| value.to_str().ok());
    match value {
        Some(value) if value.eq_ignore_ascii_case("true") => Ok(()),
        _ => Err(Problem::MissingMetadata),
    }
}

pub(super) fn check_secret(
    state: &IdentityState,
    headers: &HeaderMap,
    name: &str,
) -> Result<(), Problem> {
    let value = headers.get(name).map(|value| value.as_bytes());
    if value == Some(state.managed.secret.as_bytes()) {
        Ok(())
    } else {
        Err(Problem::WrongSecret)
    }
}

/// A date, from `first` on: clients ask for many.
pub(super) fn check_version(form: &Form, first: &str) -> Result<(), Problem> {
    match form.get("api-version") {
        Some(version) if version >= first => Ok(()),
        _ => Err(Problem::UnknownVersion),
    }
}

/// A URI or an application id, both without `/.default`.
pub(super) fn resource(form: &Form) -> Result<String, Problem> {
    let resource = form.get("resource").ok_or(Problem::MissingResource)?;
    if issuer::is_redis(resource) {
        Ok(resource.to_owned())
    } else {
        Err(Problem::UnknownResource)
    }
}

/// Whether the identity that is asked for is assigned. `alone` says whether
/// those who name none get the only user-assigned one.
pub(super) fn check_identity(
    state: &IdentityState,
    form: &Form,
    names: &IdNames,
    alone: bool,
) -> Result<(), Problem> {
    use AssignedIdentities::{Both, System, User};

    let ids = &state.issuer.ids;
    let named = |names: &'static [&str], id| {
        let values = names.iter().filter_map(|name| form.get(name));
        values.map(move |value| value.eq_ignore_ascii_case(id))
    };
    let asked: Vec<bool> = named(names.client, ids.client.as_str())
        .chain(named(names.object, ids.object.as_str()))
        .chain(named(names.resource, RESOURCE_ID))
        .chain(
            names
                .foreign
                .iter()
                .filter_map(|name| form.get(name))
                .map(|_| false),
        )
        .collect();
    let assigned = state.control.assigned();
    let found = match asked[..] {
        [] => matches!(assigned, Both | System) || (alone && assigned == User),
        [known] => known && matches!(assigned, Both | User),
        // At most one may be given.
        _ => false,
    };
    if found {
        Ok(())
    } else {
        Err(Problem::IdentityNotFound)
    }
}
