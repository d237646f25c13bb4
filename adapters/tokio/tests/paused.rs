//! Time is tokio's: paused, it advances only when every task waits for it.

use std::time::{Duration, Instant};

use redis_authx::Runtime;
use redis_authx_tokio::{OnTokio, Tokio};
use tokio::runtime::Handle;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[tokio::test(start_paused = true)]
async fn paused_time_moves_only_by_sleeping() {
    for runtime in [&Tokio as &dyn Runtime, &OnTokio::new(Handle::current())] {
        let begin = runtime.now();
        let real = Instant::now();
        while real.elapsed() < Duration::from_millis(5) {}
        assert_eq!(runtime.now(), begin);

        let deadline = begin + YEAR;
        runtime.sleep_until(deadline).await;
        assert!(runtime.now() >= deadline);
    }
}
