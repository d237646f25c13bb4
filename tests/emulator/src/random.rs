//! Unpredictable identifiers and passwords.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::rand::{SecureRandom, SystemRandom};

use crate::EmulatorError;

/// `N` bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], EmulatorError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| EmulatorError::NoRandomness)?;
    Ok(bytes)
}

/// A secret of 192 random bits, in characters that need no escaping in a URL.
pub(crate) fn secret() -> Result<String, EmulatorError> {
    Ok(URL_SAFE_NO_PAD.encode(bytes::<24>()?))
}

/// A random version 4 UUID. For trace ids only, so that predictable
/// randomness is good enough.
pub(crate) fn uuid() -> String {
    let bits = fastrand::u128(..);
    format!(
        "{:08x}-{:04x}-4{:03x}-{:04x}-{:012x}",
        (bits >> 96) as u32,
        (bits >> 80) as u16,
        (bits >> 64) as u16 & 0x0fff,
        (bits >> 48) as u16 & 0x3fff | 0x8000,
        bits as u64 & 0xffff_ffff_ffff
    )
}
