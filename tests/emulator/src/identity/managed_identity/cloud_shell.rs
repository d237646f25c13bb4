//! Cloud Shell: a form, and one identity.

use std::sync::Arc;

use axum::{body::Bytes, extract::State, http::HeaderMap, response::Response};

use super::{
    Shape, answer,
    request::{check_metadata, resource},
};
use crate::identity::{IdentityState, form::Form};

pub(super) async fn token(
    State(state): State<Arc<IdentityState>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    answer(&state, Shape::Imds, || {
        check_metadata(&headers)?;
        resource(&Form::read(&HeaderMap::new(), &body))
    })
    .await
}
