//! The spawner: what a task may rely on.

use std::sync::Arc;

use futures::StreamExt;
use futures::channel::{mpsc, oneshot};
use futures::future;
use redis_authx::testing::millis;
use redis_authx::{Clock, Runtime, Spawner};

use crate::support::{Alive, on_a_thread, task, until};

pub(crate) async fn a_task_outlives_everything_its_spawner_held(runtime: impl Runtime) {
    let runtime = Arc::new(runtime);
    let (done, ended) = oneshot::channel();
    let clock = Arc::clone(&runtime);
    runtime
        .spawn(Box::pin(async move {
            for _ in 0..3 {
                clock.sleep_until(clock.now() + millis(10)).await;
            }
            let _ = done.send(());
        }))
        .unwrap();
    drop(runtime);
    ended.await.expect("the task ran to its end");
}

/// Which goes on after the first has ended.
pub(crate) async fn a_task_spawns_another(runtime: impl Runtime + Clone) {
    let outer = runtime.clone();
    let alive = Alive::default();
    let outer_task = alive.watch();
    let (done, ended) = oneshot::channel();
    runtime
        .spawn(Box::pin(async move {
            let _alive = alive;
            let clock = outer.clone();
            outer
                .spawn(Box::pin(async move {
                    until(&clock, || outer_task.gone()).await;
                    let _ = done.send(());
                }))
                .unwrap();
            outer.sleep_until(outer.now() + millis(5)).await;
        }))
        .unwrap();
    ended.await.expect("the inner task ran to its end");
}

pub(crate) async fn a_task_is_dropped_once_it_has_ended(runtime: impl Runtime) {
    let alive = Alive::default();
    let watch = alive.watch();
    task(&runtime, async move {
        let _alive = alive;
        std::future::ready(()).await;
    })
    .await;
    until(&runtime, || watch.gone()).await;
}

pub(crate) async fn many_tasks_run_at_a_time(runtime: impl Runtime) {
    const TASKS: usize = 100;
    // Each task waits for all of them: none may need another's end to begin.
    let (arrive, mut arrivals) = mpsc::unbounded();
    let mut gates = Vec::new();
    let tasks: Vec<_> = (0..TASKS)
        .map(|number| {
            let (open, gate) = oneshot::channel::<()>();
            gates.push(open);
            let arrive = arrive.clone();
            task(&runtime, async move {
                arrive.unbounded_send(()).unwrap();
                gate.await.unwrap();
                number
            })
        })
        .collect();
    for _ in 0..TASKS {
        arrivals.next().await.unwrap();
    }
    for gate in gates {
        gate.send(()).unwrap();
    }
    let ended = future::join_all(tasks).await;
    assert_eq!(ended, (0..TASKS).collect::<Vec<_>>());
}

pub(crate) async fn wake_ups_from_another_thread_are_not_lost(runtime: impl Runtime) {
    const ROUNDS: u32 = 2_000;
    let (to_thread, mut from_task) = mpsc::unbounded();
    let (to_task, mut from_thread) = mpsc::unbounded();
    let thread = on_a_thread(move || {
        let mut count = 0;
        futures::executor::block_on(async {
            while let Some(ball) = from_task.next().await {
                count += 1;
                to_task.unbounded_send(ball).unwrap();
            }
        });
        count
    });
    task(&runtime, async move {
        for ball in 0..ROUNDS {
            to_thread.unbounded_send(ball).unwrap();
            assert_eq!(from_thread.next().await, Some(ball));
        }
    })
    .await;
    assert_eq!(thread.await, ROUNDS);
}

pub(crate) async fn a_runtime_is_used_as_a_trait_object(runtime: impl Runtime) {
    let runtime: Arc<dyn Runtime> = Arc::new(runtime);
    let clock: Arc<dyn Clock> = Arc::<dyn Runtime>::clone(&runtime);
    let spawner: Arc<dyn Spawner> = runtime;
    let deadline = clock.now() + millis(5);
    let sleep = clock.sleep_until(deadline);
    task(&spawner, sleep).await;
    assert!(clock.now() >= deadline);
    assert!(!format!("{clock:?} {spawner:?}").is_empty());
}

pub(crate) async fn a_panicking_task_takes_no_other_with_it(runtime: impl Runtime + Clone) {
    let clock = runtime.clone();
    let (panicked, sees_panic) = oneshot::channel::<()>();
    let other = task(&runtime, async move {
        let _ = sees_panic.await;
        clock.sleep_until(clock.now() + millis(10)).await;
    });
    let alive = Alive::default();
    let watch = alive.watch();
    runtime
        .spawn(Box::pin(async move {
            let _held = (panicked, alive);
            std::future::ready(()).await;
            panic!("this task does");
        }))
        .unwrap();
    other.await;
    until(&runtime, || watch.gone()).await;
    assert_eq!(task(&runtime, async { 7 }).await, 7);
}
