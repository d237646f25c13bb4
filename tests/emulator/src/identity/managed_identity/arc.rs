//! The agent of Azure Arc: it wants to see that the client may read a file.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Problem, Shape, answer,
    request::{IdNames, check_identity, check_metadata, check_version, query, resource},
};
use crate::identity::IdentityState;

/// A server has one identity. Other ids are passed over, as they are there.
const IDS: IdNames = IdNames {
    client: &[],
    object: &[],
    resource: &[],
    foreign: &[],
};

/// The first of the two requests is answered and not counted: it asks for no
/// token yet.
pub(super) async fn token(
    State(state): State<Arc<IdentityState>>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    if let Err(problem) = check_metadata(&headers) {
        return Shape::Imds.refuse(&problem);
    }
    let key = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok()?.strip_prefix("Basic "));
    if !key.is_some_and(|key| state.managed.keys.accept(key)) {
        return challenge(&state);
    }
    answer(&state, Shape::Imds, || {
        let form = query(raw);
        check_version(&form, "2019-11-01")?;
        let resource = resource(&form)?;
        check_identity(&state, &form, &IDS, false)?;
        Ok(resource)
    })
    .await
}

fn challenge(state: &IdentityState) -> Response {
    let Ok(path) = state.managed.keys.issue() else {
        return Shape::Imds.refuse(&Problem::Status(StatusCode::INTERNAL_SERVER_ERROR));
    };
    let realm = format!("Basic realm={}", path.display());
    (
        StatusCode::UNAUTHORIZED,
        [(header::WWW_AUTHENTICATE, realm)],
    )
        .into_response()
}
