use zeroize::Zeroizing;

/// What was found in a file, in its order and not yet looked into.
#[derive(Default)]
pub(super) struct Contents {
    /// Each as DER.
    pub(super) certificates: Vec<Vec<u8>>,
    pub(super) keys: Vec<PrivateKey>,
}

pub(super) enum PrivateKey {
    /// RFC 8017, appendix A.1.2.
    Pkcs1(Zeroizing<Vec<u8>>),
    /// RFC 5208.
    Pkcs8(Zeroizing<Vec<u8>>),
    /// Of a kind that can't sign here, and which.
    Other(&'static str),
}
