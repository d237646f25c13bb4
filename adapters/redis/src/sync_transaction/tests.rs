use super::*;

fn words(names: &str) -> Vec<Word> {
    let names = names.split_whitespace();
    names.map(|name| Word::of_name(name.as_bytes())).collect()
}

fn judged(transaction: &mut Transaction, names: &str) -> Verdict {
    transaction.before(words(names).into_iter())
}

/// Sends commands one by one, all accepted.
fn after(names: &str) -> Transaction {
    let mut transaction = Transaction::default();
    for word in words(names) {
        assert_eq!(transaction.before([word].into_iter()), Verdict::Send);
        transaction.answered(word, true);
    }
    transaction
}

fn moved(names: &str) -> Transaction {
    let mut transaction = after(names);
    transaction.moved();
    transaction
}

#[test]
fn names_are_read_in_any_case() {
    assert_eq!(
        words("MULTI exec Discard RESET watch UNWATCH GET MULTIX"),
        [
            Word::Multi,
            Word::Exec,
            Word::Discard,
            Word::Reset,
            Word::Watch,
            Word::Unwatch,
            Word::Other,
            Word::Other,
        ]
    );
    assert_eq!(Word::of_name(b""), Word::Other);
}

#[test]
fn it_is_open_from_multi_to_its_end() {
    assert!(after("MULTI").is_open());
    assert!(after("MULTI SET UNWATCH").is_open());
    assert!(after("WATCH MULTI SET").is_open());
    for ended in ["MULTI EXEC", "MULTI DISCARD", "MULTI SET RESET"] {
        assert_eq!(after(ended), Transaction::None, "{ended}");
    }
}

#[test]
fn errors_open_nothing_and_only_that_of_exec_closes() {
    let mut transaction = Transaction::default();
    transaction.answered(Word::Multi, false);
    assert_eq!(transaction, Transaction::None);
    for (word, open) in [
        (Word::Discard, true),
        (Word::Multi, true),
        (Word::Exec, false),
    ] {
        let mut transaction = after("MULTI");
        transaction.answered(word, false);
        assert_eq!(transaction.is_open(), open, "{word:?}");
    }
}

/// `EXEC` without `MULTI` is an error that leaves the watch in place.
#[test]
fn a_watch_ends_with_its_transaction_or_an_unwatch() {
    assert_eq!(after("WATCH GET"), Transaction::Watching);
    assert_eq!(after("WATCH UNWATCH"), Transaction::None);
    assert_eq!(after("WATCH MULTI EXEC"), Transaction::None);
    let mut transaction = after("WATCH");
    transaction.answered(Word::Exec, false);
    assert_eq!(transaction, Transaction::Watching);
}

#[test]
fn a_move_outside_of_a_transaction_is_nothing() {
    for names in ["", "GET", "MULTI EXEC", "WATCH UNWATCH"] {
        assert_eq!(moved(names), Transaction::None, "{names}");
    }
}

#[test]
fn what_follows_an_open_transaction_that_is_gone_is_refused_until_its_end() {
    for (end, verdict) in [("EXEC", Verdict::Refused), ("DISCARD", Verdict::Discarded)] {
        let mut transaction = moved("MULTI SET");
        assert!(!transaction.is_open());
        assert_eq!(judged(&mut transaction, "SET"), Verdict::Refused);
        assert_eq!(judged(&mut transaction, "SET GET"), Verdict::Refused);
        assert_eq!(judged(&mut transaction, end), verdict);
        assert_eq!(judged(&mut transaction, "SET"), Verdict::Send);
    }
}

#[test]
fn a_pipeline_that_ends_a_transaction_that_is_gone_is_refused_as_a_whole() {
    for names in ["SET EXEC", "DISCARD SET", "SET DISCARD MULTI"] {
        let mut transaction = moved("MULTI");
        assert_eq!(judged(&mut transaction, names), Verdict::Refused, "{names}");
        assert_eq!(judged(&mut transaction, "SET"), Verdict::Send, "{names}");
    }
}

#[test]
fn what_begins_anew_is_not_refused() {
    for names in ["MULTI", "MULTI SET EXEC", "WATCH", "RESET"] {
        let mut transaction = moved("MULTI");
        assert_eq!(judged(&mut transaction, names), Verdict::Send, "{names}");
        assert_eq!(judged(&mut transaction, "SET"), Verdict::Send, "{names}");
    }
}

#[test]
fn a_watch_that_is_gone_makes_the_next_exec_void() {
    let mut transaction = moved("WATCH GET");
    assert_eq!(judged(&mut transaction, "GET"), Verdict::Send);
    assert_eq!(judged(&mut transaction, "WATCH"), Verdict::Send);
    transaction.answered(Word::Watch, true);
    assert_eq!(judged(&mut transaction, "MULTI"), Verdict::Send);
    transaction.answered(Word::Multi, true);
    assert!(transaction.is_open());
    assert_eq!(judged(&mut transaction, "SET"), Verdict::Send);
    assert_eq!(
        judged(&mut transaction, "EXEC"),
        Verdict::Void { discard: true }
    );
    assert_eq!(transaction, Transaction::None);
}

#[test]
fn so_does_one_that_is_sent_in_one_piece() {
    let mut transaction = moved("WATCH");
    assert_eq!(
        judged(&mut transaction, "MULTI SET EXEC"),
        Verdict::Void { discard: false }
    );
    assert_eq!(judged(&mut transaction, "MULTI SET EXEC"), Verdict::Send);
}

#[test]
fn an_exec_without_multi_is_the_servers_to_answer() {
    let mut transaction = moved("WATCH");
    assert_eq!(judged(&mut transaction, "EXEC"), Verdict::Send);
    transaction.answered(Word::Exec, false);
    assert_eq!(transaction, Transaction::Unguarded);
}

#[test]
fn whoever_gives_the_watch_up_is_free() {
    let mut transaction = moved("WATCH");
    transaction.answered(Word::Unwatch, true);
    assert_eq!(transaction, Transaction::None);
    let mut transaction = moved("WATCH");
    transaction.answered(Word::Multi, true);
    assert_eq!(judged(&mut transaction, "DISCARD"), Verdict::Send);
    transaction.answered(Word::Discard, true);
    assert_eq!(transaction, Transaction::None);
}

/// The error of an `EXEC` says that the transaction is over; that of a command
/// inside says nothing.
#[test]
fn without_a_reply_only_an_end_counts() {
    for (names, aborted) in [
        ("EXEC", false),
        ("DISCARD", false),
        ("SET", true),
        ("SET EXEC", false),
    ] {
        let mut transaction = after("MULTI");
        transaction.unanswered(words(names).into_iter());
        transaction.moved();
        assert_eq!(transaction == Transaction::Aborted, aborted, "{names}");
    }
    let mut transaction = Transaction::default();
    transaction.unanswered(words("MULTI").into_iter());
    transaction.moved();
    assert_eq!(transaction, Transaction::None);
}

#[test]
fn several_moves_are_as_one() {
    let mut transaction = moved("MULTI");
    transaction.moved();
    assert_eq!(transaction, Transaction::Aborted);
    let mut transaction = moved("WATCH");
    transaction.moved();
    assert_eq!(transaction, Transaction::Unguarded);
    transaction.answered(Word::Multi, true);
    transaction.moved();
    assert_eq!(transaction, Transaction::Aborted);
}
