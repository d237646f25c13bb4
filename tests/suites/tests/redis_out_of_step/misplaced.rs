//! Replies that can't be to their requests, without an `AUTH`.

use redis::{AsyncCommands, cmd};
use redis_authx::{Event, ReauthErrorKind};
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Server, patient};

use crate::calm;

redis_authx_suites::on_every_server!(what_an_operator_ends_in_a_pause_misdirects_no_reply);

async fn id(connection: &AuthConnection) -> u64 {
    let mut ask = cmd("CLIENT");
    let asked = ask.arg("ID").query_async(&mut connection.clone()).await;
    asked.unwrap()
}

/// redis-server before redis/redis#14164 answers a `SET` that a pause holds back with
/// `UNBLOCKED`, and executes it all the same: its second reply is the next command's.
async fn what_an_operator_ends_in_a_pause_misdirects_no_reply(server: Server) {
    let bed = calm(server.bed()).start().await;
    let connection = bed.waiting().await;
    let operator = bed.client.multiplexed_with_config(patient()).await.unwrap();
    let mut operator = operator.clone();
    let id = id(&connection).await;
    () = operator.set("own", "value").await.unwrap();
    let mut pause = cmd("CLIENT");
    pause.arg("PAUSE").arg(600_000).arg("WRITE");
    pause.exec_async(&mut operator).await.unwrap();

    let (mut one, mut two) = (connection.clone(), connection.clone());
    let set = tokio::spawn(async move { one.set::<_, _, String>("other", "value").await });
    let get = tokio::spawn(async move { two.get::<_, String>("own").await });
    let mut unblock = cmd("CLIENT");
    unblock.arg("UNBLOCK").arg(id).arg("ERROR");
    let mut list = cmd("CLIENT");
    list.arg("LIST");
    // Held back, with the other behind it.
    loop {
        let list: String = list.query_async(&mut operator).await.unwrap();
        let own = list
            .lines()
            .find(|line| line.starts_with(&format!("id={id} ")));
        let own = own.unwrap();
        if own.contains("cmd=set") && !own.contains("qbuf=0 ") {
            break;
        }
    }
    let ended: bool = unblock.query_async(&mut operator).await.unwrap();
    let mut go_on = cmd("CLIENT");
    go_on
        .arg("UNPAUSE")
        .exec_async(&mut operator)
        .await
        .unwrap();

    let (set, get) = (set.await.unwrap(), get.await.unwrap());
    if ended {
        assert!(set.unwrap_err().is_connection_dropped());
        assert!(get.is_err() || get.unwrap() == "value");
        bed.until("it is replaced", |bed| bed.replacements() == 1)
            .await;
        let lost = bed.count(|event| {
            matches!(event, Event::ConnectionLost { error, .. } if error.kind() == ReauthErrorKind::OutOfStep)
        });
        assert_eq!(lost, 1);
    } else {
        assert_eq!(
            (set.unwrap().as_str(), get.unwrap().as_str()),
            ("OK", "value")
        );
        assert_eq!(bed.replacements(), 0);
    }
    let own: String = connection.clone().get("own").await.unwrap();
    assert_eq!(own, "value");
}
