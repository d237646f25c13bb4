//! A virtual machine's instance metadata service.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::{HeaderMap, StatusCode},
    response::Response,
};

use super::{
    Problem, Shape, answer,
    request::{IdNames, check_identity, check_metadata, check_version, query, resource},
};
use crate::identity::IdentityState;

const IDS: IdNames = IdNames {
    client: &["client_id"],
    object: &["object_id"],
    resource: &["msi_res_id", "mi_res_id"],
    foreign: &["principal_id", "clientid"],
};

/// A request without the header is answered and not counted: libraries send
/// one to see if anybody is there.
pub(super) async fn token(
    State(state): State<Arc<IdentityState>>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    if let Err(problem) = check_metadata(&headers) {
        return Shape::Imds.refuse(&problem);
    }
    answer(&state, Shape::Imds, || {
        let form = query(raw);
        check_version(&form, "2018-02-01")?;
        let resource = resource(&form)?;
        check_identity(&state, &form, &IDS, true)?;
        Ok(resource)
    })
    .await
}

pub(super) async fn wrong_method() -> Response {
    Shape::Imds.refuse(&Problem::Status(StatusCode::METHOD_NOT_ALLOWED))
}
