use std::sync::atomic::AtomicUsize;

use futures::task::{ArcWake, waker};

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
    let noop = futures::task::noop_waker();
    let cx = Context::from_waker(&noop);
    assert!(watch.poll_changed(&mut cursor, &cx).is_pending());
    watch.publish(1);
    watch.publish(2);
    assert!(watch.poll_changed(&mut cursor, &cx).is_ready());
    assert_eq!(watch.read(|value| *value), 2);
    assert!(watch.poll_changed(&mut cursor, &cx).is_pending());
}

#[test]
fn a_late_reader_gets_the_value_at_once_and_an_amended_one_wakes_nobody() {
    let watch = Watch::new(0);
    watch.publish(1);
    let mut cursor = Cursor::default();
    let noop = futures::task::noop_waker();
    let cx = Context::from_waker(&noop);
    assert!(watch.poll_changed(&mut cursor, &cx).is_ready());
    watch.amend(2);
    assert!(watch.poll_changed(&mut cursor, &cx).is_pending());
    assert_eq!(watch.read(|value| *value), 2);
}

#[test]
fn each_wait_is_woken_once_and_leaving_frees_its_slot() {
    let watch = Watch::new(0);
    let woken = Arc::new(Woken::default());
    let waker = waker(Arc::clone(&woken));
    let cx = Context::from_waker(&waker);
    let mut stays = Cursor::default();
    let mut leaves = Cursor::default();
    assert!(watch.poll_changed(&mut stays, &cx).is_pending());
    assert!(watch.poll_changed(&mut leaves, &cx).is_pending());
    watch.leave(&mut leaves);
    watch.publish(1);
    watch.publish(2);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert_eq!(watch.lock().len(), 1);
    watch.leave(&mut stays);
    assert!(watch.lock().is_empty());
}

#[test]
fn no_publication_is_missed_by_a_reader_on_another_thread() {
    let watch = Arc::new(Watch::new(0u32));
    let reader = std::thread::spawn({
        let watch = Arc::clone(&watch);
        move || {
            let mut cursor = Cursor::default();
            futures::executor::block_on(async {
                while watch.read(|value| *value) < 10_000 {
                    futures::future::poll_fn(|cx| watch.poll_changed(&mut cursor, cx)).await;
                }
            });
        }
    });
    (1..=10_000).for_each(|value| watch.publish(value));
    reader.join().unwrap();
}
