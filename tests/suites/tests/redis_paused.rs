//! Commands that `CLIENT PAUSE` holds back on a connection that is replaced
//! meanwhile: each is executed once, and its reply is its own.

use std::time::{Duration, Instant};

use redis::{AsyncCommands, AsyncConnectionConfig, RedisResult, cmd, pipe};
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_suites::{Bed, PATIENCE, Server, allow, patient};
use tokio::task::JoinHandle;
use tokio::time::timeout;

redis_authx_suites::on_every_server!(
    a_block_that_is_held_back_takes_nothing_for_nobody,
    nor_without_the_right_to_publish,
    one_that_may_not_be_ended_keeps_its_place,
    what_is_held_back_before_a_block_is_answered,
);

async fn bed(server: &Server) -> Bed {
    server.bed().brisk().start().await
}

/// One that nothing replaces.
#[allow(clippy::unwrap_used)] // part of every test
async fn unhurried(bed: &Bed) -> AuthConnection {
    let client = AuthClient::open(bed.emulator.redis_url(), bed.manager.credentials()).unwrap();
    client.multiplexed_with_config(patient()).await.unwrap()
}

/// Holds back all that writes, until [`go_on`].
#[allow(clippy::unwrap_used)] // part of every test
async fn pause(other: &mut AuthConnection) {
    let mut pause = cmd("CLIENT");
    pause.arg("PAUSE").arg(600_000).arg("WRITE");
    pause.exec_async(other).await.unwrap();
}

#[allow(clippy::unwrap_used)] // part of every test
async fn go_on(other: &mut AuthConnection) {
    let mut unpause = cmd("CLIENT");
    unpause.arg("UNPAUSE").exec_async(other).await.unwrap();
}

/// Waits until the server's list of its clients is as wanted.
#[allow(clippy::unwrap_used)] // part of every test
async fn listed(other: &mut AuthConnection, wanted: impl Fn(&[Listed]) -> bool) {
    let start = Instant::now();
    loop {
        let mut list = cmd("CLIENT");
        let list: String = list.arg("LIST").query_async(other).await.unwrap();
        let clients: Vec<_> = list.lines().map(Listed::read).collect();
        if wanted(&clients) {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "not as wanted: {list}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// A client of the server.
struct Listed {
    /// Its latest command.
    command: String,
    /// That one blocks it, or is held back.
    is_blocked: bool,
    /// Inside a transaction.
    in_multi: bool,
    /// The bytes of the commands behind that.
    waiting: usize,
}

impl Listed {
    fn read(line: &str) -> Self {
        let field = |name: &str| {
            let mut fields = line.split(' ').filter_map(|field| field.split_once('='));
            let found = fields.find(|(found, _)| *found == name);
            found.expect("a field of CLIENT LIST").1
        };
        Self {
            command: field("cmd").to_owned(),
            is_blocked: field("flags").contains('b'),
            in_multi: field("flags").contains('x'),
            waiting: field("qbuf").parse().expect("a number"),
        }
    }

    fn is_blocked_by(&self, command: &str) -> bool {
        self.is_blocked && self.command == command
    }
}

async fn blocked_by(other: &mut AuthConnection, command: &str) {
    let is_one = |client: &Listed| client.is_blocked_by(command);
    listed(other, |clients| clients.iter().any(is_one)).await;
}

/// Waits until what would end the command has been sent: it is held back itself,
/// or has done so.
async fn asked_to_end(other: &mut AuthConnection, command: &str) {
    listed(other, |clients| {
        let mut blocked = clients.iter().filter(|client| client.is_blocked);
        blocked.clone().any(|client| client.in_multi)
            || !blocked.any(|client| client.command == command)
    })
    .await;
}

/// Has every connection replaced that can't take an `AUTH`: one.
async fn replaced(bed: &Bed) {
    let before = bed.replacements();
    bed.turn().await;
    bed.until("it is replaced", |bed| bed.replacements() > before)
        .await;
}

type Popped = JoinHandle<RedisResult<(String, u64)>>;

fn pop(connection: &AuthConnection) -> Popped {
    let mut connection = connection.clone();
    tokio::spawn(async move { connection.blpop("jobs", 0.0).await })
}

#[allow(clippy::unwrap_used)] // part of every test
async fn popped(pop: Popped) -> u64 {
    let popped = timeout(PATIENCE, pop).await.expect("it is answered");
    popped.unwrap().unwrap().1
}

/// The consumer gets every element; all its connections but the last are closed.
#[allow(clippy::unwrap_used)] // part of every test
async fn takes_all(
    bed: &Bed,
    other: &mut AuthConnection,
    consumer: &AuthConnection,
    first: Popped,
) {
    let mut next = first;
    for job in 1..=20 {
        let _: u64 = other.rpush("jobs", job).await.unwrap();
        assert_eq!(popped(next).await, job);
        next = pop(consumer);
    }
    blocked_by(other, "blpop").await;
    bed.until("the old connection is closed", |bed| {
        bed.emulator.redis().connections() == 2
    })
    .await;
    next.abort();
}

/// A consumer whose command is held back, by a pause, on a connection that is
/// replaced meanwhile.
#[allow(clippy::unwrap_used)] // part of several tests
async fn held_back(bed: &Bed, other: &mut AuthConnection) -> (AuthConnection, Popped) {
    let mut consumer = bed.client.multiplexed_with_config(patient()).await.unwrap();
    pause(other).await;
    // This clone keeps a handle on its connection, for its next plain command.
    () = cmd("PING").exec_async(&mut consumer).await.unwrap();
    let clone = consumer.clone();
    let first = tokio::spawn(async move { consumer.blpop("jobs", 0.0).await });
    blocked_by(other, "blpop").await;
    replaced(bed).await;
    (clone, first)
}

async fn a_block_that_is_held_back_takes_nothing_for_nobody(server: Server) {
    let bed = bed(&server).await;
    let mut other = unhurried(&bed).await;
    let (consumer, first) = held_back(&bed, &mut other).await;
    asked_to_end(&mut other, "blpop").await;
    go_on(&mut other).await;
    takes_all(&bed, &mut other, &consumer, first).await;
}

async fn nor_without_the_right_to_publish(server: Server) {
    // Without either, what is left is the right to the command itself.
    for rights in [["-publish", "+eval"], ["-publish", "-eval"]] {
        let bed = bed(&server).await;
        let mut other = unhurried(&bed).await;
        allow(&mut other, &rights).await;
        let (consumer, first) = held_back(&bed, &mut other).await;
        asked_to_end(&mut other, "blpop").await;
        go_on(&mut other).await;
        takes_all(&bed, &mut other, &consumer, first).await;
    }
}

/// Where the server permits nothing of that, it stays where it is and is
/// answered there.
#[allow(clippy::unwrap_used)]
async fn one_that_may_not_be_ended_keeps_its_place(server: Server) {
    let bed = bed(&server).await;
    let mut other = unhurried(&bed).await;
    allow(&mut other, &["-multi"]).await;
    let (consumer, first) = held_back(&bed, &mut other).await;
    timeout(PATIENCE, async {
        loop {
            let mut info = cmd("INFO");
            let info: String = info
                .arg("commandstats")
                .query_async(&mut other)
                .await
                .unwrap();
            let mut lines = info.lines();
            let multi = lines.find(|line| line.starts_with("cmdstat_multi:"));
            // With a message, a script and the command itself.
            if multi.is_some_and(|line| line.contains("rejected_calls=3,")) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    })
    .await
    .expect("all is tried");
    go_on(&mut other).await;
    takes_all(&bed, &mut other, &consumer, first).await;
}

/// A `SET`, a `GET` and a `BLPOP` on one connection: an error in the place of the
/// reply to the first would leave its own to the second.
#[allow(clippy::unwrap_used)]
async fn what_is_held_back_before_a_block_is_answered(server: Server) {
    let bed = bed(&server).await;
    let mut other = unhurried(&bed).await;
    () = other.set("theirs", "theirs").await.unwrap();
    let _: u64 = other.rpush("jobs", 0).await.unwrap();
    let connection = bed.client.multiplexed_with_config(patient()).await.unwrap();
    assert_eq!(popped(pop(&connection)).await, 0);
    pause(&mut other).await;
    let set = {
        let mut connection = connection.clone();
        tokio::spawn(async move { connection.set::<_, _, String>("mine", "mine").await })
    };
    blocked_by(&mut other, "set").await;
    let get = {
        let mut connection = connection.clone();
        tokio::spawn(async move { connection.get::<_, String>("theirs").await })
    };
    let first = pop(&connection);
    // GET theirs, BLPOP jobs 0.
    let both_are_sent = |client: &Listed| client.is_blocked_by("set") && client.waiting >= 25 + 32;
    listed(&mut other, |clients| clients.iter().any(both_are_sent)).await;
    replaced(&bed).await;
    asked_to_end(&mut other, "set").await;
    go_on(&mut other).await;
    let set = timeout(PATIENCE, set).await.unwrap().unwrap();
    let get = timeout(PATIENCE, get).await.unwrap().unwrap();
    assert_eq!((set, get), (Ok("OK".into()), Ok("theirs".into())));
    assert_eq!(other.get::<_, String>("mine").await.unwrap(), "mine");
    takes_all(&bed, &mut other, &connection, first).await;
}

/// redis-rs's own limit for a reply is half a second.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_is_waited_for_as_long_as_it_may_take() {
    let bed = Bed::builder().brisk().start().await;
    let mut other = unhurried(&bed).await;
    let config = AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE));
    let mut consumer = bed.client.multiplexed_with_config(config).await.unwrap();
    let none: Option<(String, u64)> = consumer.blpop("jobs", 2.0).await.unwrap();
    assert_eq!(none, None);
    let mut both = pipe();
    both.blpop("jobs", 1.0).blpop("jobs", 1.0);
    let none: [Option<(String, u64)>; 2] = both.query_async(&mut consumer).await.unwrap();
    assert_eq!(none, [None, None]);
    let first = pop(&consumer);
    // Two seconds of the server's.
    let none: Option<(String, u64)> = other.blpop("none", 2.0).await.unwrap();
    assert_eq!(none, None);
    let _: u64 = other.rpush("jobs", 7).await.unwrap();
    assert_eq!(popped(first).await, 7);
}
