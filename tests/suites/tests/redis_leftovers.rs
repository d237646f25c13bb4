//! What is left when client and connections are dropped: nothing.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::FutureExt;
use redis::aio::ConnectionLike;
use redis::io::AsyncDNSResolver;
use redis::{AsyncCommands, AsyncConnectionConfig, RedisFuture, RedisResult, Value, cmd, pipe};
use redis_authx::ReauthPolicy;
use redis_authx_redis::{AuthClient, AuthConnection};
use redis_authx_suites::{Bed, KEY, PATIENCE, patient};
use redis_authx_tokio::OnTokio;
use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Where `localhost` is, for now.
#[derive(Clone)]
struct Signpost(Arc<Mutex<SocketAddr>>);

impl Signpost {
    fn to(address: SocketAddr) -> Self {
        Self(Arc::new(Mutex::new(address)))
    }

    fn turn_to(&self, address: SocketAddr) {
        *self.0.lock().expect("no panic") = address;
    }

    /// Connections that follow it, with all the time in the world.
    fn config(&self) -> AsyncConnectionConfig {
        patient()
            .set_connection_timeout(None)
            .set_dns_resolver(self.clone())
    }
}

impl AsyncDNSResolver for Signpost {
    fn resolve<'a, 'b: 'a>(
        &'a self,
        _host: &'b str,
        _port: u16,
    ) -> RedisFuture<'a, Box<dyn Iterator<Item = SocketAddr> + Send + 'a>> {
        let address = *self.0.lock().expect("no panic");
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as _) })
    }
}

/// A server that takes one connection and never answers.
struct Tarpit {
    address: SocketAddr,
    /// Done once a log-in has come.
    caught: oneshot::Receiver<()>,
    /// Done once the client has closed it.
    released: JoinHandle<()>,
}

impl Tarpit {
    async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let (report, caught) = oneshot::channel();
        let released = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await.expect("a connection");
            let mut buffer = [0; 4096];
            assert!(socket.read(&mut buffer).await.expect("a log-in") > 0);
            report.send(()).expect("the test waits for it");
            while socket.read(&mut buffer).await.expect("it is closed") > 0 {}
        });
        Self {
            address,
            caught,
            released,
        }
    }
}

/// On a runtime of its own, whose tasks can be counted.
fn client(bed: &Bed, runtime: &Runtime) -> AuthClient {
    let patient = ReauthPolicy::builder()
        .replace_timeout(Duration::from_secs(3600))
        .build()
        .expect("a policy");
    AuthClient::builder("redis://localhost", bed.manager.credentials())
        .runtime(OnTokio::new(runtime.handle().clone()))
        .reauth_policy(patient)
        .build()
        .expect("a client")
}

fn runtime() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime")
}

#[allow(clippy::unwrap_used)] // the end of several tests
async fn assert_nothing_left(bed: &Bed, tarpit: Tarpit, runtime: Runtime) {
    let released = timeout(PATIENCE, tarpit.released).await;
    released.expect("it is closed").unwrap();
    bed.until("no task is left", |_| {
        runtime.metrics().num_alive_tasks() == 0
    })
    .await;
    bed.until("no socket is left", |bed| {
        bed.emulator.redis().connections() == 0
    })
    .await;
    assert_eq!(bed.manager.status().connections, 0);
    runtime.shutdown_background();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_replacement_under_way() {
    let bed = Bed::builder().start().await;
    let url = bed.emulator.redis_url();
    let address = url.trim_start_matches("redis://").trim_end_matches('/');
    let signpost = Signpost::to(address.parse().unwrap());
    let runtime = runtime();
    let client = client(&bed, &runtime);
    let (opener, config) = (client.clone(), signpost.config());
    let opened = runtime.spawn(async move { opener.multiplexed_with_config(config).await });
    let mut connection = opened.await.unwrap().unwrap();
    () = connection.set(KEY, 1).await.unwrap();

    let mut tarpit = Tarpit::open().await;
    signpost.turn_to(tarpit.address);
    bed.drop_connections().await;
    assert!(connection.get::<_, Option<u64>>(KEY).await.is_err());
    (&mut tarpit.caught).await.unwrap();
    drop((client, connection));
    assert_nothing_left(&bed, tarpit, runtime).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_an_opening_that_is_given_up() {
    let bed = Bed::builder().start().await;
    let runtime = runtime();
    let client = client(&bed, &runtime);
    let mut tarpit = Tarpit::open().await;
    let config = Signpost::to(tarpit.address).config();
    let opened = runtime.spawn(async move { client.multiplexed_with_config(config).await });
    (&mut tarpit.caught).await.unwrap();
    opened.abort();
    assert_nothing_left(&bed, tarpit, runtime).await;
}

/// Clones keep a handle on the connection between commands: not on one that was
/// replaced.
#[tokio::test] // one thread: nothing is answered during a poll
async fn a_clone_that_nobody_uses_keeps_no_replaced_socket_open() {
    let bed = Bed::builder().brisk().start().await;
    let mut clones = vec![bed.multiplexed().await; 3];
    for _ in 0..3 {
        for clone in &mut clones {
            for _ in 0..3 {
                () = clone.set(KEY, 1).await.unwrap();
            }
            // Dropped half-way.
            let outcome: Option<RedisResult<()>> = clone.set(KEY, 1).now_or_never();
            assert!(outcome.is_none());
        }
        bed.replace().await;
        bed.until("the old socket is closed", |bed| {
            bed.emulator.redis().connections() == 1
        })
        .await;
    }
}

/// What was on its way to one that is replaced before it is sent goes to the
/// other.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_held_back_is_not_sent_to_a_replaced_connection() {
    let bed = Bed::builder().brisk().start().await;
    let mut one = bed.multiplexed().await;
    let mut other = one.clone();
    for clone in [&mut one, &mut other] {
        () = clone.set(KEY, 7).await.unwrap();
    }
    let mut get = cmd("GET");
    get.arg(KEY);
    let mut gets = pipe();
    gets.get(KEY).get(KEY);
    let held_back = one.req_packed_command(&get);
    let all_held_back = other.req_packed_commands(&gets, 0, 2);
    bed.replace().await;
    bed.until("the old socket is closed", |bed| {
        bed.emulator.redis().connections() == 1
    })
    .await;
    let seven = Value::BulkString(b"7".to_vec());
    assert_eq!(held_back.await.unwrap(), seven);
    assert_eq!(all_held_back.await.unwrap(), vec![seven; 2]);
}

/// It is asked to close for a clone that nobody uses, but not before it has
/// answered.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_under_way_on_a_replaced_connection_is_answered() {
    let bed = Bed::builder().brisk().start().await;
    let mut unused = bed.multiplexed().await;
    () = unused.set(KEY, 0).await.unwrap();
    let mut expected = 0;
    // On a busy machine all may be sent on the new one.
    for _ in 0..10 {
        let sent = sent_while_replaced(&bed, &unused).await;
        let some_are_under_way = sent.iter().any(|one| !one.is_finished());
        expected += sent.len();
        for one in sent {
            one.await.unwrap().unwrap();
        }
        bed.until("the old socket is closed", |bed| {
            bed.emulator.redis().connections() == 1
        })
        .await;
        let count: usize = unused.get(KEY).await.unwrap();
        assert_eq!(count, expected);
        if some_are_under_way {
            return;
        }
    }
    panic!("none was under way");
}

/// Counts on clones until it is replaced, since it does not answer for longer
/// than it is left alone after that.
async fn sent_while_replaced(
    bed: &Bed,
    connection: &AuthConnection,
) -> Vec<JoinHandle<RedisResult<u64>>> {
    let target = bed.replacements() + 1;
    let stall = Duration::from_secs(3);
    bed.emulator.redis().delay_next_auths(1, stall);
    bed.manager.refresh();
    let begun = Instant::now();
    let mut sent = Vec::new();
    while bed.replacements() < target {
        assert!(begun.elapsed() < PATIENCE, "{:#?}", bed.events());
        let mut connection = connection.clone();
        let sending = async move { connection.incr(KEY, 1).await };
        sent.push(tokio::spawn(sending));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    sent
}
