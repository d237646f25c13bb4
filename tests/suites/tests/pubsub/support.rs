//! A subscriber and what it reads.

use redis::Msg;
use redis_authx_redis::AuthPubSub;
use redis_authx_suites::{Arrived, Bed, PATIENCE};

/// The next message, which has to come.
pub(crate) async fn next(messages: &mut AuthPubSub) -> Msg {
    let message = tokio::time::timeout(PATIENCE, messages.next()).await;
    message.expect("a message").expect("not the end")
}

pub(crate) async fn next_payload(messages: &mut AuthPubSub) -> String {
    next(messages).await.get_payload().unwrap()
}

/// Waits until the subscriber has the newest token.
pub(crate) async fn settled(bed: &Bed, messages: &AuthPubSub) {
    bed.until("the subscriber has the newest token", |bed| {
        messages.status().generation == bed.manager.status().generation
    })
    .await;
}

pub(crate) fn note(arrived: &mut Arrived, message: &Msg) {
    let pattern: Option<String> = message.get_pattern().unwrap();
    let payload: String = message.get_payload().unwrap();
    arrived.note(pattern.as_deref(), message.get_channel_name(), &payload);
}

/// Reads until as many have come as were published, and a last one that only
/// comes after those.
pub(crate) async fn collect(mut messages: AuthPubSub, end: &str) -> (AuthPubSub, Arrived) {
    let mut arrived = Arrived::default();
    loop {
        let message = next(&mut messages).await;
        if message.get_channel_name() == end {
            return (messages, arrived);
        }
        note(&mut arrived, &message);
    }
}
