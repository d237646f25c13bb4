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

/// Waits until the server lists a connection as `wanted`.
async fn listed(operator: &mut AuthConnection, id: u64, wanted: impl Fn(&str) -> bool) {
    let mut list = cmd("CLIENT");
    list.arg("LIST");
    loop {
        let list: String = list.query_async(operator).await.unwrap();
        let own = list
            .lines()
            .find(|line| line.starts_with(&format!("id={id} ")));
        if wanted(own.unwrap()) {
            return;
        }
    }
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
    let mut unblock = cmd("CLIENT");
    unblock.arg("UNBLOCK").arg(id).arg("ERROR");
    let set = tokio::spawn(async move { one.set::<_, _, String>("other", "value").await });
    listed(&mut operator, id, |line| line.contains("cmd=set")).await;
    // Held back, with the other behind it.
    let get = tokio::spawn(async move { two.get::<_, String>("own").await });
    listed(&mut operator, id, |line| !line.contains("qbuf=0 ")).await;
    let ended: bool = unblock.query_async(&mut operator).await.unwrap();
    let mut go_on = cmd("CLIENT");
    go_on.arg("UNPAUSE");
    if ended {
        // From here on the connection is known to be out of step.
        assert!(set.await.unwrap().unwrap_err().is_connection_dropped());
        go_on.exec_async(&mut operator).await.unwrap();
        let get = get.await.unwrap();
        assert!(get.is_err() || get.unwrap() == "value");
        bed.until("it is replaced", |bed| bed.replacements() == 1)
            .await;
        let lost = bed.count(|event| {
            matches!(event, Event::ConnectionLost { error, .. } if error.kind() == ReauthErrorKind::OutOfStep)
        });
        assert_eq!(lost, 1);
    } else {
        go_on.exec_async(&mut operator).await.unwrap();
        let replies = (set.await.unwrap().unwrap(), get.await.unwrap().unwrap());
        assert_eq!((replies.0.as_str(), replies.1.as_str()), ("OK", "value"));
        assert_eq!(bed.replacements(), 0);
    }
    let own: String = connection.clone().get("own").await.unwrap();
    assert_eq!(own, "value");
}
