//! Digests of an object's bytes, taken while they are written.

use bytes::Bytes;
use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::error::R2Error;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

impl Algorithm {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// The protocol's number for it.
    pub(crate) fn number(self) -> u8 {
        self as u8
    }
}

/// MD5, which every object has, and what else was asked for.
#[derive(Default)]
pub(crate) struct Digests {
    md5: Md5,
    sha1: Option<Sha1>,
    sha256: Option<Sha256>,
    sha384: Option<Sha384>,
    sha512: Option<Sha512>,
}

impl Digests {
    pub(crate) fn of(algorithms: impl IntoIterator<Item = Algorithm>) -> Self {
        let mut digests = Self::default();
        for algorithm in algorithms {
            match algorithm {
                Algorithm::Md5 => {}
                Algorithm::Sha1 => digests.sha1 = Some(Sha1::new()),
                Algorithm::Sha256 => digests.sha256 = Some(Sha256::new()),
                Algorithm::Sha384 => digests.sha384 = Some(Sha384::new()),
                Algorithm::Sha512 => digests.sha512 = Some(Sha512::new()),
            }
        }
        digests
    }

    pub(crate) fn update(&mut self, chunks: &[Bytes]) {
        for chunk in chunks {
            self.md5.update(chunk);
            if let Some(digest) = &mut self.sha1 {
                digest.update(chunk);
            }
            if let Some(digest) = &mut self.sha256 {
                digest.update(chunk);
            }
            if let Some(digest) = &mut self.sha384 {
                digest.update(chunk);
            }
            if let Some(digest) = &mut self.sha512 {
                digest.update(chunk);
            }
        }
    }

    pub(crate) fn finish(self) -> Found {
        let mut others = Vec::new();
        let mut add = |algorithm, digest: Option<Vec<u8>>| {
            others.extend(digest.map(|digest| (algorithm, digest)));
        };
        add(Algorithm::Sha1, self.sha1.map(|it| it.finalize().to_vec()));
        add(
            Algorithm::Sha256,
            self.sha256.map(|it| it.finalize().to_vec()),
        );
        add(
            Algorithm::Sha384,
            self.sha384.map(|it| it.finalize().to_vec()),
        );
        add(
            Algorithm::Sha512,
            self.sha512.map(|it| it.finalize().to_vec()),
        );
        Found {
            md5: self.md5.finalize().into(),
            others,
        }
    }
}

/// The digests of bytes that were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) md5: [u8; 16],
    pub(crate) others: Vec<(Algorithm, Vec<u8>)>,
}

impl Found {
    /// Refuses bytes that are not those whose digests the uploader says.
    pub(crate) fn check(&self, asked: &[(Algorithm, Vec<u8>)]) -> Result<(), R2Error> {
        for (algorithm, digest) in asked {
            let actual = self.of(*algorithm);
            if digest != actual {
                return Err(R2Error::digest(*algorithm, digest, actual));
            }
        }
        Ok(())
    }

    /// As an object has them.
    pub(crate) fn checksums(&self) -> Vec<(u8, String)> {
        let mut checksums = vec![(Algorithm::Md5.number(), hex(&self.md5))];
        let others = self.others.iter();
        checksums.extend(others.map(|(other, digest)| (other.number(), hex(digest))));
        checksums
    }

    pub(crate) fn of(&self, algorithm: Algorithm) -> &[u8] {
        if algorithm == Algorithm::Md5 {
            return &self.md5;
        }
        let mut others = self.others.iter();
        let found = others.find(|(other, _)| *other == algorithm);
        found.map_or(&[], |(_, digest)| digest)
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// The etag of an object that was uploaded in parts: S3's way, which tools know.
pub(crate) fn etag_of_parts<'a>(md5s: impl ExactSizeIterator<Item = &'a [u8]>) -> String {
    let count = md5s.len();
    let mut all = Md5::new();
    md5s.for_each(|md5| all.update(md5));
    format!("{}-{count}", hex(&all.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_all_chunks() {
        let mut digests = Digests::of([Algorithm::Sha256, Algorithm::Md5]);
        digests.update(&["te".into(), "st".into()]);
        let found = digests.finish();
        assert_eq!(hex(&found.md5), "098f6bcd4621d373cade4e832627b4f6");
        assert_eq!(
            hex(found.of(Algorithm::Sha256)),
            "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        );
        assert_eq!(found.others.len(), 1);
        let none = etag_of_parts(std::iter::empty::<&[u8]>().collect::<Vec<_>>().into_iter());
        assert_eq!(none, "d41d8cd98f00b204e9800998ecf8427e-0");
    }
}
