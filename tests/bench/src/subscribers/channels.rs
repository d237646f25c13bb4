use std::task::{Context, Poll, Waker};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::Crowd;

/// A bounded channel each, to which every new token is sent.
pub(super) struct Channels<T> {
    token: T,
    waker: Waker,
    senders: Vec<Sender<T>>,
    receivers: Vec<Receiver<T>>,
}

impl<T: Clone> Channels<T> {
    pub(super) fn gather(token: T, size: usize, waker: &Waker) -> Self {
        let (senders, mut receivers): (Vec<_>, Vec<Receiver<T>>) =
            std::iter::repeat_with(|| channel(1)).take(size).unzip();
        let mut cx = Context::from_waker(waker);
        for receiver in &mut receivers {
            let _ = receiver.poll_recv(&mut cx);
        }
        Self {
            token,
            waker: waker.clone(),
            senders,
            receivers,
        }
    }
}

impl<T: Clone> Crowd for Channels<T> {
    fn rotate(&mut self) -> usize {
        for sender in &self.senders {
            let _ = sender.try_send(self.token.clone());
        }
        let cx = &mut Context::from_waker(&self.waker);
        let mut reached = 0;
        for receiver in &mut self.receivers {
            let got = matches!(receiver.poll_recv(cx), Poll::Ready(Some(_)));
            reached += usize::from(got && receiver.poll_recv(cx).is_pending());
        }
        reached
    }
}
