//! One question to one sentinel.

use std::collections::HashMap;
use std::time::Duration;

use super::redis;
use super::redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, ErrorKind, RedisError, RedisResult,
};
use redis_authx::{ReauthErrorKind, Token};

use super::{SentinelLogin, error};

/// How long a sentinel may take to accept the connection, and to answer. It has
/// next to nothing to do.
pub(crate) const LIMIT: Duration = Duration::from_secs(2);

/// A host and a port.
pub(crate) type Address = (String, u16);

/// The address of the master (Redis documentation, "Guidelines for Redis clients
/// with support for Redis Sentinel", step 2).
pub(crate) async fn master(
    sentinel: &ConnectionInfo,
    login: &SentinelLogin,
    token: &Token,
    service: &str,
) -> RedisResult<Vec<Address>> {
    let mut connection = connect(sentinel, login, token).await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("GET-MASTER-ADDR-BY-NAME").arg(service);
    let answer: Option<Address> = question.query_async(&mut connection).await?;
    answer.map_or_else(|| Err(unknown(service)), |address| Ok(vec![address]))
}

/// Those of the replicas that are well, in random order.
pub(crate) async fn replicas(
    sentinel: &ConnectionInfo,
    login: &SentinelLogin,
    token: &Token,
    service: &str,
) -> RedisResult<Vec<Address>> {
    let mut connection = connect(sentinel, login, token).await?;
    let mut question = redis::cmd("SENTINEL");
    question.arg("REPLICAS").arg(service);
    let answer: RedisResult<Vec<HashMap<String, String>>> =
        question.query_async(&mut connection).await;
    let answer = answer.map_err(|error| match error.detail() {
        Some(text) if text.contains("No such master") => unknown(service),
        _ => error,
    })?;
    let mut addresses: Vec<_> = answer.iter().filter_map(well).collect();
    if addresses.is_empty() {
        let text = "the sentinels know of no replica that is well";
        let error = (
            ErrorKind::NoValidReplicasFoundBySentinel,
            text,
            service.to_owned(),
        );
        return Err(error.into());
    }
    fastrand::shuffle(&mut addresses);
    Ok(addresses)
}

pub(crate) fn client(
    sentinel: &ConnectionInfo,
    login: &SentinelLogin,
    token: &Token,
) -> RedisResult<Client> {
    Client::open(sentinel.clone().set_redis_settings(login.settings(token)))
}

async fn connect(
    sentinel: &ConnectionInfo,
    login: &SentinelLogin,
    token: &Token,
) -> RedisResult<redis::aio::MultiplexedConnection> {
    let config = AsyncConnectionConfig::new()
        .set_connection_timeout(Some(LIMIT))
        .set_response_timeout(Some(LIMIT));
    let connected = client(sentinel, login, token)?
        .get_multiplexed_async_connection_with_config(&config)
        .await;
    connected.map_err(|error| match login {
        // No token's fault: asking for a fresh one would not help.
        SentinelLogin::Password { .. } if error::kind(&error) == ReauthErrorKind::Refused => {
            let text = "a sentinel refused the user name and password";
            (ErrorKind::InvalidClientConfig, text, error.to_string()).into()
        }
        _ => error,
    })
}

fn well(replica: &HashMap<String, String>) -> Option<Address> {
    let flags = replica.get("flags")?;
    let unwell = ["s_down", "o_down", "disconnected"];
    let is_unwell = flags.split(',').any(|flag| unwell.contains(&flag));
    let address = (
        replica.get("ip")?.clone(),
        replica.get("port")?.parse().ok()?,
    );
    (!is_unwell).then_some(address)
}

fn unknown(service: &str) -> RedisError {
    let text = "the sentinels know of no service of this name";
    let kind = ErrorKind::MasterNameNotFoundBySentinel;
    (kind, text, service.to_owned()).into()
}
