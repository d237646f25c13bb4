use std::fmt;
use std::sync::Arc;

use fred::clients::{Client, ExclusivePool, Pool};
use fred::error::Error;
use fred::types::Builder;
use fred::types::config::ReconnectPolicy;
use redis_authx::Credentials;

use super::error;
use super::renewal::Renewal;
use super::served::Served;

/// The shortest and the longest wait between two tries to reconnect, in ms, and
/// what the next wait is longer by, where the application has not said.
const RECONNECT: (u32, u32, u32) = (100, 5000, 2);

/// Makes fred's [`Builder`] one whose clients stay logged in.
pub trait BuilderExt {
    /// Has the clients log in with the tokens of one manager, and renewed for as
    /// long as each of them lives, with the defaults of a [`Renewal`].
    ///
    /// The `AUTH`s of one renewal are spread over time; those of several know
    /// nothing of each other. A program with many builders makes one [`Renewal`]
    /// for all of them, and calls [`renewal`](Self::renewal).
    fn credentials(self, credentials: Credentials) -> AuthBuilder;

    /// The same with settings, and with a status of every connection.
    fn renewal(self, renewal: &Renewal) -> AuthBuilder;
}

impl BuilderExt for Builder {
    fn credentials(self, credentials: Credentials) -> AuthBuilder {
        AuthBuilder {
            builder: self,
            renewal: Source::Credentials(credentials),
        }
    }

    fn renewal(self, renewal: &Renewal) -> AuthBuilder {
        AuthBuilder {
            builder: self,
            renewal: Source::Renewal(renewal.clone()),
        }
    }
}

/// fred's [`Builder`], with credentials: builds fred's own clients, and a
/// subscriber of ours. Made by [`BuilderExt`].
///
/// A builder without a reconnect policy is given one that tries for ever, every
/// 100 ms to 5 s: without one, fred ends a client at the first lost connection.
///
/// # Errors
/// Every method gives fred's error of kind
/// [`Config`](fred::error::ErrorKind::Config) for a configuration that is
/// missing, that has a user name or password, or that would have tokens sent in
/// clear text; and where no runtime is known, as for a [`Renewal`].
///
/// # Panics
/// Every method panics outside a tokio runtime.
#[must_use = "a builder does nothing until it is built"]
pub struct AuthBuilder {
    pub(crate) builder: Builder,
    renewal: Source,
}

enum Source {
    Credentials(Credentials),
    Renewal(Renewal),
}

impl AuthBuilder {
    /// A client, not yet connected.
    ///
    /// # Errors
    /// See [the type](Self#errors).
    pub fn build(&self) -> Result<Client, Error> {
        Self::one(&self.builder, &self.renewal()?)
    }

    /// A pool of clients, not yet connected.
    ///
    /// # Errors
    /// See [the type](Self#errors); a size of 0 as well.
    pub fn build_pool(&self, size: usize) -> Result<Pool, Error> {
        let renewal = self.renewal()?;
        let clients = (0..size).map(|_| Self::one(&self.builder, &renewal));
        Pool::from_clients(clients.collect::<Result<_, _>>()?)
    }

    /// A pool of clients that are lent out one by one, not yet connected.
    ///
    /// # Errors
    /// See [the type](Self#errors); a size of 0 as well.
    pub fn build_exclusive_pool(&self, size: usize) -> Result<ExclusivePool, Error> {
        let renewal = self.renewal()?;
        let pool = prepare(&self.builder, &renewal, None)?.build_exclusive_pool(size)?;
        for client in pool.clients() {
            // Nobody else has them yet.
            if let Ok(client) = client.try_lock() {
                renewal
                    .attach(&client)
                    .map_err(|error| error::config(&error))?;
            }
        }
        Ok(pool)
    }

    /// fred's own subscriber, not yet connected. Feature `subscriber-client`.
    ///
    /// Over RESP2 it is reconnected before its token expires, and what is
    /// published in these milliseconds is lost: see
    /// [`build_subscriber`](Self::build_subscriber) for one that loses nothing.
    ///
    /// # Errors
    /// See [the type](Self#errors).
    #[cfg(feature = "subscriber-client")]
    pub fn build_subscriber_client(&self) -> Result<fred::clients::SubscriberClient, Error> {
        let (renewal, served) = (self.renewal()?, Arc::new(Served::default()));
        let builder = prepare(&self.builder, &renewal, Some(&served))?;
        let client = builder.build_subscriber_client()?;
        let followed = renewal.follow(&client.to_client(), Some(served));
        followed.map_err(|error| error::config(&error))?;
        Ok(client)
    }

    fn one(builder: &Builder, renewal: &Renewal) -> Result<Client, Error> {
        let served = Arc::new(Served::default());
        let client = prepare(builder, renewal, Some(&served))?.build()?;
        let followed = renewal.follow(&client, Some(served));
        followed.map_err(|error| error::config(&error))?;
        Ok(client)
    }

    pub(crate) fn renewal(&self) -> Result<Renewal, Error> {
        match &self.renewal {
            Source::Renewal(renewal) => Ok(renewal.clone()),
            Source::Credentials(credentials) => {
                Renewal::new(credentials.clone()).map_err(|error| error::config(&error))
            }
        }
    }
}

/// The builder with our provider in its configuration.
pub(crate) fn prepare(
    builder: &Builder,
    renewal: &Renewal,
    served: Option<&Arc<Served>>,
) -> Result<Builder, Error> {
    let mut builder = builder.clone();
    if let Some(config) = builder.get_config() {
        let mut config = config.clone();
        let served = served.map(Arc::clone);
        renewal
            .provide_for(&mut config, builder.get_connection_config(), served)
            .map_err(|error| error::config(&error))?;
        builder.set_config(config);
    }
    if builder.get_policy().is_none() {
        let (shortest, longest, base) = RECONNECT;
        builder.set_policy(ReconnectPolicy::new_exponential(0, shortest, longest, base));
    }
    Ok(builder)
}

impl fmt::Debug for AuthBuilder {
    /// Without fred's builder, whose configuration may hold a password until it
    /// is refused.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthBuilder").finish_non_exhaustive()
    }
}
