//! A master, its replicas and its sentinels come together, and when they are of one mind (Redis
//! documentation, "High availability with Redis Sentinel").

use std::{collections::HashMap, io};

use crate::{
    EmulatorError,
    server::{
        attempts::Attempts,
        child::{Launch, RedisServer},
    },
};

/// What the sentinels call the master.
pub(crate) const NAME: &str = "mymaster";
/// After how many milliseconds without an answer the master counts as dead: long enough for a busy
/// machine, short enough for a test.
const DOWN_AFTER: u32 = 3000;
/// After how many milliseconds a failover that gets nowhere is given up; the
/// next one is begun after twice that time.
const FAILOVER_TIMEOUT: u32 = 5000;

/// The master, which comes first, and its replicas.
pub(crate) async fn start_watched(
    mut launch: Launch,
    count: usize,
) -> Result<Vec<RedisServer>, EmulatorError> {
    let mut servers = vec![RedisServer::start(launch.clone()).await?];
    let master = servers[0].port();
    let replica_of = format!("replicaof 127.0.0.1 {master}\n");
    launch.settings.push_str(&replica_of);
    servers.extend(RedisServer::start_all(launch, count - 1).await?);
    let attempts = Attempts::at("the replicas' following their master");
    let all: Vec<_> = servers.iter().collect();
    while attempts.made(follow(&all, master).await).await?.is_none() {}
    Ok(servers)
}

/// Sentinels, once each knows all others and the replicas.
pub(crate) async fn start_watching(
    mut launch: Launch,
    count: usize,
    watched: &[&RedisServer],
) -> Result<Vec<RedisServer>, EmulatorError> {
    let port = watched[0].port();
    let password = watched[0].default_password().unwrap_or_default();
    launch.settings.push_str(&format!(
        "sentinel monitor {NAME} 127.0.0.1 {port} {}\nsentinel auth-pass {NAME} {password}\n\
         sentinel down-after-milliseconds {NAME} {DOWN_AFTER}\n\
         sentinel failover-timeout {NAME} {FAILOVER_TIMEOUT}\n",
        count / 2 + 1
    ));
    if let Some(password) = &launch.default_password {
        let line = format!("sentinel sentinel-pass {password}\n");
        launch.settings.push_str(&line);
    }
    let servers = RedisServer::start_all(launch, count).await?;
    let all: Vec<_> = servers.iter().collect();
    let attempts = Attempts::at("the sentinels' knowing each other");
    while attempts
        .made(acquainted(&all, watched.len() - 1).await)
        .await?
        .is_none()
    {}
    Ok(servers)
}

/// Has a sentinel lead a failover, if none is under way.
pub(crate) async fn begin_failover(sentinel: &RedisServer) -> io::Result<()> {
    let mut admin = sentinel.admin().await?;
    begun(admin.ask_all(&["SENTINEL", "FAILOVER", NAME]).await)
}

/// "INPROG Failover already in progress" is as good: the sentinel may have begun one by itself,
/// or be slow with the last one, which is then waited for.
fn begun(answer: io::Result<Vec<Vec<u8>>>) -> io::Result<()> {
    match answer {
        Err(error) if error.to_string().starts_with("INPROG ") => Ok(()),
        other => other.map(drop),
    }
}

/// What a sentinel knows of the master.
async fn known(sentinel: &RedisServer) -> io::Result<HashMap<String, String>> {
    let mut admin = sentinel.admin().await?;
    let told = admin.ask_all(&["SENTINEL", "MASTER", NAME]).await?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let pairs = told.chunks_exact(2);
    Ok(pairs.map(|pair| (text(&pair[0]), text(&pair[1]))).collect())
}

/// Whether each sentinel knows the others and so many replicas, and sees no ill.
async fn acquainted(sentinels: &[&RedisServer], replicas: usize) -> io::Result<Option<()>> {
    let others = sentinels.len() - 1;
    for sentinel in sentinels {
        let known = known(sentinel).await?;
        let is = |key: &str, value: &str| known.get(key).is_some_and(|known| known == value);
        if !is("num-other-sentinels", &others.to_string())
            || !is("num-slaves", &replicas.to_string())
            || !is("flags", "master")
        {
            return Ok(None);
        }
    }
    Ok(Some(()))
}

/// Whom these sentinels all call the master, by its own port.
///
/// Asked for the address alone, one that leads a failover names the new master
/// before it is done, but clients may go by the table, as redis-rs does.
pub(crate) async fn named(sentinels: &[&RedisServer]) -> io::Result<Option<u16>> {
    let mut common = None;
    for sentinel in sentinels {
        let known = known(sentinel).await?;
        let port = known.get("port").and_then(|port| port.parse().ok());
        if port.is_none() || common.is_some_and(|common| Some(common) != port) {
            return Ok(None);
        }
        common = port;
    }
    Ok(common)
}

/// Whether this server takes itself for a master.
pub(crate) async fn is_master(server: &RedisServer) -> io::Result<bool> {
    let role = server.admin().await?.ask_text(&["ROLE"]).await?;
    Ok(role == "master")
}

/// Whether the server at this port takes itself for the master, and all others
/// follow it.
pub(crate) async fn follow(servers: &[&RedisServer], master: u16) -> io::Result<Option<()>> {
    for server in servers {
        let role = server.admin().await?.ask_all(&["ROLE"]).await?;
        let word = |at: usize| role.get(at).map(Vec::as_slice).unwrap_or_default();
        let follows = word(0) == b"slave"
            && word(2) == master.to_string().as_bytes()
            && word(3) == b"connected";
        let well = if server.port() == master {
            word(0) == b"master"
        } else {
            follows
        };
        if !well {
            return Ok(None);
        }
    }
    Ok(Some(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failover_under_way_is_as_good_as_one_that_is_begun() {
        begun(Ok(vec![b"OK".to_vec()])).unwrap();
        begun(Err(io::Error::other("INPROG Failover already in progress"))).unwrap();
        begun(Err(io::Error::other(
            "NOGOODSLAVE No suitable replica to promote",
        )))
        .unwrap_err();
    }
}
