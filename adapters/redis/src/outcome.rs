//! How a request ended, as far as its connection is concerned.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The server did it, or some of it.
    Done,
    /// The connection is of no more use: gone, or logged out.
    Lost,
    /// The reply can't belong to the request, nor can those to come.
    OutOfStep,
    /// The server did none of it.
    Refused,
    /// No reply: it may be executed yet, or never.
    Unknown,
}

impl Outcome {
    /// Whether the connection is of no more use.
    pub(crate) fn is_loss(self) -> bool {
        matches!(self, Self::Lost | Self::OutOfStep)
    }
}
