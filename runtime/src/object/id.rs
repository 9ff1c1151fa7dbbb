//! Ids of objects, made as workerd makes them: half of an id is its own, the
//! other half says whose namespace it is of.

use std::fmt;

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What is an id's own; the rest authenticates it.
const BASE: usize = 16;

/// 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 32]);

/// A text that is no id of a namespace.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadObjectId {
    #[error("Invalid Durable Object ID: must be 64 hex digits")]
    NotHex,
    #[error("Durable Object ID is not valid for this namespace.")]
    NotOfNamespace,
}

impl ObjectId {
    /// The id that a name has in a namespace.
    pub fn from_name(key: &str, name: &str) -> Self {
        Self::complete(key, &mac(key, name.as_bytes())[..BASE])
    }

    /// An id that no other call gives.
    pub fn unique(key: &str) -> Result<Self, getrandom::Error> {
        let mut base = [0; BASE];
        getrandom::fill(&mut base)?;
        Ok(Self::complete(key, &base))
    }

    /// Reads an id of a namespace.
    pub fn parse(key: &str, text: &str) -> Result<Self, BadObjectId> {
        let id = from_hex(text).ok_or(BadObjectId::NotHex)?;
        let sound = Self::complete(key, &id[..BASE]).0.ct_eq(&id);
        if bool::from(sound) {
            Ok(Self(id))
        } else {
            Err(BadObjectId::NotOfNamespace)
        }
    }

    fn complete(key: &str, base: &[u8]) -> Self {
        let mut id = [0; 32];
        id[..BASE].copy_from_slice(base);
        id[BASE..].copy_from_slice(&mac(key, base)[..32 - BASE]);
        Self(id)
    }
}

fn mac(key: &str, message: &[u8]) -> [u8; 32] {
    let key = Sha256::digest(key.as_bytes());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any size");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let text = text.as_bytes();
    let mut bytes = [0; 32];
    if text.len() != 64 {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        let digit = |at: usize| char::from(pair[at]).to_digit(16);
        *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
    }
    Some(bytes)
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ObjectId({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_of_one_namespace() {
        let id = ObjectId::from_name("a", "name");
        assert_eq!(id, ObjectId::from_name("a", "name"));
        assert_ne!(id, ObjectId::from_name("b", "name"));
        assert_ne!(id, ObjectId::from_name("a", "other"));
        let text = id.to_string();
        assert_eq!(ObjectId::parse("a", &text), Ok(id));
        assert_eq!(ObjectId::parse("a", &text.to_uppercase()), Ok(id));
        assert_eq!(
            ObjectId::parse("b", &text),
            Err(BadObjectId::NotOfNamespace)
        );
        for bad in ["", "ab", &text[1..], &format!("+{}", &text[1..])] {
            assert_eq!(ObjectId::parse("a", bad), Err(BadObjectId::NotHex), "{bad}");
        }
        let unique = ObjectId::unique("a").expect("the system has randomness");
        assert_eq!(ObjectId::parse("a", &unique.to_string()), Ok(unique));
    }
}
