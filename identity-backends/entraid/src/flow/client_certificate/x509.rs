//! Of a certificate (RFC 5280 §4.1) what is needed to tell whose it is and when
//! it is valid. Its signature is for Entra ID to look at.

use std::time::SystemTime;

use der::asn1::{AnyRef, BitStringRef, GeneralizedTime, UtcTime};
use der::{Decode, Reader, SliceReader, Tag, Tagged};

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
        let mut certificate = sequence(&mut reader)?;
        reader.finish()?;
        let to_be_signed = Self::to_be_signed(sequence(&mut certificate)?)?;
        rest(certificate)?;
        Ok(to_be_signed)
    }

    fn to_be_signed(mut reader: SliceReader<'a>) -> der::Result<Self> {
        let version = Tag::ContextSpecific {
            constructed: true,
            number: der::TagNumber(0),
        };
        if Tag::peek(&reader)? == version {
            reader.tlv_bytes()?;
        }
        for _serial_algorithm_issuer in 0..3 {
            reader.tlv_bytes()?;
        }
        let mut validity = sequence(&mut reader)?;
        let (not_before, not_after) = (time(&mut validity)?, time(&mut validity)?);
        validity.finish()?;
        let _subject = reader.tlv_bytes()?;
        let mut key = sequence(&mut reader)?;
        let is_rsa = key.tlv_bytes()? == RSA;
        let bits = BitStringRef::decode(&mut key)?;
        key.finish()?;
        rest(reader)?;
        Ok(Self {
            not_before,
            not_after,
            rsa_key: bits.as_bytes().filter(|_| is_rsa),
        })
    }
}

/// Whether a PKCS#8 key (RFC 5208 §5) is one of RSA.
pub(super) fn is_rsa_key(pkcs8: &[u8]) -> der::Result<bool> {
    let mut key = sequence(&mut SliceReader::new(pkcs8)?)?;
    let _version = key.tlv_bytes()?;
    let is_rsa = key.tlv_bytes()? == RSA;
    rest(key)?;
    Ok(is_rsa)
}

/// What the next SEQUENCE holds. As a reader of its own:
/// `Reader::sequence` is compiled anew for each closure that it is given.
fn sequence<'a>(reader: &mut SliceReader<'a>) -> der::Result<SliceReader<'a>> {
    let any = AnyRef::decode(reader)?;
    any.tag().assert_eq(Tag::Sequence)?;
    SliceReader::new(any.value())
}

/// UTCTime up to 2049, GeneralizedTime after (RFC 5280 §4.1.2.5).
fn time(reader: &mut SliceReader<'_>) -> der::Result<SystemTime> {
    let since = if Tag::peek(reader)? == Tag::UtcTime {
        UtcTime::decode(reader)?.to_unix_duration()
    } else {
        GeneralizedTime::decode(reader)?.to_unix_duration()
    };
    Ok(SystemTime::UNIX_EPOCH + since)
}

fn rest(mut reader: SliceReader<'_>) -> der::Result<()> {
    while !reader.is_finished() {
        reader.tlv_bytes()?;
    }
    Ok(())
}
