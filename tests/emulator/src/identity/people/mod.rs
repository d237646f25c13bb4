//! People who sign in: the pages they see, and what their applications hold for them.

pub(super) mod authorize;
mod control;
pub(super) mod device;
mod page;
mod refusals;
mod registration;
mod request;
mod scopes;
mod store;
mod user;

pub use self::control::{SignInAnswer, SignInControl};
pub(crate) use self::registration::Registration;
pub(super) use self::{
    authorize::client_info,
    request::Challenge,
    scopes::Scopes,
    store::{Code, Device, DeviceState, Refresh, Store},
    user::User,
};

/// Everything about people.
#[derive(Default)]
pub(crate) struct People {
    pub(crate) registration: Registration,
    pub(crate) control: SignInControl,
}
