//! Work that blocks its thread, on the pool that `blocking` keeps for it.
//!
//! To the pool all of it is of one type: what runs a job is compiled anew for
//! each type of job, which made up a seventh of this crate.

use futures::channel::oneshot;

type Job = Box<dyn FnOnce() + Send>;

/// Does `work` on a thread of the pool. Dropping the future leaves work that
/// has begun to end by itself, and takes back what has not. A panic is passed
/// on.
pub(crate) async fn unblock<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = oneshot::channel();
    let job: Job = Box::new(move || {
        // Nobody may be waiting any more.
        let _ = done.send(work());
    });
    ::blocking::unblock(job).await;
    let result = result.await;
    result.unwrap_or_else(|_| unreachable!("work without a result has panicked, and so has this"))
}

/// Does `work` on a thread of the pool, whoever waits.
pub(crate) fn detached(work: impl FnOnce() + Send + 'static) {
    let job: Job = Box::new(work);
    ::blocking::unblock(job).detach();
}

#[cfg(test)]
mod tests {
    use futures::executor::block_on;

    use super::*;

    #[test]
    fn work_brings_its_result() {
        assert_eq!(block_on(unblock(|| "done".to_owned())), "done");
    }

    #[test]
    #[should_panic(expected = "no luck")]
    fn a_panic_is_passed_on() {
        block_on(unblock(|| panic!("no luck")))
    }

    #[test]
    fn detached_work_is_done() {
        let (done, result) = oneshot::channel();
        detached(move || done.send(7).expect("somebody waits"));
        assert_eq!(block_on(result), Ok(7));
    }
}
