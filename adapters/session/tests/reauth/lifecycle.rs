//! Sessions come and go, and nothing is left behind.

use std::sync::Arc;
use std::time::Duration;

use redis_authx::testing::{ManualClock, ScriptedProvider, hours, minutes, seconds};
use redis_authx::{ManagerState, ReauthPolicy, Runtime, TokenManager};
use redis_authx_session::Reauthenticator;

use crate::support::clocks::NoTasks;

use super::fleet::{Act, Fleet, Reply, done};

#[test]
fn a_session_that_is_dropped_is_renewed_no_more() {
    let mut fleet = Fleet::new(hours(1));
    let sessions: Vec<_> = (0..5).map(|_| fleet.join(done)).collect();
    assert_eq!(fleet.manager.status().connections, 5);
    let kept = sessions.into_iter().nth(3).unwrap();
    assert_eq!(fleet.manager.status().connections, 1);
    fleet.run.advance(minutes(59));
    let asked = fleet.asked();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].session, kept.number());
}

#[test]
fn a_session_dropped_while_its_auth_runs_ends_with_it() {
    let mut fleet = Fleet::new(hours(1));
    let session = fleet.join(|_, _| Reply::Hang);
    fleet.run.advance(minutes(45));
    assert_eq!(fleet.open(), 1);
    drop(session);
    fleet.run.advance(seconds(5));
    assert_eq!(fleet.open(), 0);
    fleet.run.advance(hours(2));
    assert_eq!(fleet.asked().len(), 1);
    assert_eq!(fleet.manager.status().connections, 0);
}

#[test]
fn a_registration_dropped_while_its_auth_runs_frees_its_place() {
    let policy = ReauthPolicy::builder().max_in_flight(1).build().unwrap();
    let mut fleet = Fleet::with(&ManualClock::new(), policy, |n| {
        crate::support::numbered(n, hours(1))
    });
    let hangs = fleet.join(|_, _| Reply::Hang);
    let other = fleet.join(done);
    fleet.run.advance(minutes(45));
    assert_eq!(fleet.open(), 1);
    hangs.unregister();
    fleet.run.settle();
    assert_eq!(fleet.open(), 0, "cut short at once");
    fleet.run.advance(minutes(10));
    assert_eq!(other.status().generation, 2);
    assert_eq!(fleet.open(), 0);
    let hung = fleet
        .asked()
        .iter()
        .filter(|asked| asked.session == 0)
        .count();
    assert_eq!(hung, 1);
}

#[test]
fn the_last_handle_ends_the_task() {
    let time = ManualClock::new();
    let provider = ScriptedProvider::new().token("a", hours(1));
    let manager = TokenManager::builder(provider).spawn(time.clone()).unwrap();
    let mut run = time.run(async {});
    let runtime: Arc<dyn Runtime> = Arc::new(time.clone());
    let reauth = Reauthenticator::spawn(
        &manager.credentials(),
        ReauthPolicy::default(),
        Arc::clone(&runtime),
    )
    .unwrap();
    let another = reauth.clone();
    run.settle();
    let with_task = Arc::strong_count(&runtime);
    drop(reauth);
    run.settle();
    assert_eq!(Arc::strong_count(&runtime), with_task - 1);
    drop(another);
    run.settle();
    assert_eq!(Arc::strong_count(&runtime), 1, "the task holds it no more");
    assert_eq!(manager.status().state, ManagerState::Valid);

    // Without it nothing keeps the manager: its last handle stops it.
    drop(manager);
    run.settle();
    assert_eq!(time.timers(), 0);
}

#[test]
fn a_registration_keeps_the_task_and_the_manager() {
    let fleet = Fleet::new(hours(1));
    let session = fleet.join(done);
    let Fleet {
        manager,
        reauth,
        mut run,
        time,
        ..
    } = fleet;
    drop((manager, reauth));
    run.advance(minutes(46));
    assert_eq!(session.status().generation, 2);
    drop(session);
    run.settle();
    assert_eq!(time.timers(), 0);
}

#[test]
fn after_the_manager_has_stopped_nothing_runs_and_handles_are_harmless() {
    let mut fleet = Fleet::new(hours(1));
    let session = fleet.join(|_, _| Reply::Hang);
    fleet.run.advance(minutes(45));
    assert_eq!(fleet.open(), 1);
    fleet.manager.stop();
    fleet.run.settle();
    assert_eq!(fleet.open(), 0);
    assert_eq!(fleet.time.timers(), 0);
    session.disconnect();
    session.tell_ready();
    fleet.run.advance(hours(1));
    assert_eq!(fleet.asked().len(), 1);
    assert_eq!(session.status().expires_in, Some(Duration::ZERO));
}

#[test]
fn after_the_manager_has_stopped_no_session_is_kept() {
    let mut fleet = Fleet::new(hours(1));
    let token = fleet.manager.credentials().current().unwrap();
    fleet.manager.stop();
    fleet.run.settle();
    let session = fleet.join_with(&token, done);
    assert_eq!(Arc::weak_count(&session), 0, "a notice nobody reads");
}

#[test]
fn each_connection_has_its_own_status() {
    let mut fleet = Fleet::new(hours(1));
    let good = fleet.join(done);
    let bad = fleet.join(|act, _| match act {
        Act::Auth => Reply::Fail(redis_authx::ReauthErrorKind::Other),
        Act::Replace => Reply::Hang,
    });
    assert_ne!(good.status().connection, bad.status().connection);
    fleet.run.advance(minutes(50));
    let (good, bad) = (good.status(), bad.status());
    assert_eq!((good.generation, bad.generation), (2, 1));
    assert!(good.last_error.is_none() && bad.last_error.is_some());
    assert_eq!(bad.expires_in, Some(minutes(10)));
    assert!(good.expires_in.unwrap() > minutes(54));
}

#[test]
fn a_session_that_is_gone_while_its_registration_is_kept_holds_up_no_other() {
    let policy = ReauthPolicy::builder().max_in_flight(1).stagger(0.0);
    let mut fleet = Fleet::with(&ManualClock::new(), policy.build().unwrap(), |n| {
        crate::support::numbered(n, hours(1))
    });
    let [one, two, stays] = [fleet.join(done), fleet.join(done), fleet.join(done)];
    let kept = [one.take_registration(), two.take_registration()];
    drop((one, two));
    fleet.run.advance(minutes(46));
    assert_eq!(stays.status().generation, 2);
    fleet.run.advance(minutes(45));
    assert_eq!(stays.status().generation, 3);
    assert!(kept.iter().all(|one| one.status().generation == 1));
    assert_eq!(fleet.asked().len(), 2);
}

#[test]
fn a_runtime_that_refuses_the_task_is_an_error() {
    let fleet = Fleet::new(hours(1));
    let runtime = Arc::new(NoTasks(fleet.time.clone()));
    let credentials = fleet.manager.credentials();
    let refused = Reauthenticator::spawn(&credentials, ReauthPolicy::default(), runtime);
    assert_eq!(refused.err(), Some(NoTasks::error()));
}

#[test]
fn no_debug_output_or_event_shows_a_token() {
    let fleet = Fleet::new(hours(1));
    let session = fleet.join(done);
    let before = format!("{:?}", fleet.reauth);
    let mut fleet = fleet;
    fleet.run.advance(minutes(46));
    let registration = session.take_registration();
    let after = format!(
        "{:?} {:#?} {registration:?}",
        fleet.reauth,
        fleet.events.take()
    );
    for shown in [before, after] {
        assert!(!shown.contains("token-"), "{shown}");
    }
}
