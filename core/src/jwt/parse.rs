use std::fmt;

use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use serde_core::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use super::ClaimError;

/// RFC 7515 omits the padding; some issuers include it.
const BASE64URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

pub(super) fn claims(token: &str) -> Result<Map<String, Value>, ClaimError> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(_signature), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(ClaimError::Malformed);
    };
    if header.is_empty() {
        return Err(ClaimError::Malformed);
    }
    let json = BASE64URL
        .decode(payload)
        .map(Zeroizing::new)
        .map_err(|_| ClaimError::Malformed)?;
    object(&json).map_err(|_| ClaimError::Malformed)
}

fn object(json: &[u8]) -> serde_json::Result<Map<String, Value>> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let object = reader.deserialize_map(NoDuplicates)?;
    reader.end()?;
    Ok(object)
}

/// An object in which each name occurs once.
struct NoDuplicates;

impl<'de> Visitor<'de> for NoDuplicates {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(object)
    }
}
