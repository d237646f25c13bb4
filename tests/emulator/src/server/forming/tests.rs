use std::{
    io::{BufRead, BufReader, Read},
    process::{Command, Stdio},
};

use super::*;
use crate::temp_dir::TempDir;

const THIS: &str = "server::forming::tests::a_process_that_is_killed_leaves_no_lock_behind";
/// In this variable the other process finds the path.
const HELD: &str = "AUTHX_EMULATOR_TEST_HELD";
const NO_TIME: Duration = Duration::ZERO;

fn holds(turn: &Turn) -> bool {
    turn._lock.is_some()
}

#[tokio::test]
async fn the_next_one_waits_until_the_first_has_formed() {
    let folder = TempDir::create().unwrap();
    let path = folder.path().join("lock");
    let first = Turn::take_at(&path, LIMIT).await;
    assert!(holds(&first));
    let mut next = Box::pin(Turn::take_at(&path, LIMIT));
    tokio::select! {
        biased;
        _ = &mut next => panic!("there is another"),
        // By then it has been refused once.
        () = tokio::task::yield_now() => {}
    }
    drop(first);
    assert!(holds(&next.await));
}

#[tokio::test]
async fn after_its_limit_it_starts_all_the_same() {
    let folder = TempDir::create().unwrap();
    let path = folder.path().join("lock");
    let first = Turn::take_at(&path, LIMIT).await;
    assert!(!holds(&Turn::take_at(&path, NO_TIME).await));
    assert!(holds(&first));
}

#[tokio::test]
async fn where_no_file_can_be_made_nobody_waits() {
    let folder = TempDir::create().unwrap();
    let path = folder.path().join("missing").join("lock");
    assert!(!holds(&Turn::take_at(&path, LIMIT).await));
}

#[tokio::test]
async fn a_process_that_is_killed_leaves_no_lock_behind() {
    // The same test, in that process.
    if let Some(path) = env::var_os(HELD) {
        let turn = Turn::take_at(Path::new(&path), NO_TIME).await;
        println!("\nheld: {}", holds(&turn));
        let _ = io::stdin().read(&mut [0]);
        return;
    }
    let folder = TempDir::create().unwrap();
    let path = folder.path().join("lock");
    let mut other = Command::new(env::current_exe().unwrap())
        .args(["--exact", "--nocapture", THIS])
        .env(HELD, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(other.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap() == "held: true"));
    assert!(!holds(&Turn::take_at(&path, NO_TIME).await));
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(holds(&Turn::take_at(&path, NO_TIME).await));
}
