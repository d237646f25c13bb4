//! Every kind of command that blocks, on connections that are replaced.

#![allow(clippy::unwrap_used)] // the cases are mounted as tests, not marked as such

use std::future::Future;
use std::time::Duration;

use redis::{AsyncCommands, FromRedisValue, RedisResult, cmd, pipe};
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_suites::{Bed, PATIENCE, Server, on_every_server, patient};
use tokio::task::JoinHandle;

on_every_server!(
    every_command_goes_on_where_its_connection_went,
    a_reader_from_now_on_misses_nothing,
    a_time_out_is_one_over_all_connections,
    a_wait_says_what_was_reached,
    a_block_that_nobody_waits_for_takes_nothing_after_a_replacement,
    a_pipeline_is_told_that_nothing_was_popped,
    a_block_that_may_not_be_ended_goes_on_where_it_is,
);
async fn unlimited(bed: &Bed) -> AuthConnection {
    let config = patient().set_response_timeout(None);
    bed.client.multiplexed_with_config(config).await.unwrap()
}

/// One that has time for its `AUTH`: the others are all that is replaced.
async fn unhurried(bed: &Bed) -> AuthConnection {
    let client = AuthClient::open(bed.emulator.redis_url(), bed.manager.credentials()).unwrap();
    client.multiplexed_with_config(patient()).await.unwrap()
}

/// Waits until so many connections have been replaced, and no more.
async fn replaced(bed: &Bed, count: usize) {
    bed.until("all are replaced", |bed| bed.replacements() >= count)
        .await;
    assert_eq!(bed.replacements(), count);
}

/// Of each stream the entries: an id and its fields.
type Streams = Vec<(String, Vec<(String, Vec<String>)>)>;

/// Adds one entry, and says its id.
async fn add(connection: &mut AuthConnection, stream: &str) -> String {
    let mut add = cmd("XADD");
    add.arg(stream).arg("*").arg("field").arg(1);
    add.query_async(connection).await.unwrap()
}

/// Sends a command on a connection of its own.
async fn sent<T: FromRedisValue + Send + 'static>(bed: &Bed, line: &str) -> Sent<T> {
    let connection = unlimited(bed).await;
    let mut words = line.split(' ');
    let mut command = cmd(words.next().unwrap());
    command.arg(words.collect::<Vec<_>>());
    let reply = {
        let mut connection = connection.clone();
        tokio::spawn(async move { command.query_async(&mut connection).await })
    };
    Sent { connection, reply }
}

struct Sent<T> {
    connection: AuthConnection,
    reply: JoinHandle<RedisResult<T>>,
}

impl<T> Sent<T> {
    async fn reply(self) -> T {
        in_time(self.reply).await.unwrap().unwrap()
    }
}

async fn in_time<T>(future: impl Future<Output = T>) -> T {
    let ended = tokio::time::timeout(PATIENCE, future).await;
    ended.expect("it is answered")
}

/// Waits until so many commands are blocked at the server.
async fn blocked(other: &mut AuthConnection, count: usize) {
    let line = format!("blocked_clients:{count}\r\n");
    in_time(async {
        loop {
            let info: String = cmd("INFO").arg("clients").query_async(other).await.unwrap();
            if info.contains(&line) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await;
}

async fn every_command_goes_on_where_its_connection_went(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut other = unhurried(&bed).await;
    let group = cmd("XGROUP")
        .arg("CREATE")
        .arg("s2")
        .arg("g")
        .arg("$")
        .arg("MKSTREAM")
        .clone();
    () = group.query_async(&mut other).await.unwrap();

    let blpop = sent::<(String, String)>(&bed, "BLPOP none l1 0").await;
    let brpop = sent::<(String, String)>(&bed, "brpop l2 3600").await;
    let blmove = sent::<String>(&bed, "BLMOVE l3 to LEFT LEFT 0").await;
    let brpoplpush = sent::<String>(&bed, "BRPOPLPUSH l4 to 0").await;
    let bzpopmin = sent::<(String, String, f64)>(&bed, "BZPOPMIN z1 0").await;
    let bzpopmax = sent::<(String, String, f64)>(&bed, "BZPOPMAX z2 0.0").await;
    let xread = sent::<Streams>(&bed, "XREAD BLOCK 0 STREAMS s1 $").await;
    let line = "XREADGROUP GROUP g c BLOCK 0 STREAMS s2 >";
    let xreadgroup = sent::<Streams>(&bed, line).await;
    // Redis 6 does not have these.
    let mut blmpop = None;
    let mut bzmpop = None;
    if server.is_7_or_later() {
        let line = "BLMPOP 0 2 none l5 LEFT";
        blmpop = Some(sent::<(String, Vec<String>)>(&bed, line).await);
        let line = "BZMPOP 0 1 z3 MIN";
        bzmpop = Some(sent::<(String, Vec<(String, f64)>)>(&bed, line).await);
    }
    let mut connections: Vec<_> = [
        &blpop.connection,
        &brpop.connection,
        &blmove.connection,
        &brpoplpush.connection,
        &bzpopmin.connection,
        &bzpopmax.connection,
        &xread.connection,
        &xreadgroup.connection,
    ]
    .into_iter()
    .cloned()
    .collect();
    connections.extend(blmpop.iter().map(|sent| sent.connection.clone()));
    connections.extend(bzmpop.iter().map(|sent| sent.connection.clone()));
    let count = connections.len();
    blocked(&mut other, count).await;
    for round in 1..=2 {
        bed.turn().await;
        bed.settled(&connections).await;
        replaced(&bed, count * round).await;
        // The connections that they left are closed: nothing blocks them.
        bed.until("theirs and the other are left", |bed| {
            bed.emulator.redis().connections() == count + 1
        })
        .await;
        blocked(&mut other, count).await;
    }

    for list in 1..=5 {
        let _: u64 = other
            .rpush(format!("l{list}"), format!("e{list}"))
            .await
            .unwrap();
    }
    for set in 1..=3 {
        let _: u64 = other.zadd(format!("z{set}"), "m", set).await.unwrap();
    }
    let ids = [add(&mut other, "s1").await, add(&mut other, "s2").await];
    let pair = |one: &str, two: &str| (one.to_owned(), two.to_owned());
    assert_eq!(blpop.reply().await, pair("l1", "e1"));
    assert_eq!(brpop.reply().await, pair("l2", "e2"));
    assert_eq!(blmove.reply().await, "e3");
    assert_eq!(brpoplpush.reply().await, "e4");
    if let Some(blmpop) = blmpop {
        let popped = ("l5".to_owned(), vec!["e5".to_owned()]);
        assert_eq!(blmpop.reply().await, popped);
    }
    assert_eq!(
        bzpopmin.reply().await,
        ("z1".to_owned(), "m".to_owned(), 1.0)
    );
    assert_eq!(
        bzpopmax.reply().await,
        ("z2".to_owned(), "m".to_owned(), 2.0)
    );
    if let Some(bzmpop) = bzmpop {
        let popped = ("z3".to_owned(), vec![("m".to_owned(), 3.0)]);
        assert_eq!(bzmpop.reply().await, popped);
    }
    for (reader, id) in [(xread, &ids[0]), (xreadgroup, &ids[1])] {
        let read = reader.reply().await;
        assert_eq!(read[0].1[0].0, *id);
    }
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

/// What is added while its reader is between two connections is not missed,
/// although it asked for what comes from now on.
async fn a_reader_from_now_on_misses_nothing(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut other = bed.multiplexed().await;
    let reader = unlimited(&bed).await;
    for round in 0..40 {
        let mut connection = reader.clone();
        let read = tokio::spawn(async move {
            let mut read = cmd("XREAD");
            read.arg("BLOCK").arg(0).arg("STREAMS");
            read.arg(&["empty", "s", "$", "$"]);
            read.query_async::<Streams>(&mut connection).await
        });
        blocked(&mut other, 1).await;
        let replaced = bed.replacements();
        bed.turn().await;
        if round % 2 == 0 {
            bed.until("it is replaced", |bed| bed.replacements() > replaced)
                .await;
        }
        let id = add(&mut other, "s").await;
        let read = in_time(read).await.unwrap().unwrap();
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].1[0].0, id);
    }
    assert!(bed.replacements() >= 20, "{}", bed.replacements());
}

/// One replacement does not begin its time anew.
async fn a_time_out_is_one_over_all_connections(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut other = bed.multiplexed().await;
    let blpop = sent::<Option<(String, String)>>(&bed, "BLPOP none 4").await;
    let xread = sent::<Option<Streams>>(&bed, "XREAD BLOCK 4000 STREAMS none $").await;
    blocked(&mut other, 2).await;
    let connections = [blpop.connection.clone(), xread.connection.clone()];
    let mut rounds = 0;
    // Each would begin it anew: it would never end.
    while !(blpop.reply.is_finished() && xread.reply.is_finished()) {
        bed.turn().await;
        bed.settled(&connections).await;
        rounds += 1;
        assert!(rounds < 10_000, "it does not end");
    }
    assert!(blpop.reply().await.is_none());
    assert!(xread.reply().await.is_none());
    assert!(bed.replacements() >= 2, "{}", bed.replacements());
}

/// `WAIT` is about the writes of its own connection: it says what they have
/// reached, and does not ask again on another.
async fn a_wait_says_what_was_reached(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut other = unhurried(&bed).await;
    let mut connection = unlimited(&bed).await;
    () = connection.set("key", 1).await.unwrap();
    let wait = {
        let mut connection = connection.clone();
        let mut wait = cmd("WAIT");
        wait.arg(1).arg(0);
        tokio::spawn(async move { wait.query_async::<u64>(&mut connection).await })
    };
    blocked(&mut other, 1).await;
    bed.turn().await;
    assert_eq!(
        in_time(wait).await.unwrap().unwrap(),
        0,
        "there is no replica"
    );
    replaced(&bed, 1).await;
}

/// The application has given up; the server doesn't know, until the connection
/// is replaced.
async fn a_block_that_nobody_waits_for_takes_nothing_after_a_replacement(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut other = bed.multiplexed().await;
    let blpop = sent::<(String, u64)>(&bed, "BLPOP queue 0").await;
    blocked(&mut other, 1).await;
    let connection = blpop.connection;
    blpop.reply.abort();
    assert!(blpop.reply.await.unwrap_err().is_cancelled());
    bed.turn().await;
    bed.settled(std::slice::from_ref(&connection)).await;
    blocked(&mut other, 0).await;
    let length: u64 = other.rpush("queue", 7).await.unwrap();
    assert_eq!(length, 1);
    assert_eq!(other.llen::<_, u64>("queue").await.unwrap(), 1);
    bed.until("two are left", |bed| {
        bed.emulator.redis().connections() == 2
    })
    .await;
}

/// One in a pipeline can't be sent again: those after it have been executed.
async fn a_pipeline_is_told_that_nothing_was_popped(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut other = bed.multiplexed().await;
    let connection = unlimited(&bed).await;
    let piece = {
        let mut connection = connection.clone();
        let mut pipeline = pipe();
        pipeline
            .set("before", 1)
            .cmd("BLPOP")
            .arg("queue")
            .arg(0)
            .set("after", 2);
        tokio::spawn(async move { pipeline.query_async::<()>(&mut connection).await })
    };
    blocked(&mut other, 1).await;
    bed.turn().await;
    let error = in_time(piece).await.unwrap().unwrap_err();
    assert!(error.to_string().contains("UNBLOCKED"), "{error}");
    let done: (u64, u64) = other.mget(&["before", "after"]).await.unwrap();
    assert_eq!(done, (1, 2));
}

/// Where the server refuses to end it, it goes on where it is until its token
/// expires.
async fn a_block_that_may_not_be_ended_goes_on_where_it_is(server: Server) {
    let bed = server.bed().brisk().start().await;
    let mut other = unhurried(&bed).await;
    let me: String = cmd("ACL")
        .arg("WHOAMI")
        .query_async(&mut other)
        .await
        .unwrap();
    let mut less = cmd("ACL");
    // Redis 6 can't take away a subcommand.
    less.arg("SETUSER").arg(me).arg(&["-client", "+client|id"]);
    () = less.query_async(&mut other).await.unwrap();
    let blpop = sent::<(String, u64)>(&bed, "BLPOP queue 0").await;
    blocked(&mut other, 1).await;
    bed.turn().await;
    bed.settled(std::slice::from_ref(&blpop.connection)).await;
    replaced(&bed, 1).await;
    blocked(&mut other, 1).await;
    let _: u64 = other.rpush("queue", 7).await.unwrap();
    assert_eq!(blpop.reply().await, ("queue".to_owned(), 7));
}
