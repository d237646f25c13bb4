use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::task::{ArcWake, waker};

use super::*;

#[derive(Default)]
struct Woken(AtomicUsize);

impl ArcWake for Woken {
    fn wake_by_ref(woken: &Arc<Self>) {
        woken.0.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn a_reader_sees_the_latest_value_once() {
    let watch = Watch::new(0);
    let mut cursor = Cursor::default();
    let noop = futures_util::task::noop_waker();
    let cx = Context::from_waker(&noop);
    assert!(watch.poll_changed(&mut cursor, &cx, |_| ()).is_pending());
    watch.publish(1);
    watch.publish(2);
    let seen = watch.poll_changed(&mut cursor, &cx, |value| *value);
    assert_eq!(seen, Poll::Ready(2));
    assert_eq!(watch.read(|value| *value), 2);
    assert!(watch.poll_changed(&mut cursor, &cx, |_| ()).is_pending());
}

#[test]
fn a_late_reader_gets_the_value_at_once_and_again_when_it_is_republished() {
    let watch = Watch::new(0);
    watch.publish(1);
    let mut cursor = Cursor::default();
    let noop = futures_util::task::noop_waker();
    let cx = Context::from_waker(&noop);
    assert!(watch.poll_changed(&mut cursor, &cx, |_| ()).is_ready());
    assert!(watch.poll_changed(&mut cursor, &cx, |_| ()).is_pending());
    watch.republish();
    let seen = watch.poll_changed(&mut cursor, &cx, |value| *value);
    assert_eq!(seen, Poll::Ready(1));
}

#[test]
fn each_wait_is_woken_once_and_leaving_frees_its_slot() {
    let watch = Watch::new(0);
    let woken = Arc::new(Woken::default());
    let waker = waker(Arc::clone(&woken));
    let cx = Context::from_waker(&waker);
    let mut stays = Cursor::default();
    let mut leaves = Cursor::default();
    assert!(watch.poll_changed(&mut stays, &cx, |_| ()).is_pending());
    assert!(watch.poll_changed(&mut leaves, &cx, |_| ()).is_pending());
    watch.leave(&mut leaves);
    watch.publish(1);
    watch.publish(2);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert_eq!(watch.lock().len(), 1);
    watch.leave(&mut stays);
    assert!(watch.lock().is_empty());
}

#[test]
fn a_reader_on_another_thread_misses_nothing_and_sees_nothing_twice() {
    const LAST: u32 = 20_000;
    let watch = Arc::new(Watch::new(0u32));
    let reader = std::thread::spawn({
        let watch = Arc::clone(&watch);
        move || {
            let mut cursor = Cursor::default();
            let mut seen = 0;
            while seen < LAST {
                let changed = futures_util::future::poll_fn(|cx| {
                    watch.poll_changed(&mut cursor, cx, |value| *value)
                });
                let value = futures::executor::block_on(changed);
                assert!(value > seen, "{value} after {seen}");
                seen = value;
            }
        }
    });
    (1..=LAST).for_each(|value| watch.publish(value));
    reader.join().unwrap();
}

/// Leaves the watch when it is dropped, as a reader inside a task does.
struct Leaves(Arc<Watch<Option<Self>>>, Mutex<Cursor>);

impl ArcWake for Leaves {
    fn wake_by_ref(_: &Arc<Self>) {}
}

impl Drop for Leaves {
    fn drop(&mut self) {
        self.0.leave(&mut self.1.lock().unwrap());
    }
}

#[test]
fn wakers_and_values_may_use_the_watch_when_they_are_dropped() {
    let watch = Arc::new(Watch::new(None));
    let leaves = || {
        let noop = futures_util::task::noop_waker();
        let mut cursor = Cursor::default();
        let cx = Context::from_waker(&noop);
        assert!(watch.poll_changed(&mut cursor, &cx, |_| ()).is_pending());
        Leaves(Arc::clone(&watch), Mutex::new(cursor))
    };
    let mut cursor = Cursor::default();
    let noop = futures_util::task::noop_waker();
    let last = waker(Arc::new(leaves()));
    let cx = Context::from_waker(&last);
    assert!(watch.poll_changed(&mut cursor, &cx, |_| ()).is_pending());
    drop(last); // the watch holds the only one now
    let cx = Context::from_waker(&noop);
    assert!(watch.poll_changed(&mut cursor, &cx, |_| ()).is_pending());
    assert_eq!(watch.lock().len(), 1);

    watch.publish(Some(leaves_of(&watch)));
    watch.publish(None);
    assert_eq!(watch.lock().len(), 1);
}

fn leaves_of(watch: &Arc<Watch<Option<Leaves>>>) -> Leaves {
    Leaves(Arc::clone(watch), Mutex::default())
}
