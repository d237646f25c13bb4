//! JSON objects that may hold secrets. What the parser says is dropped: it would
//! quote them.

use std::fmt;

use serde_core::de::{Deserializer, Error, MapAccess, Visitor};
use serde_json::{Map, Value};
use zeroize::{Zeroize, Zeroizing};

/// The members of an object. Its texts are wiped from memory with it.
pub(crate) struct Object(Map<String, Value>);

/// No object, or not of the shape that was asked for.
#[derive(Debug)]
pub(crate) struct Unreadable;

impl Object {
    /// A name that stands twice makes it unreadable: readers differ in which
    /// one they take.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, Unreadable> {
        let mut reader = serde_json::Deserializer::from_slice(json);
        let object = reader.deserialize_map(Members).map_err(|_| Unreadable)?;
        reader.end().map_err(|_| Unreadable)?;
        Ok(object)
    }

    /// `None` when it is not there, or null.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// Takes a text out; `None` when it is not there, or null.
    pub(crate) fn take_text(
        &mut self,
        name: &str,
    ) -> Result<Option<Zeroizing<String>>, Unreadable> {
        match self.0.get_mut(name).map(Value::take) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(Zeroizing::new(text))),
            Some(_) => Err(Unreadable),
        }
    }
}

impl Drop for Object {
    fn drop(&mut self) {
        for value in self.0.values_mut() {
            if let Value::String(text) = value {
                text.zeroize();
            }
        }
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut object = Object(Map::new());
        while let Some(name) = map.next_key::<String>()? {
            if object.0.contains_key(&name) {
                return Err(A::Error::custom("a name stands twice"));
            }
            object.0.insert(name, map.next_value()?);
        }
        Ok(object)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_by_name() {
        let mut object =
            Object::parse(br#" {"a":"t\u0041","b":null,"c":[7]} "#).expect("an object");
        assert_eq!(
            object.get("c").map(Value::to_string).as_deref(),
            Some("[7]")
        );
        assert!(object.get("b").is_none() && object.get("d").is_none());
        let mut text = |name| object.take_text(name);
        assert_eq!(
            text("a").expect("a text").as_deref().map(String::as_str),
            Some("tA")
        );
        assert!(text("a").expect("taken").is_none());
        assert!(text("b").expect("null").is_none());
        assert!(text("d").expect("not there").is_none());
        assert!(text("c").is_err());
    }

    #[test]
    fn what_is_no_object_is_unreadable() {
        let deep = "[".repeat(100_000);
        let deep = format!(r#"{{"a":{deep}"#);
        for odd in [
            "",
            "null",
            "7",
            "[]",
            "{",
            "{} x",
            r#"{"a":1,"a":1}"#,
            &deep,
        ] {
            assert!(Object::parse(odd.as_bytes()).is_err(), "{odd:.20}");
        }
        assert!(Object::parse(b"{\"\xff\":1}").is_err());
    }
}
