//! Nobody gets another's reply when a token is refused, though redis-server 7.2
//! and later may leave the reply to `AUTH` out
//! (<https://github.com/redis/redis/issues/15640>).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use fred::clients::{Client, Pool, SubscriberClient};
use fred::error::{Error, ErrorKind};
use fred::interfaces::{
    ClientLike, FredResult, KeysInterface, PubsubInterface, TransactionInterface,
};
use fred::types::config::Config;
use fred::types::{Builder, ClusterHash, CustomCommand, Value};
use redis_authx::{Event, ReauthErrorKind, ReauthPolicy};
use redis_authx_emulator::{Refusal, Store};
use redis_authx_fred::BuilderExt;
use redis_authx_suites::{BedBuilder, Published, Server, on_every_server};

use crate::cluster;
use crate::handovers::{END, collect, connected};
use crate::load::Load;
use crate::site::{Site, at_once, is_renewal};

on_every_server!(
    plain_commands,
    in_pipelines,
    in_transactions,
    in_a_pool,
    beside_messages,
    a_subscriber,
    whatever_the_refusal,
    revoked_meanwhile,
    revoked_meanwhile_in_a_cluster,
);

/// So many, each with a key of its own, keep replies pending all the time.
const TASKS: usize = 64;
const CHANNEL: &str = "news";

/// A second or so in which the server reads nothing: all that is sent meanwhile is
/// read at once, and answered at once.
const STALL: &str = "for i = 1, 40000000 do end return 'stalled'";

/// With tokens that change when a test says so.
fn bed(server: &Server) -> BedBuilder {
    let hour = Duration::from_secs(3600);
    server.bed().lifetime(hour)
}

/// A site whose connections are renewed at once.
async fn on(server: &Server, resp3: bool) -> Site {
    let policy = ReauthPolicy::builder().stagger(0.0);
    let site = Site::start(bed(server)).await.renewed_by(policy);
    if resp3 { site.resp3() } else { site }
}

const fn failed(kind: ReauthErrorKind) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::ReauthFailed { error, .. } if error.kind() == kind)
}

/// The key of each task, which holds itself.
fn key(task: usize) -> String {
    format!("own:{task}")
}

async fn fill(site: &Site, config: Config) {
    let client = site.with_a_password(config).await;
    for task in 0..TASKS {
        let key = key(task);
        () = client.set(&key, &key, None, None, false).await.unwrap();
    }
    client.quit().await.unwrap();
}

fn same(got: &[Value], key: &str) -> FredResult<()> {
    if got.iter().all(|got| got.as_str().as_deref() == Some(key)) {
        return Ok(());
    }
    let wrong = format!("WRONG: {key} got {got:?}");
    Err(Error::new(ErrorKind::Protocol, wrong))
}

fn plain<C>(client: &C) -> Load
where
    C: KeysInterface + Clone + Send + Sync + 'static,
{
    Load::of(TASKS, |task| {
        let (client, key) = (client.clone(), key(task));
        move || {
            let (client, key) = (client.clone(), key.clone());
            async move { same(&[client.get(&key).await?], &key) }
        }
    })
}

fn pipelines(client: &Client) -> Load {
    Load::of(TASKS, |task| {
        let (client, key) = (client.clone(), key(task));
        move || {
            let (client, key) = (client.clone(), key.clone());
            async move {
                let pipeline = client.pipeline();
                for _ in 0..3 {
                    () = pipeline.get(&key).await?;
                }
                same(&pipeline.all::<Vec<Value>>().await?, &key)
            }
        }
    })
}

fn transactions(client: &Client) -> Load {
    Load::of(TASKS, |task| {
        let (client, key) = (client.clone(), key(task));
        move || {
            let (client, key) = (client.clone(), key.clone());
            async move {
                let transaction = client.multi();
                () = transaction.get(&key).await?;
                () = transaction.get(&key).await?;
                same(&transaction.exec::<Vec<Value>>(true).await?, &key)
            }
        }
    })
}

/// Stalls the servers, which owe every task of `load` a reply then, while
/// `meanwhile` goes on.
async fn stalled(site: &Site, load: &Load, meanwhile: impl AsyncFnOnce(&Site)) {
    stalled_all(site, site.config(), &[0], load, meanwhile).await;
}

/// The same of the servers of these slots.
async fn stalled_all(
    site: &Site,
    config: Config,
    slots: &[u16],
    load: &Load,
    meanwhile: impl AsyncFnOnce(&Site),
) {
    let staller = site.with_a_password(config).await;
    let command = |name, slot| CustomCommand::new_static(name, ClusterHash::Custom(slot), false);
    for slot in slots {
        // However slow the machine: no command is answered with `BUSY`.
        let no_limit = vec!["SET", "lua-time-limit", "0"];
        () = staller
            .custom(command("CONFIG", *slot), no_limit)
            .await
            .unwrap();
    }
    let stalls = slots.iter().map(|slot| {
        let (staller, eval) = (staller.clone(), command("EVAL", *slot));
        tokio::spawn(async move { staller.custom::<String, _>(eval, vec![STALL, "0"]).await })
    });
    let stalls: Vec<_> = stalls.collect();
    let mut before = None;
    while before != Some(load.acknowledged()) {
        before = Some(load.acknowledged());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    meanwhile(site).await;
    for stall in stalls {
        assert_eq!(stall.await.unwrap().unwrap(), "stalled");
    }
    staller.quit().await.unwrap();
}

/// The next token is refused once while the server owes many replies: it is tried
/// again, and nobody gets anything wrong.
async fn refused(site: &Site, connections: usize, load: impl Fn() -> Load + Send + Sync) {
    let first = running(site, load()).await;
    let mut second = None;
    stalled(site, &first, async |site: &Site| {
        // Each of its tasks has sent a command that the server has not read yet.
        second = Some(load());
        site.emulator.redis().refuse_next_auths(1);
        site.turn().await;
        site.until("it is sent", |bed| {
            let redis = bed.emulator.redis();
            redis.auths_in_flight() > 0 || redis.auths_refused() > 0
        })
        .await;
    })
    .await;
    for load in [Some(first), second].into_iter().flatten() {
        let load = running(site, load).await;
        assert_eq!(load.failed(), 0, "{:?}", load.stop().await.errors);
        site.until("it was refused", |bed| {
            bed.count(failed(ReauthErrorKind::Refused)) > 0
        })
        .await;
        site.settled(connections).await;
        let seen = running(site, load).await.stop().await;
        assert_eq!(seen.errors, [""; 0]);
    }
    assert_eq!(site.emulator.redis().auths_refused(), 1);
    assert_eq!(site.count(failed(ReauthErrorKind::OutOfStep)), 0);
    assert_eq!(site.replacements(), 0);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

/// Waits until every task may have had some more replies.
async fn running(site: &Site, load: Load) -> Load {
    let target = load.acknowledged() + 20 * TASKS as u64;
    site.until("replies come", |_| load.acknowledged() >= target)
        .await;
    load
}

async fn client(site: &Site) -> Client {
    fill(site, site.config()).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    client
}

async fn pool(site: &Site, size: usize) -> Pool {
    fill(site, site.config()).await;
    let pool = site.clients().build_pool(size).unwrap();
    pool.init().await.unwrap();
    site.settled(size).await;
    pool
}

async fn plain_commands(server: Server) {
    for resp3 in [false, true] {
        let site = on(&server, resp3).await;
        let client = client(&site).await;
        refused(&site, 1, || plain(&client)).await;
    }
}

async fn in_pipelines(server: Server) {
    for resp3 in [false, true] {
        let site = on(&server, resp3).await;
        let client = client(&site).await;
        refused(&site, 1, || pipelines(&client)).await;
    }
}

async fn in_transactions(server: Server) {
    for resp3 in [false, true] {
        let site = on(&server, resp3).await;
        let client = client(&site).await;
        refused(&site, 1, || transactions(&client)).await;
    }
}

async fn in_a_pool(server: Server) {
    let site = on(&server, false).await;
    let pool = pool(&site, 4).await;
    refused(&site, 4, || plain(&pool)).await;
}

/// fred's own subscriber, over RESP3, where messages are pending as well.
async fn beside_messages(server: Server) {
    let site = on(&server, true).await;
    fill(&site, site.config()).await;
    let mut builder = Builder::from_config(site.config());
    builder.set_policy(at_once());
    let client: SubscriberClient = builder
        .renewal(&site.renewal)
        .build_subscriber_client()
        .unwrap();
    client.init().await.unwrap();
    client.subscribe(CHANNEL).await.unwrap();
    site.settled(1).await;
    let publisher = site.with_a_password(site.config()).await;
    let publishing = Load::of(4, |_| {
        let publisher = publisher.clone();
        move || {
            let publisher = publisher.clone();
            async move { publisher.publish(CHANNEL, "message").await }
        }
    });
    refused(&site, 1, || plain(&client)).await;
    assert_eq!(publishing.stop().await.errors, [""; 0]);
}

/// Messages come all the while, and none is missed.
async fn a_subscriber(server: Server) {
    let site = on(&server, true).await;
    let subscriber = connected(&site).await;
    let channels: Vec<String> = (0..8).map(|number| format!("{CHANNEL}:{number}")).collect();
    subscriber.subscribe(channels.clone()).await.unwrap();
    subscriber.subscribe(END).await.unwrap();
    site.settled(1).await;
    let reader = collect(&subscriber);
    let mut publishers = Vec::new();
    for channel in channels {
        let publisher = site.with_a_password(site.config()).await;
        publishers.push((publisher, channel, Arc::new(AtomicU64::new(0))));
    }
    let half = AtomicUsize::new(0);
    let publishing = || {
        let mine = &publishers[4 * half.swap(1, Ordering::SeqCst)..];
        Load::of(4, |task| {
            let (publisher, channel, next) = mine[task].clone();
            move || {
                let (publisher, channel) = (publisher.clone(), channel.clone());
                let number = next.fetch_add(1, Ordering::SeqCst).to_string();
                async move { publisher.publish(channel, number).await }
            }
        })
    };
    refused(&site, 1, publishing).await;
    () = publishers[0].0.publish(END, "").await.unwrap();
    let published: Published = publishers
        .iter()
        .map(|(_, channel, next)| (channel.clone(), next.load(Ordering::SeqCst)))
        .collect();
    reader.await.unwrap().assert_all(&published, &[]);
    assert_eq!(subscriber.gaps(), 0);
}

/// Of a live connection, with an error that the server does answer with.
async fn whatever_the_refusal(server: Server) {
    for resp3 in [false, true] {
        let site = on(&server, resp3).await;
        let client = client(&site).await;
        let load = running(&site, plain(&client)).await;
        for (number, text) in ["ERR not now", "NOPERM no right to it"].iter().enumerate() {
            let refusal = Refusal::Error((*text).to_owned());
            site.emulator.redis().refuse_next_reauths_with(1, refusal);
            site.turn().await;
            site.until("it was refused", |bed| {
                bed.count(failed(ReauthErrorKind::Other)) == number + 1
            })
            .await;
            site.settled(1).await;
        }
        let seen = running(&site, load).await.stop().await;
        assert_eq!(seen.errors, [""; 0]);
        assert_eq!(site.count(failed(ReauthErrorKind::OutOfStep)), 0);
    }
}

/// The token is revoked between its showing and most of its `AUTH`s: fred gives no
/// way to keep a reply from being left out then. It is noticed at once, the
/// connections are dropped, and all is right again with a fresh token.
async fn revoked<C>(site: &Site, config: Config, slots: &[u16], connections: usize, client: &C)
where
    C: KeysInterface + Clone + Send + Sync + 'static,
{
    let load = running(site, plain(client)).await;
    let before = site.count(is_renewal);
    site.turn().await;
    site.until("one has it", |bed| bed.count(is_renewal) > before)
        .await;
    site.emulator.redis().refuse_auth_until_fresh_token();
    let rotations = site.rotations();
    let mut more = None;
    stalled_all(site, config, slots, &load, async |site: &Site| {
        more = Some(plain(client));
        site.until("another has sent it", |bed| {
            let redis = bed.emulator.redis();
            redis.auths_refused() + redis.auths_in_flight() > 0
        })
        .await;
    })
    .await;
    site.until("the manager was asked", |bed| bed.rotations() > rotations)
        .await;
    site.settled(connections).await;
    // What came in between is anybody's guess; from now on it is right.
    for load in [Some(load), more].into_iter().flatten() {
        drop(load.stop().await);
    }
    let seen = running(site, plain(client)).await.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    let out_of_step = site.count(failed(ReauthErrorKind::OutOfStep));
    let refused = site.count(failed(ReauthErrorKind::Refused));
    assert!(out_of_step + refused > 0, "{:#?}", site.events());
    println!("{out_of_step} out of step, {refused} refused");
    assert_eq!(site.replacements(), 0);
}

/// Whose connections send `AUTH` one after the other, some 0.3 s apart.
async fn spread(bed: BedBuilder) -> Site {
    let policy = ReauthPolicy::builder().stagger(0.0003);
    Site::start(bed).await.renewed_by(policy)
}

async fn revoked_meanwhile(server: Server) {
    let site = spread(bed(&server)).await;
    let pool = pool(&site, 4).await;
    revoked(&site, site.config(), &[0], 4, &pool).await;
}

async fn revoked_meanwhile_in_a_cluster(server: Server) {
    let site = spread(bed(&server).store(Store::cluster(3, 0))).await;
    fill(&site, cluster::config(&site)).await;
    let client = cluster::connected(&site).await;
    let slots = [0, 8000, 16000];
    revoked(&site, cluster::config(&site), &slots, 3, &client).await;
}
