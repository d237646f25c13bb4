//! Failovers, and slots that move.

use redis::AsyncCommands;

use super::*;

/// Of the slot 12182, the last third's.
const KEY: &str = "foo";
const SLOT: u16 = 12_182;

#[tokio::test]
async fn a_client_goes_on_after_a_failover_and_after_a_primarys_death() {
    let emulator = emulator().await;
    let control = control(&emulator);
    let client = client(&emulator, control.urls());
    let mut connection = client.get_async_connection().await.unwrap();
    let _: () = connection.set(KEY, 1).await.unwrap();
    assert_eq!(control.primary_of_slot(SLOT).await.unwrap(), 2);

    assert_eq!(control.fail_over(2).await.unwrap(), 5);
    assert_eq!(control.primaries().await.unwrap(), [0, 1, 5]);
    let value: i32 = connection.incr(KEY, 1).await.unwrap();
    assert_eq!(value, 2);

    control.kill_node(5);
    control.wait_for_takeover(5).await.unwrap();
    assert_eq!(control.primary_of_slot(SLOT).await.unwrap(), 2);
    let value: i32 = connection.incr(KEY, 1).await.unwrap();
    assert_eq!(value, 3);

    control.start_node(5).await.unwrap();
    control.wait_until_ok().await.unwrap();
    assert_eq!(control.primaries().await.unwrap(), [0, 1, 2]);
    // It came back with the user that log-ins become.
    raw(&emulator, 5, HOUR)
        .await
        .expect("PING\r\n", "+PONG\r\n")
        .await;
}

#[tokio::test]
async fn a_whole_cluster_restarts_with_its_data() {
    let emulator = emulator().await;
    let client = client(&emulator, control(&emulator).urls());
    let mut connection = client.get_async_connection().await.unwrap();
    let _: () = connection.set(KEY, 1).await.unwrap();
    emulator.redis().restart_server().await.unwrap();
    control(&emulator).wait_until_ok().await.unwrap();
    let mut connection = client.get_async_connection().await.unwrap();
    let value: i32 = connection.get(KEY).await.unwrap();
    assert_eq!(value, 1);
}

#[tokio::test]
async fn slots_move_while_a_client_reads_and_writes() {
    let emulator = emulator().await;
    let control = control(&emulator);
    let client = client(&emulator, control.urls());
    let mut connection = client.get_async_connection().await.unwrap();
    // In slots 0 to 2, found by trial; and one behind them.
    let keys = ["{06S}", "{Qi}", "{5L5}", "bar"];
    for key in keys {
        let _: () = connection.set(key, 0).await.unwrap();
    }
    let moving = control.migrate_slots(0, 1, 20);
    let mut moving = std::pin::pin!(moving);
    let mut rounds = 0;
    let moved = loop {
        tokio::select! {
            moved = &mut moving => break moved.unwrap(),
            () = async {
                for key in keys {
                    let _: i32 = connection.incr(key, 1).await.unwrap();
                }
            } => rounds += 1,
        }
    };
    assert_eq!(moved, (0..20).collect::<Vec<u16>>());
    assert_eq!(control.primary_of_slot(0).await.unwrap(), 1);
    assert_eq!(control.primary_of_slot(20).await.unwrap(), 0);
    for key in keys {
        let value: i32 = connection.get(key).await.unwrap();
        // The round that was cut short may or may not have come to this key.
        assert!((rounds..=rounds + 1).contains(&value), "{key}: {value}");
    }
}

#[tokio::test]
async fn a_slot_halfway_answers_ask_with_a_gateways_port() {
    let emulator = emulator().await;
    let control = control(&emulator);
    let mut old = raw(&emulator, 2, HOUR).await;
    let mut new = raw(&emulator, 0, HOUR).await;
    old.expect("SET foo 1\r\n", "+OK\r\n").await;
    control.begin_migration(2, 0, SLOT).await.unwrap();
    let target = port(&control.urls()[0]);
    old.expect(
        "GET foo\r\n",
        &format!("-ASK {SLOT} 127.0.0.1:{target}\r\n"),
    )
    .await;
    new.expect("ASKING\r\nGET foo\r\n", "+OK\r\n$1\r\n1\r\n")
        .await;
    let mut connection = client(&emulator, control.urls())
        .get_async_connection()
        .await
        .unwrap();
    let value: i32 = connection.incr(KEY, 1).await.unwrap();
    assert_eq!(value, 2);
    control.finish_migration(2, 0, SLOT).await.unwrap();
    old.expect(
        "GET foo\r\n",
        &format!("-MOVED {SLOT} 127.0.0.1:{target}\r\n"),
    )
    .await;
    let value: i32 = connection.incr(KEY, 1).await.unwrap();
    assert_eq!(value, 3);
}

#[tokio::test]
async fn what_can_not_be_done_is_said() {
    let emulator = emulator().await;
    let error = control(&emulator).fail_over(4).await.unwrap_err();
    assert!(error.to_string().contains("no primary"), "{error}");
}
