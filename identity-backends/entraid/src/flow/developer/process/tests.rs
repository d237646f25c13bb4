use std::io::{Error, ErrorKind};
use std::process::Command;
use std::time::Duration;

use super::{Failure, MAX_OUTPUT, Output, not_started, run};

const LONG: Duration = Duration::from_secs(60);

/// `script`, run by the shell: what these tests need of a tool.
fn shell(script: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", script]);
    command
}

fn outcome(command: Command, limit: Duration) -> Result<Output, Failure> {
    futures::executor::block_on(run(command, limit))
}

fn printed(script: &str) -> (Option<i32>, String, String) {
    let output = outcome(shell(script), LONG)
        .map_err(|failure| panic!("{failure:?}"))
        .expect("an output");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code();
    (code, text(&output.stdout), text(&output.stderr))
}

#[test]
fn both_outputs_and_the_code_come_back() {
    let (code, out, err) = printed("echo token; echo trouble >&2; exit 3");
    assert_eq!((code, &*out, &*err), (Some(3), "token\n", "trouble\n"));
    assert_eq!(printed("exit 0"), (Some(0), String::new(), String::new()));
}

#[test]
fn there_is_nothing_to_read() {
    assert_eq!(printed("cat; echo end").1, "end\n");
}

#[test]
fn output_that_fills_the_pipes_does_not_block() {
    let (code, out, err) = printed("head -c 120000 /dev/zero; head -c 120000 /dev/zero >&2");
    assert_eq!((code, out.len(), err.len()), (Some(0), 120_000, 120_000));
}

#[test]
fn too_much_output_ends_the_tool() {
    for to in ["1", "2"] {
        let flood = shell(&format!("cat /dev/zero >&{to}"));
        assert_eq!(outcome(flood, LONG).err(), Some(Failure::TooMuchOutput));
    }
    let most = format!("head -c {MAX_OUTPUT} /dev/zero");
    assert_eq!(printed(&most).1.len(), MAX_OUTPUT);
}

#[test]
fn an_output_kept_open_by_another_process_is_not_waited_for() {
    // The limit would end the test with a time-out.
    let (code, out, _) = printed("sleep 600 & echo $!");
    assert_eq!(code, Some(0));
    assert!(!out.trim().is_empty());
}

#[test]
fn what_is_not_there_or_can_not_be_run_is_told_apart() {
    let absent = Command::new("/nowhere/az");
    assert_eq!(outcome(absent, LONG).err(), Some(Failure::NotFound));
    let data = Command::new("/etc/passwd");
    assert_eq!(outcome(data, LONG).err(), Some(Failure::NotStarted));
}

#[test]
fn what_passes_by_itself_does_not_wait_for_a_person() {
    // ENOMEM, EMFILE, ETXTBSY, which Linux and macOS number alike; EAGAIN.
    let passing = [12, 24, 26].map(Error::from_raw_os_error);
    for error in passing.into_iter().chain([ErrorKind::WouldBlock.into()]) {
        assert_eq!(not_started(&error), Failure::Busy, "{error}");
    }
    // E2BIG, ENOEXEC, EACCES, ENOTDIR; a NUL in an argument.
    let lasting = [7, 8, 13, 20].map(Error::from_raw_os_error);
    for error in lasting.into_iter().chain([ErrorKind::InvalidInput.into()]) {
        assert_eq!(not_started(&error), Failure::NotStarted, "{error}");
    }
}

#[test]
fn a_tool_that_hangs_is_ended() {
    for script in ["sleep 600", "exec sleep 600", "exec >&- 2>&-; sleep 600"] {
        let limit = Duration::from_millis(50);
        assert_eq!(
            outcome(shell(script), limit).err(),
            Some(Failure::TimedOut),
            "{script}"
        );
    }
}
