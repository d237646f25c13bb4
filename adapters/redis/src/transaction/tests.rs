use super::*;
use crate::effect::Effect;

const DISCARD: Instead = Instead::Unchecked {
    undo: Some("DISCARD"),
};
const NIL: Instead = Instead::Unchecked { undo: None };
const TORN_AND_CHECKED: Instead = Instead::Torn { unchecked: false };

/// Commands of one connection, each answered with what it asks for.
struct Connection {
    state: Transactions,
    now: Instant,
}

impl Connection {
    fn new() -> Self {
        Self {
            state: Transactions::default(),
            now: Instant::now(),
        }
    }

    fn send(&mut self, line: &str, outcome: Outcome) -> Result<Step, Instead> {
        let names = line.split(' ');
        let effects = Effects::of(names.map(|name| Effect::of_name(name.as_bytes())));
        let step = self.state.enter(effects, self.now)?;
        self.state.ended(step, outcome);
        Ok(step)
    }

    fn ok(&mut self, line: &str) {
        let sent = self.send(line, Outcome::Done);
        assert!(sent.is_ok(), "{line}: {sent:?}");
    }

    fn instead(&mut self, line: &str) -> Instead {
        self.send(line, Outcome::Done).unwrap_err()
    }

    fn replace(&mut self) {
        self.state = self.state.replaced(self.now);
    }
}

#[test]
fn a_transaction_is_open_from_multi_to_exec() {
    for end in ["EXEC", "DISCARD", "RESET"] {
        let mut connection = Connection::new();
        connection.ok("MULTI");
        connection.ok("SET");
        assert!(connection.state.is_open());
        connection.ok(end);
        assert!(!connection.state.is_open(), "{end}");
    }
}

#[test]
fn only_a_reply_ends_a_transaction() {
    let mut connection = Connection::new();
    assert_eq!(
        connection.send("MULTI", Outcome::Unknown),
        Ok(Step::Opening)
    );
    assert_eq!(connection.send("EXEC", Outcome::Unknown), Ok(Step::Closing));
    assert!(connection.state.is_open());
    assert_eq!(connection.send("EXEC", Outcome::Refused), Ok(Step::Closing));
    assert!(!connection.state.is_open());
}

#[test]
fn a_multi_that_is_refused_opens_nothing() {
    let mut connection = Connection::new();
    assert_eq!(
        connection.send("MULTI", Outcome::Refused),
        Ok(Step::Opening)
    );
    assert!(!connection.state.is_open());
}

#[test]
fn what_was_sent_before_a_multi_does_not_end_its_transaction() {
    let mut connection = Connection::new();
    assert_eq!(connection.send("EXEC", Outcome::Done), Ok(Step::Plain));
    connection.ok("MULTI");
    connection.state.ended(Step::Plain, Outcome::Done);
    assert!(connection.state.is_open());
}

#[test]
fn an_exec_whose_watch_is_lost_is_not_sent() {
    for (lines, instead) in [
        (["WATCH", "", "MULTI", "EXEC"], DISCARD),
        (["WATCH", "", "GET", "EXEC"], NIL),
        (["WATCH", "", "GET", "MULTI SET EXEC"], NIL),
        // One more WATCH doesn't bring the lost one back.
        (
            ["WATCH", "", "WATCH", "EXEC"],
            Instead::Unchecked {
                undo: Some("UNWATCH"),
            },
        ),
    ] {
        let mut connection = Connection::new();
        let (last, first) = lines.split_last().unwrap();
        for line in first {
            if line.is_empty() {
                connection.replace();
            } else {
                connection.ok(line);
            }
        }
        assert_eq!(connection.instead(last), instead, "{lines:?}");
        connection.ok("DISCARD");
        connection.ok("EXEC");
    }
}

#[test]
fn a_watch_that_was_over_is_not_missed() {
    for end in ["UNWATCH", "EXEC", "DISCARD", "RESET", "MULTI SET EXEC"] {
        let mut connection = Connection::new();
        connection.ok("WATCH");
        connection.ok(end);
        connection.replace();
        connection.ok("EXEC");

        // And one that is given up after it was lost.
        connection.ok("WATCH");
        connection.replace();
        if end.ends_with("EXEC") {
            connection.instead(end);
        } else {
            connection.ok(end);
        }
        connection.ok("EXEC");
    }
}

#[test]
fn a_watch_that_was_refused_or_only_queued_is_none() {
    let mut connection = Connection::new();
    assert_eq!(
        connection.send("WATCH", Outcome::Refused),
        Ok(Step::Watching)
    );
    connection.replace();
    connection.ok("EXEC");

    connection.ok("WATCH");
    connection.ok("MULTI");
    connection.ok("UNWATCH");
    connection.replace();
    assert_eq!(
        connection.instead("EXEC"),
        Instead::Torn { unchecked: true }
    );
}

#[test]
fn a_lost_watch_is_missed_however_often_the_connection_is_replaced() {
    let mut connection = Connection::new();
    connection.ok("WATCH");
    connection.replace();
    connection.replace();
    assert_eq!(connection.instead("EXEC"), NIL);
    connection.replace();
    connection.ok("EXEC");
}

#[test]
fn the_rest_of_a_torn_transaction_is_refused_until_it_ends() {
    for end in ["EXEC", "DISCARD", "SET EXEC"] {
        let mut connection = Connection::new();
        connection.ok("MULTI");
        connection.replace();
        assert_eq!(connection.instead("SET"), TORN_AND_CHECKED);
        assert_eq!(connection.instead("SET"), TORN_AND_CHECKED);
        assert_eq!(connection.instead(end), TORN_AND_CHECKED);
        connection.ok("SET");
    }
}

#[test]
fn a_new_transaction_follows_a_torn_one() {
    for begin in ["MULTI", "WATCH", "MULTI SET EXEC"] {
        let mut connection = Connection::new();
        connection.ok("MULTI");
        connection.replace();
        connection.ok(begin);
        connection.ok("SET");
    }
}

#[test]
fn nothing_is_refused_for_ever() {
    let mut connection = Connection::new();
    connection.ok("MULTI");
    connection.replace();
    connection.now += TORN;
    connection.ok("SET");
    assert!(!connection.state.is_torn());
}

#[test]
fn a_transaction_that_nobody_knows_of_is_not_torn() {
    for (line, outcome) in [
        ("MULTI", Outcome::Unknown),
        ("SET", Outcome::Lost),
        ("EXEC", Outcome::Unknown),
    ] {
        let mut connection = Connection::new();
        if line != "MULTI" {
            connection.ok("MULTI");
        }
        let _ = connection.send(line, outcome);
        connection.replace();
        connection.ok("SET");
    }
}

#[test]
fn whoever_was_told_that_the_connection_is_gone_begins_anew() {
    let mut connection = Connection::new();
    connection.ok("WATCH");
    connection.ok("MULTI");
    connection.state.failed(Effects::of([Effect::Executes]));
    connection.replace();
    connection.ok("SET");
    connection.ok("EXEC");
}
