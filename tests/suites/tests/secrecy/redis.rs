//! Connections of redis-rs.

use std::time::Duration;

use redis::AsyncCommands;
use redis_authx_emulator::Fault;
use redis_authx_suites::{Bed, Load};

use super::{Captured, assert_none};

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_ever_written_down() {
    let captured = Captured::all();
    let bed = Bed::builder()
        .request_timeout(Duration::from_secs(2))
        .start()
        .await;
    let mut secrets = vec![bed.emulator.client_secret().to_owned()];
    let connection = bed.waiting().await;
    let load = Load::start(std::slice::from_ref(&connection), 2);
    let faults = [
        Fault::Throttled {
            retry_after: Duration::from_secs(1),
        },
        Fault::Malformed,
        Fault::MissingOid,
        Fault::ServerError(500),
        Fault::InvalidClient,
    ];
    let mut written = String::new();
    for fault in faults {
        secrets.push(
            bed.manager
                .credentials()
                .current()
                .unwrap()
                .password()
                .to_owned(),
        );
        bed.emulator.identity().fail_next(1, fault);
        bed.emulator.redis().refuse_next_auths(1);
        let target = bed.rotations() + 1;
        bed.until("a rotation", |bed| {
            bed.manager.refresh();
            bed.rotations() >= target
        })
        .await;
        bed.settled(std::slice::from_ref(&connection)).await;
        bed.emulator.redis().drop_connections();
        written += &format!(
            "{bed:?} {connection:?} {:?} {:?} {:?}",
            bed.manager.status(),
            connection.status(),
            bed.manager.credentials().current(),
        );
    }
    secrets.push(
        bed.manager
            .credentials()
            .current()
            .unwrap()
            .password()
            .to_owned(),
    );
    written += &format!("{:?}", load.stop().await);
    written += &format!(
        "{:?}",
        connection.clone().get::<_, Option<u64>>("count").await
    );
    written += &format!("{:?}", bed.events());
    written += &captured.text();
    assert_none(secrets, &written);
}
