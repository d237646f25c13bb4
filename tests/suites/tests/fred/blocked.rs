//! A command that blocks a client, across rotations: the `AUTH` behind it is not
//! answered, so the connection is replaced in time.

use fred::clients::Client;
use fred::interfaces::{ClientLike, FredResult, KeysInterface, ListInterface};
use fred::types::Builder;
use fred::types::config::Blocking;
use redis_authx::ReauthPolicy;
use redis_authx_fred::BuilderExt;
use redis_authx_suites::{KEY, Server, on_every_server, prompt};

use crate::site::{Site, at_once, is_replacement};

on_every_server!(
    a_block_goes_on_over_rotations,
    each_element_is_popped_at_most_once,
    a_block_is_given_up_after_the_attempts_that_fred_makes,
    a_setting_has_an_auth_interrupt_a_block,
);

const LAST: u64 = 1 << 40;

async fn a_block_goes_on_over_rotations(server: Server) {
    // Replaced a second after each rotation, long before its token expires.
    let policy = prompt().replace_after(0.15);
    let site = Site::start(server.bed().outlived()).await;
    let site = site.renewed_by(policy);
    let client = blocking(&site, 1000).await;
    site.settled(1).await;
    let blocked = site.block(&client).await;
    // Until it has outlived its first token.
    site.until("it is replaced", |bed| bed.count(is_replacement) >= 5)
        .await;
    // What is sent behind the block waits, and is not lost.
    let behind = {
        let client = client.clone();
        tokio::spawn(async move { client.set::<(), _, _>(KEY, 1, None, None, false).await })
    };
    let other = site.clients().build().unwrap();
    other.init().await.unwrap();
    site.rotate(1).await;
    // One that comes while it is replaced may be lost.
    while !blocked.is_finished() {
        () = other.rpush("queue", 7).await.unwrap();
    }
    assert_eq!(blocked.await.unwrap().unwrap(), ("queue".to_owned(), 7));
    behind.await.unwrap().unwrap();
    site.settled(2).await;
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}

/// A rotation whenever it is told to, and a blocked client is replaced at once.
async fn turning(server: &Server) -> Site {
    let policy = ReauthPolicy::builder().stagger(0.0).replace_after(0.000_25);
    Site::start(server.bed().brisk()).await.renewed_by(policy)
}

async fn blocking(site: &Site, attempts: u32) -> Client {
    let mut builder = Builder::from_config(site.config());
    builder.set_policy(at_once());
    builder.with_connection_config(|config| config.max_command_attempts = attempts);
    let client = builder.renewal(&site.renewal).build().unwrap();
    client.init().await.unwrap();
    client
}

/// What is pushed while a client is being replaced may be popped on the
/// connection that is closed, once: nothing else is lost, and nothing comes
/// twice.
async fn each_element_is_popped_at_most_once(server: Server) {
    const ROTATIONS: usize = 40;
    let site = turning(&server).await;
    let client = blocking(&site, 1000).await;
    // Never replaced: what it pushes is pushed once.
    let other = site.with_a_password(site.config()).await;
    site.settled(1).await;
    let popping = tokio::spawn(async move {
        let mut popped = Vec::new();
        loop {
            let next: (String, u64) = client.blpop("queue", 0.0).await.unwrap();
            if next.1 == LAST {
                return popped;
            }
            popped.push(next.1);
        }
    });
    let target = site.rotations() + ROTATIONS;
    let mut pushed = 0;
    while site.rotations() < target || site.replacements() < ROTATIONS / 2 {
        assert!(!popping.is_finished(), "it popped no more");
        if pushed % 4 == 0 {
            // Blocked until it is replaced: pushing without a pause, the AUTH
            // behind a pop would always be answered.
            site.turn().await;
            site.settled(1).await;
        } else {
            site.manager.refresh();
        }
        // The time of a few round trips between one and the next.
        for _ in 0..pushed % 17 {
            let _: String = other.ping(None).await.unwrap();
        }
        () = other.rpush("queue", pushed).await.unwrap();
        pushed += 1;
    }
    // That one may be lost as well.
    while !popping.is_finished() {
        () = other.rpush("queue", LAST).await.unwrap();
    }
    let popped = popping.await.unwrap();
    println!(
        "{} of {pushed}, {} replaced",
        popped.len(),
        site.replacements()
    );
    assert!(popped.is_sorted_by(|one, next| one < next), "popped twice");
    let lost = pushed as usize - popped.len();
    site.until("a replacement for each that is lost", |bed| {
        lost <= bed.replacements()
    })
    .await;
}

/// As fred's documentation has it of a command that was sent that often.
async fn a_block_is_given_up_after_the_attempts_that_fred_makes(server: Server) {
    let site = turning(&server).await;
    let client = blocking(&site, 3).await;
    site.settled(1).await;
    let blocked = site.block(&client).await;
    while !blocked.is_finished() {
        let before = site.replacements();
        site.turn().await;
        site.until("it is replaced", |bed| {
            blocked.is_finished() || bed.count(is_replacement) > before
        })
        .await;
    }
    let given_up: FredResult<(String, u64)> = blocked.await.unwrap();
    assert!(given_up.is_err());
    // It is known of before the third replacement is reported.
    site.until("as often as it was sent", |bed| bed.replacements() >= 3)
        .await;
    assert_eq!(site.replacements(), 3);
}

/// Then an AUTH is a command like any other.
async fn a_setting_has_an_auth_interrupt_a_block(server: Server) {
    // To interrupt it, fred connects once more: that may take its time.
    let policy = ReauthPolicy::builder().stagger(0.0);
    let site = Site::start(server.bed().brisk()).await;
    let site = site.renewed_by(policy);
    let mut config = site.config();
    config.blocking = Blocking::Interrupt;
    let client = site.clients_of(config).build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    let blocked = site.block(&client).await;
    site.turn().await;
    let error = blocked.await.unwrap().unwrap_err();
    assert!(error.details().contains("UNBLOCKED"), "{error}");
    site.settled(1).await;
    assert_eq!(site.replacements(), 0);
}
