//! The endpoints of managed identities, a file a source. They are on listeners of their own: one by
//! plain HTTP for all but Service Fabric's.

mod app_service;
mod arc;
mod cloud_shell;
mod imds;
mod key_files;
mod machine_learning;
mod problem;
mod reply;
mod request;
mod service_fabric;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    response::Response,
    routing::{get, post},
};

use self::{key_files::KeyFiles, problem::Problem, reply::Shape};
use super::{IdentityState, LARGEST_REQUEST, turn::Turn};
use crate::{EmulatorError, random};

/// Of IMDS, of Service Fabric on its own listener, and of Azure Arc's agent below a prefix.
pub(crate) const IMDS_PATH: &str = "/metadata/identity/oauth2/token";
pub(crate) const APP_SERVICE_PATH: &str = "/msi/token";
pub(crate) const ARC_PREFIX: &str = "/arc";
pub(crate) const CLOUD_SHELL_PATH: &str = "/cloud-shell/oauth2/token";
pub(crate) const MACHINE_LEARNING_PATH: &str = "/machine-learning/msi/token";

/// The resource id of the user-assigned identity.
pub(crate) const RESOURCE_ID: &str = "/subscriptions/44444444-4444-4444-8444-444444444444/\
     resourceGroups/emulator/providers/Microsoft.ManagedIdentity/userAssignedIdentities/emulator";

/// Which managed identities are assigned to the machine or application.
///
/// All are the same principal, the emulator's
/// [`object_id`](crate::Emulator::object_id): it is the one Redis user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssignedIdentities {
    /// The system-assigned and the user-assigned.
    #[default]
    Both,
    /// None: every request is told that there is no such identity.
    None,
    /// Only the system-assigned.
    System,
    /// Only the user-assigned. A virtual machine then gives it to those too
    /// who name none.
    User,
}

/// What the endpoints keep.
pub(crate) struct ManagedIdentities {
    /// `IDENTITY_HEADER` and `MSI_SECRET`.
    pub(crate) secret: String,
    pub(crate) keys: KeyFiles,
}

impl ManagedIdentities {
    pub(crate) fn new() -> Result<Self, EmulatorError> {
        Ok(Self {
            secret: random::secret()?,
            keys: KeyFiles::new(),
        })
    }

    /// Removes what is on disk.
    pub(crate) fn end(&self) {
        self.keys.remove();
    }
}

/// All sources but Service Fabric.
pub(crate) fn routes(state: Arc<IdentityState>) -> Router {
    Router::new()
        .route(IMDS_PATH, get(imds::token).fallback(imds::wrong_method))
        .route(APP_SERVICE_PATH, get(app_service::token))
        .route(&format!("{ARC_PREFIX}{IMDS_PATH}"), get(arc::token))
        .route(CLOUD_SHELL_PATH, post(cloud_shell::token))
        .route(MACHINE_LEARNING_PATH, get(machine_learning::token))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(state)
}

pub(crate) fn service_fabric_routes(state: Arc<IdentityState>) -> Router {
    Router::new()
        .route(IMDS_PATH, get(service_fabric::token))
        .with_state(state)
}

/// Counts a request, lets it meet the fault that is set, and answers it with a
/// token for the resource that `judge` finds it may have.
async fn answer(
    state: &IdentityState,
    shape: Shape,
    judge: impl FnOnce() -> Result<String, Problem> + Send,
) -> Response {
    let refuse = |refusal| shape.refuse(&Problem::from(&refusal));
    let turn = match Turn::take(&state.control, refuse).await {
        Ok(turn) => turn,
        Err(answer) => return answer,
    };
    let resource = match judge() {
        Ok(resource) => resource,
        Err(problem) => return shape.refuse(&problem),
    };
    turn.mint(&state.issuer, &resource, None)
        .and_then(|minted| shape.reply(state, &minted, &resource, turn.padding()))
        .unwrap_or_else(|| shape.refuse(&Problem::Status(StatusCode::INTERNAL_SERVER_ERROR)))
}
