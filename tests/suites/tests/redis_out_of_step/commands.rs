//! On a connection that many tasks share.

use std::time::Duration;

use futures::FutureExt;
use redis_authx::{Event, ReauthErrorKind};
use redis_authx_emulator::Refusal;
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Bed, Server, Stall, patient};

use crate::readers::{By, Readers, Seen, key, set_values, value};
use crate::{calm, failures};

redis_authx_suites::on_every_server!(
    no_command_gets_the_reply_of_another,
    no_pipeline_does,
    no_transaction_does,
    whatever_the_refusal,
    an_auth_that_is_never_answered_costs_a_replacement,
    replies_that_nobody_waits_for_are_awaited,
);

/// Both protocols; with a refusal dropped by the server, as it pleases, and by the
/// gateway, whatever the server.
async fn beds(server: &Server) -> Vec<Bed> {
    let mut beds = Vec::new();
    for resp3 in [false, true] {
        for dropped in [false, true] {
            let bed = calm(server.bed());
            let bed = if resp3 { bed.resp3() } else { bed };
            let bed = bed.start().await;
            bed.emulator.redis().drop_refusals_behind_replies(dropped);
            beds.push(bed);
        }
    }
    beds
}

async fn settled(bed: &Bed, connection: &AuthConnection) {
    bed.settled(std::slice::from_ref(connection)).await;
}

/// One token is refused while the server answers others.
async fn refused_once(bed: &Bed, by: By) {
    let connection = bed.multiplexed().await;
    let readers = Readers::start(&connection, 64, by).await;
    let stall = Stall::start(&bed.emulator);
    readers.go_on(bed, 100).await;
    bed.emulator.redis().refuse_next_auths(1);
    bed.turn().await;
    bed.until("it is refused", |bed| {
        failures(bed, ReauthErrorKind::Refused) == 1
    })
    .await;
    settled(bed, &connection).await;
    drop(stall);
    readers.go_on(bed, 1000).await;
    assert_eq!(readers.stop().await, Seen::default());
    let redis = bed.emulator.redis();
    assert_eq!(redis.auths_refused(), 1);
    assert_eq!(redis.connections_accepted(), 2, "one, and the stall's");
}

async fn no_command_gets_the_reply_of_another(server: Server) {
    for bed in beds(&server).await {
        refused_once(&bed, By::Commands).await;
    }
}

async fn no_pipeline_does(server: Server) {
    for bed in beds(&server).await {
        refused_once(&bed, By::Pipelines).await;
    }
}

async fn no_transaction_does(server: Server) {
    for bed in beds(&server).await {
        refused_once(&bed, By::Transactions).await;
    }
}

async fn whatever_the_refusal(server: Server) {
    for bed in beds(&server).await {
        let connection = bed.multiplexed().await;
        let readers = Readers::start(&connection, 16, By::Commands).await;
        for (number, text) in ["ERR not now", "NOPERM no right to it"].iter().enumerate() {
            let refusal = Refusal::Error((*text).to_owned());
            bed.emulator.redis().refuse_next_auths_with(1, refusal);
            bed.turn().await;
            bed.until("it is refused", |bed| {
                failures(bed, ReauthErrorKind::Other) == number + 1
            })
            .await;
            settled(&bed, &connection).await;
        }
        readers.go_on(&bed, 1000).await;
        assert_eq!(readers.stop().await, Seen::default());
        assert_eq!(bed.emulator.redis().connections_accepted(), 1);
    }
}

async fn an_auth_that_is_never_answered_costs_a_replacement(server: Server) {
    for bed in beds(&server).await {
        let connection = bed.multiplexed().await;
        let readers = Readers::start(&connection, 16, By::Commands).await;
        let redis = bed.emulator.redis();
        redis.refuse_next_auths_with(1, Refusal::Unanswered);
        bed.turn().await;
        bed.until("it is replaced", |bed| bed.replacements() == 1)
            .await;
        settled(&bed, &connection).await;
        readers.go_on(&bed, 1000).await;
        assert_eq!(readers.stop().await, Seen::default());
        assert_eq!(failures(&bed, ReauthErrorKind::OutOfStep), 1);
        assert_eq!(redis.connections_accepted(), 2);
        bed.until("the old one is closed", |bed| {
            bed.emulator.redis().connections() == 1
        })
        .await;
    }
}

/// A stream that buffers futures leaves them alone while its consumer is busy.
#[tokio::test(flavor = "multi_thread")]
async fn a_future_that_nobody_polls_holds_nobody_up() {
    let bed = calm(Bed::builder()).start().await;
    let connection = bed.multiplexed().await;
    let readers = Readers::start(&connection, 4, By::Commands).await;
    let mut own = connection.clone();
    let mut get = redis::cmd("GET");
    get.arg(key(0));
    let mut left_alone = Box::pin(get.query_async::<String>(&mut own));
    assert!(left_alone.as_mut().now_or_never().is_none());
    bed.turn().await;
    bed.until("it is replaced", |bed| bed.replacements() == 1)
        .await;
    settled(&bed, &connection).await;
    readers.go_on(&bed, 100).await;
    assert_eq!(readers.stop().await, Seen::default());
    assert_eq!(left_alone.await.unwrap(), value(0));
}

/// Commands are given up in a stall; the token is refused before their replies come.
async fn replies_that_nobody_waits_for_are_awaited(server: Server) {
    for bed in beds(&server).await {
        set_values(&bed.multiplexed().await, 16).await;
        let brief = patient().set_response_timeout(Some(Duration::from_millis(1)));
        let hasty = bed.client.multiplexed_with_config(brief).await.unwrap();
        let readers = Readers::of_set_values(&hasty, 16, By::Commands);
        let stall = Stall::start(&bed.emulator);
        bed.emulator.redis().refuse_next_auths(1);
        bed.turn().await;
        bed.until("it is refused", |bed| {
            failures(bed, ReauthErrorKind::Refused) == 1
        })
        .await;
        drop(stall);
        settled(&bed, &hasty).await;
        readers.go_on(&bed, 100).await;
        assert_eq!(readers.stop().await.wrong, [""; 0]);
        let lost = bed.count(|event| matches!(event, Event::ConnectionLost { .. }));
        assert_eq!((lost, bed.replacements()), (0, 0));
    }
}
