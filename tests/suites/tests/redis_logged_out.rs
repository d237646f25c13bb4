//! The server forgets who a live connection is, without closing it.

use std::time::Duration;

use redis::{AsyncCommands, cmd, pipe};
use redis_authx::Event;
use redis_authx_suites::{Bed, KEY};

fn replacements(bed: &Bed) -> usize {
    bed.count(|event| matches!(event, Event::Replaced { .. }))
}

/// Long enough that no rotation mends it.
async fn bed(resp3: bool) -> Bed {
    let bed = Bed::builder().lifetime(Duration::from_secs(600));
    if resp3 { bed.resp3() } else { bed }.start().await
}

/// `RESET` logs out: the next command fails with `NOAUTH`, those after it wait
/// for the replacement.
#[allow(clippy::unwrap_used)] // the body of several tests
async fn is_replaced(resp3: bool) {
    let bed = bed(resp3).await;
    let mut connection = bed.waiting().await;
    () = cmd("RESET").query_async(&mut connection).await.unwrap();
    let error = connection.set::<_, _, ()>(KEY, 1).await.unwrap_err();
    assert_eq!(error.code(), Some("NOAUTH"), "{error}");
    bed.until("it is replaced", |bed| replacements(bed) == 1)
        .await;
    () = connection.set(KEY, 2).await.unwrap();
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_logged_out_is_replaced() {
    is_replaced(false).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_logged_out_is_replaced_in_resp3() {
    is_replaced(true).await;
}

/// The same, found out by pipelines.
#[tokio::test(flavor = "multi_thread")]
async fn pipelines_find_it_out_as_well() {
    let bed = bed(false).await;
    for (round, atomic) in [(1, false), (2, true)] {
        let mut connection = bed.waiting().await;
        () = cmd("RESET").query_async(&mut connection).await.unwrap();
        let mut pipeline = pipe();
        if atomic {
            pipeline.atomic();
        }
        pipeline.set(KEY, 1).set(KEY, 2);
        let failed = pipeline.query_async::<()>(&mut connection).await;
        assert!(failed.is_err(), "atomic: {atomic}");
        bed.until("it is replaced", |bed| replacements(bed) == round)
            .await;
        () = pipeline.query_async(&mut connection).await.unwrap();
    }
}
