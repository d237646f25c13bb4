//! App Service, Functions and Container Apps.

use std::sync::Arc;

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::Response,
};

use super::{
    Shape, answer,
    request::{IdNames, check_identity, check_secret, check_version, query, resource},
};
use crate::identity::IdentityState;

const IDS: IdNames = IdNames {
    client: &["client_id"],
    object: &["principal_id", "object_id"],
    resource: &["mi_res_id"],
    foreign: &["msi_res_id", "clientid"],
};

pub(super) async fn token(
    State(state): State<Arc<IdentityState>>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    answer(&state, Shape::AppService, || {
        check_secret(&state, &headers, "x-identity-header")?;
        let form = query(raw);
        check_version(&form, "2019-08-01")?;
        let resource = resource(&form)?;
        check_identity(&state, &form, &IDS, false)?;
        Ok(resource)
    })
    .await
}
