use super::*;

#[tokio::test]
async fn another_server_at_its_port_is_not_taken_for_it() {
    // As the members of one cluster, which are started all at once.
    let launch = Launch {
        program: "redis-server".to_owned(),
        mode: Mode::Member,
        settings: String::new(),
        default_password: Some("common".to_owned()),
        user: "user".to_owned(),
        password: "token".to_owned(),
    };
    let first = RedisServer::start(launch.clone()).await.unwrap();
    let second = RedisServer {
        launch,
        port: AtomicU16::new(first.port()),
        process: Mutex::new(None),
        folder: TempDir::create().unwrap(),
    };
    let error = second.run().await.unwrap_err();
    assert!(
        matches!(&error, EmulatorError::RedisServerStart { reason, .. } if reason.starts_with("it ended")),
        "{error:?}"
    );
}
