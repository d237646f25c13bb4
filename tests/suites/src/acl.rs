use redis::cmd;
use redis_authx_redis::AuthConnection;

/// Changes what the user may do that all connections of a bed are logged in as.
///
/// # Panics
/// When the server refuses that.
pub async fn allow(connection: &mut AuthConnection, rules: &[&str]) {
    let whoami = cmd("ACL").arg("WHOAMI").query_async(connection).await;
    let user: String = whoami.expect("a user");
    let mut command = cmd("ACL");
    command.arg("SETUSER").arg(user).arg(rules);
    let changed = command.exec_async(connection).await;
    changed.expect("the user is changed");
}
