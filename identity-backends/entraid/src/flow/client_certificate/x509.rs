//! Of a certificate (RFC 5280 §4.1) what is needed to tell whose it is and when
//! it is valid. Its signature is for Entra ID to look at.

use std::time::SystemTime;

use der::asn1::{BitStringRef, GeneralizedTime, UtcTime};
use der::{Decode, Reader, SliceReader, Tag};

/// The algorithm `rsaEncryption` with its NULL (RFC 3279 §2.3.1).
const RSA: &[u8] = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificate<'a> {
    pub(super) not_before: SystemTime,
    pub(super) not_after: SystemTime,
    /// An RSAPublicKey (RFC 8017, appendix A.1.1); `None` for another
    /// algorithm.
    pub(super) rsa_key: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    pub(super) fn parse(der: &'a [u8]) -> der::Result<Self> {
        let mut reader = SliceReader::new(der)?;
        let certificate = reader.sequence(|outer| {
            let certificate = outer.sequence(Self::to_be_signed)?;
            rest(outer)?;
            Ok::<_, der::Error>(certificate)
        })?;
        reader.finish()?;
        Ok(certificate)
    }

    fn to_be_signed(reader: &mut SliceReader<'a>) -> der::Result<Self> {
        let version = Tag::ContextSpecific {
            constructed: true,
            number: der::TagNumber(0),
        };
        if Tag::peek(reader)? == version {
            reader.tlv_bytes()?;
        }
        for _serial_algorithm_issuer in 0..3 {
            reader.tlv_bytes()?;
        }
        let (not_before, not_after) =
            reader.sequence(|validity| Ok::<_, der::Error>((time(validity)?, time(validity)?)))?;
        let _subject = reader.tlv_bytes()?;
        let rsa_key = reader.sequence(|key| {
            let is_rsa = key.tlv_bytes()? == RSA;
            let bits = BitStringRef::decode(key)?;
            Ok::<_, der::Error>(bits.as_bytes().filter(|_| is_rsa))
        })?;
        rest(reader)?;
        Ok(Self {
            not_before,
            not_after,
            rsa_key,
        })
    }
}

/// Whether a PKCS#8 key (RFC 5208 §5) is one of RSA.
pub(super) fn is_rsa_key(pkcs8: &[u8]) -> der::Result<bool> {
    SliceReader::new(pkcs8)?.sequence(|key| {
        let _version = key.tlv_bytes()?;
        let is_rsa = key.tlv_bytes()? == RSA;
        rest(key)?;
        Ok(is_rsa)
    })
}

/// UTCTime up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5).
fn time(reader: &mut SliceReader<'_>) -> der::Result<SystemTime> {
    if Tag::peek(reader)? == Tag::UtcTime {
        Ok(UtcTime::decode(reader)?.to_system_time())
    } else {
        Ok(GeneralizedTime::decode(reader)?.to_system_time())
    }
}

fn rest(reader: &mut SliceReader<'_>) -> der::Result<()> {
    while !reader.is_finished() {
        reader.tlv_bytes()?;
    }
    Ok(())
}
