//! The manual: why things are as they are. For reading only.

/// What happens from the first failed request to the end of an outage.
#[doc = include_str!("manual/outages.md")]
pub mod outages {}

/// The defaults, and the reasons for them.
#[doc = include_str!("manual/defaults.md")]
pub mod defaults {}

/// How to write an identity provider, a runtime adapter and a client adapter.
#[doc = include_str!("manual/extending.md")]
pub mod extending {}
