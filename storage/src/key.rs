//! What an object is known by.

use std::fmt;

/// One class's objects; given by the node's catalogue, and kept when the class
/// is renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NamespaceId(pub u64);

/// 32 bytes, written as 64 hexadecimal digits, as Workers write them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectId(pub [u8; 32]);

impl ObjectId {
    /// From 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        let text = text.as_bytes();
        let mut bytes = [0; 32];
        if text.len() != 64 {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            let digit = |at: usize| char::from(pair[at]).to_digit(16);
            *byte = u8::try_from(digit(0)? * 16 + digit(1)?).ok()?;
        }
        Some(Self(bytes))
    }
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

/// Where the databases of a namespace's objects are, relative to the store's folder.
pub(crate) fn folder(namespace: NamespaceId) -> String {
    format!("objects/{:016x}", namespace.0)
}

/// An object of a node or cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectKey {
    pub namespace: NamespaceId,
    pub id: ObjectId,
}

impl ObjectKey {
    /// Where its database is, relative to the store's folder. The first byte of
    /// the id fans the files out over 256 folders.
    pub(crate) fn path(&self) -> String {
        let id = self.id.to_string();
        format!("{}/{}/{id}.sqlite", folder(self.namespace), &id[..2])
    }

    /// The object whose database is at `path`.
    pub(crate) fn from_path(path: &str) -> Option<Self> {
        let mut parts = path.strip_prefix("objects/")?.split('/');
        let namespace = u64::from_str_radix(parts.next()?, 16).ok()?;
        let id = parts.nth(1)?.strip_suffix(".sqlite")?;
        Some(Self {
            namespace: NamespaceId(namespace),
            id: ObjectId::from_hex(id)?,
        })
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}/{}", self.namespace.0, self.id)
    }
}

/// Which owner of an object made a commit; a new owner has a higher one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u64);

/// A commit's place in its log: higher is later, over all objects, and none is
/// used twice.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Seq(pub u64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_its_object() {
        let key = ObjectKey {
            namespace: NamespaceId(7),
            id: ObjectId([0xab; 32]),
        };
        assert_eq!(ObjectKey::from_path(&key.path()), Some(key));
        let id = key.id.to_string();
        assert_eq!(ObjectId::from_hex(&id.to_uppercase()), Some(key.id));
        for bad in [
            "",
            "ab",
            &id[1..],
            &format!("{}g", &id[1..]),
            &format!("+{}", &id[1..]),
        ] {
            assert_eq!(ObjectId::from_hex(bad), None, "{bad}");
        }
    }
}
