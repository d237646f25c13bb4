use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::task::noop_waker;
use loom::future::block_on;
use loom::thread;

use super::explore;
use crate::watch::{Cursor, Watch};

/// Reads news until `last` has come; they never go back and never repeat.
fn read_until(watch: &Watch<u32>, cursor: &mut Cursor, last: u32) {
    let mut seen = 0;
    while seen < last {
        let news = std::future::poll_fn(|cx| watch.poll_changed(cursor, cx, |value| *value));
        let value = block_on(news);
        assert!(value > seen, "{value} after {seen}");
        seen = value;
    }
    watch.leave(cursor);
}

/// Waits once, without being there to be woken.
fn wait(watch: &Watch<u32>, cursor: &mut Cursor) -> Poll<u32> {
    let waker = noop_waker();
    watch.poll_changed(cursor, &Context::from_waker(&waker), |value| *value)
}

fn nobody_waits(watch: &Watch<u32>) -> bool {
    watch.lock().is_empty()
}

#[test]
fn no_wake_up_is_lost() {
    explore(8, || {
        let watch = Arc::new(Watch::new(0));
        let reader = thread::spawn({
            let watch = Arc::clone(&watch);
            move || read_until(&watch, &mut Cursor::default(), 2)
        });
        watch.publish(1);
        watch.publish(2);
        reader.join().unwrap();
        assert!(nobody_waits(&watch));
    });
}

#[test]
fn one_publication_wakes_all_readers() {
    explore(3, || {
        let watch = Arc::new(Watch::new(0));
        let readers: Vec<_> = (0..2)
            .map(|_| {
                let watch = Arc::clone(&watch);
                thread::spawn(move || read_until(&watch, &mut Cursor::default(), 1))
            })
            .collect();
        watch.publish(1);
        readers
            .into_iter()
            .for_each(|reader| reader.join().unwrap());
        assert!(nobody_waits(&watch));
    });
}

#[test]
fn a_reader_that_leaves_while_it_is_woken_takes_no_wake_up_with_it() {
    explore(8, || {
        let watch = Arc::new(Watch::new(0));
        let mut leaves = Cursor::default();
        assert!(wait(&watch, &mut leaves).is_pending());
        let publisher = thread::spawn({
            let watch = Arc::clone(&watch);
            move || watch.publish(1)
        });
        // May get the very slot that is given up meanwhile.
        let stays = thread::spawn({
            let watch = Arc::clone(&watch);
            move || read_until(&watch, &mut Cursor::default(), 1)
        });
        watch.leave(&mut leaves);
        publisher.join().unwrap();
        stays.join().unwrap();
        assert!(nobody_waits(&watch));
    });
}

#[test]
fn a_reader_that_moved_to_another_task_is_woken_there() {
    explore(8, || {
        let watch = Arc::new(Watch::new(0));
        let mut cursor = Cursor::default();
        assert!(wait(&watch, &mut cursor).is_pending());
        let publisher = thread::spawn({
            let watch = Arc::clone(&watch);
            move || watch.publish(1)
        });
        read_until(&watch, &mut cursor, 1);
        publisher.join().unwrap();
        assert!(nobody_waits(&watch));
    });
}

#[test]
fn a_value_that_is_republished_hides_no_publication() {
    explore(8, || {
        let watch = Arc::new(Watch::new(0));
        let reader = thread::spawn({
            let watch = Arc::clone(&watch);
            move || {
                let (mut cursor, mut seen) = (Cursor::default(), 0);
                while seen < 1 {
                    let next =
                        std::future::poll_fn(|cx| watch.poll_changed(&mut cursor, cx, |v| *v));
                    let value = block_on(next);
                    assert!(value >= seen, "{value} after {seen}");
                    seen = value;
                }
                watch.leave(&mut cursor);
            }
        });
        let republishes = thread::spawn({
            let watch = Arc::clone(&watch);
            move || watch.republish()
        });
        watch.publish(1);
        reader.join().unwrap();
        republishes.join().unwrap();
        assert_eq!(watch.read(|value| *value), 1);
        assert!(nobody_waits(&watch));
    });
}

#[test]
fn what_was_published_before_a_reader_started_is_read() {
    explore(8, || {
        let watch = Arc::new(Watch::new(0));
        watch.publish(1);
        let reader = thread::spawn({
            let watch = Arc::clone(&watch);
            move || {
                let first = watch.read(|value| *value);
                let second = watch.read(|value| *value);
                assert!(1 <= first && first <= second, "{second} after {first}");
            }
        });
        watch.publish(2);
        reader.join().unwrap();
        assert_eq!(watch.read(|value| *value), 2);
    });
}
