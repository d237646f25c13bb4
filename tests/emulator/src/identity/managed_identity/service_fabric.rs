//! Service Fabric, where the application's manifest says which identity it has.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};

use super::{
    AssignedIdentities, Problem, Shape, answer,
    request::{check_secret, check_version, query, resource},
};
use crate::identity::IdentityState;

pub(super) async fn token(
    State(state): State<Arc<IdentityState>>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    answer(&state, Shape::ServiceFabric, || {
        check_secret(&state, &headers, "secret")?;
        let form = query(raw);
        check_version(&form, "2019-07-01-preview")?;
        let resource = resource(&form)?;
        if state.control.assigned() == AssignedIdentities::None {
            return Err(Problem::IdentityNotFound);
        }
        Ok(resource)
    })
    .await
}
