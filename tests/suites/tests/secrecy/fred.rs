//! Clients of fred.

use std::time::Duration;

use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::config::{Config, ReconnectPolicy};
use fred::types::{Builder, ClusterHash, CustomCommand, RespVersion, Value};
use redis_authx::{ManagerState, ReauthPolicy};
use redis_authx_emulator::Fault;
use redis_authx_fred::{BuilderExt, Renewal};
use redis_authx_suites::Bed;

use super::{Captured, assert_none};

async fn settled(bed: &Bed, renewal: &Renewal, connections: usize) {
    bed.until("all connections have the newest token", |bed| {
        let manager = bed.manager.status();
        let reports = renewal.connections();
        let newest = reports.iter().filter(|report| {
            report.connection.generation == manager.generation
                && report.connection.last_error.is_none()
        });
        manager.state == ManagerState::Valid && newest.count() == connections
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_written_down() {
    const CONNECTIONS: usize = 3;
    let captured = Captured::all();
    // An AUTH that is stalled has its connection replaced after 60 ms.
    let policy = ReauthPolicy::builder().stagger(0.0).replace_after(0.001);
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(60))
        .min_refresh_interval(Duration::from_millis(10));
    let bed = bed.start().await;
    let renewal = Renewal::builder(bed.manager.credentials())
        .reauth_policy(policy.build().unwrap())
        .build()
        .unwrap();
    let mut config = Config::from_url(bed.emulator.redis_url()).unwrap();
    let build = |config: &Config| {
        let mut builder = Builder::from_config(config.clone());
        builder.set_policy(ReconnectPolicy::new_constant(0, 1));
        // Its connection may be replaced time and again under a command.
        builder.with_connection_config(|config| config.max_command_attempts = 1000);
        builder.renewal(&renewal)
    };
    let pool = build(&config).build_pool(2).unwrap();
    config.version = RespVersion::RESP3;
    let client = build(&config).build().unwrap();
    pool.init().await.unwrap();
    client.init().await.unwrap();
    settled(&bed, &renewal, CONNECTIONS).await;

    let current = || {
        let token = bed.manager.credentials().current().unwrap();
        token.password().to_owned()
    };
    let mut secrets = vec![bed.emulator.client_secret().to_owned()];
    let mut written = String::new();
    for fault in [
        Fault::Malformed,
        Fault::MissingOid,
        Fault::ServerError(500),
        Fault::InvalidClient,
        Fault::DropConnection,
    ] {
        secrets.push(current());
        bed.emulator.identity().fail_next(1, fault);
        bed.emulator.redis().refuse_next_auths(1);
        let target = bed.rotations() + 1;
        bed.until("a rotation", |bed| {
            bed.manager.refresh();
            bed.rotations() >= target
        })
        .await;
        settled(&bed, &renewal, CONNECTIONS).await;
        bed.emulator.redis().refuse_next_auths(1);
        bed.emulator.redis().drop_connections();
        let _: u64 = client.incr("count").await.unwrap();
        settled(&bed, &renewal, CONNECTIONS).await;
        let before = bed.replacements();
        // The stalled AUTH may be answered before its connection is given up.
        for _ in 0..20 {
            let stall = Duration::from_millis(500);
            bed.emulator.redis().delay_next_auths(1, stall);
            bed.turn().await;
            settled(&bed, &renewal, CONNECTIONS).await;
            if bed.replacements() > before {
                break;
            }
        }
        assert!(bed.replacements() > before, "none was replaced");
        let builder = build(&config);
        written += &format!("{renewal:?} {builder:?} {:?}", renewal.connections());
        written += &format!("{client:?} {pool:?} {:?}", client.client_config());
    }
    secrets.push(current());

    // An AUTH that gets into a transaction, of a client that is given time to end
    // it; and a log-in that is refused.
    let mut builder = Builder::from_config(config.clone());
    builder.set_policy(ReconnectPolicy::new_constant(0, 1));
    let builder = builder.credentials(bed.manager.credentials());
    let client = builder.build().unwrap();
    client.init().await.unwrap();
    let raw = |command| CustomCommand::new_static(command, ClusterHash::Random, false);
    let none = Vec::<Value>::new;
    () = client.custom(raw("MULTI"), none()).await.unwrap();
    bed.turn().await;
    bed.until("an AUTH was queued", |bed| {
        bed.emulator.redis().auths_in_transactions() > 0
    })
    .await;
    let replies: Vec<Value> = client.custom(raw("EXEC"), none()).await.unwrap();
    bed.emulator.redis().refuse_next_auths(1000);
    let refused = build(&config).build().unwrap();
    let error = refused.init().await.unwrap_err();
    written += &format!("{replies:?} {error} {error:?} {refused:?}");
    config.username = Some("app".to_owned());
    config.password = Some(current());
    secrets.push(current());
    let error = build(&config).build().unwrap_err();
    written += &format!("{error} {error:?} {:?}", build(&config));

    written += &format!("{:?}", bed.events());
    written += &captured.text();
    assert!(written.contains("fred::"), "fred's own lines");
    assert_none(secrets, &written);
}
