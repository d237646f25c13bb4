//! Azure Machine Learning, which speaks the first protocol of App Service.

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
    client: &["clientid"],
    object: &[],
    resource: &[],
    foreign: &[
        "client_id",
        "principal_id",
        "object_id",
        "mi_res_id",
        "msi_res_id",
    ],
};

pub(super) async fn token(
    State(state): State<Arc<IdentityState>>,
    headers: HeaderMap,
    RawQuery(raw): RawQuery,
) -> Response {
    answer(&state, Shape::AppService, || {
        check_secret(&state, &headers, "secret")?;
        let form = query(raw);
        check_version(&form, "2017-09-01")?;
        let resource = resource(&form)?;
        check_identity(&state, &form, &IDS, false)?;
        Ok(resource)
    })
    .await
}
