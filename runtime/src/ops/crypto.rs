//! What Workers add to WebCrypto: MD5, checksums, a comparison in constant time,
//! and a look at whether the parts of a key belong together.

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
};
use base64::Engine;
use base64::alphabet::URL_SAFE;
use base64::engine::{GeneralPurpose, GeneralPurposeConfig};
use deno_core::convert::Uint8Array;
use deno_core::op2;
use deno_error::JsErrorBox;
use md5::{Digest, Md5};

#[op2]
pub(crate) fn op_md5(#[buffer] data: &[u8]) -> Uint8Array {
    Md5::digest(data).to_vec().into()
}

/// SHA-1 or SHA-2 by its name in capitals. At once: deno_crypto hands it to
/// another thread, which takes ten times as long as a kilobyte does.
#[op2]
pub(crate) fn op_sha_digest(
    #[string] name: &str,
    #[buffer] data: &[u8],
) -> Result<Uint8Array, JsErrorBox> {
    let algorithm = match name {
        "SHA-1" => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        _ => return Err(JsErrorBox::type_error(format!("no digest is named {name}"))),
    };
    Ok(digest::digest(algorithm, data).as_ref().to_vec().into())
}

/// Whether two buffers of equal length are equal, looking at every byte.
#[op2(fast)]
pub(crate) fn op_timing_safe_equal(#[buffer] a: &[u8], #[buffer] b: &[u8]) -> bool {
    use subtle::ConstantTimeEq;
    a.ct_eq(b).into()
}

/// As importing reads it: bits beyond the last byte are nobody's.
const JWK_BASE64: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);

/// Whether the private `d` of a JWK has the public point `x`, `y`. What is no
/// key at all, or on another curve, is left to the import to refuse.
#[op2(fast)]
pub(crate) fn op_ec_pair_matches(
    #[string] curve: &str,
    #[string] d: &str,
    #[string] x: &str,
    #[string] y: &str,
) -> bool {
    let algorithm = match curve {
        "P-256" => &ECDSA_P256_SHA256_FIXED_SIGNING,
        "P-384" => &ECDSA_P384_SHA384_FIXED_SIGNING,
        "P-521" => &ECDSA_P521_SHA512_FIXED_SIGNING,
        _ => return true,
    };
    let decode = |part: &str| JWK_BASE64.decode(part.trim_end_matches('='));
    let (Ok(d), Ok(x), Ok(y)) = (decode(d), decode(x), decode(y)) else {
        return true;
    };
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    EcdsaKeyPair::from_private_key_and_public_key(algorithm, &d, &point).is_ok()
}

/// A checksum over a reflected polynomial.
struct Crc {
    table: [u64; 256],
    /// All its bits.
    mask: u64,
}

impl Crc {
    const fn new(polynomial: u64, mask: u64) -> Self {
        let mut table = [0; 256];
        let mut index = 0;
        while index < 256 {
            let mut value = index as u64;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 {
                    (value >> 1) ^ polynomial
                } else {
                    value >> 1
                };
                bit += 1;
            }
            table[index] = value;
            index += 1;
        }
        Self { table, mask }
    }
}

static CRCS: [Crc; 3] = [
    // CRC-32, of zip and Ethernet.
    Crc::new(0xedb8_8320, 0xffff_ffff),
    // CRC-32C, Castagnoli's.
    Crc::new(0x82f6_3b78, 0xffff_ffff),
    // CRC-64/NVME.
    Crc::new(0x9a6c_9329_ac4b_c9b5, u64::MAX),
];

fn crc(kind: u8) -> &'static Crc {
    &CRCS[usize::from(kind).min(CRCS.len() - 1)]
}

/// Takes `data` into the checksum whose value so far is in `state`, zeros at
/// first.
#[op2]
pub(crate) fn op_crc_update(#[smi] kind: u8, #[buffer] state: &mut [u8], #[anybuffer] data: &[u8]) {
    let Crc { table, mask } = crc(kind);
    let Ok(state) = <&mut [u8; 8]>::try_from(state) else {
        return;
    };
    let mut value = u64::from_le_bytes(*state) ^ mask;
    for byte in data {
        value = table[usize::from((value as u8) ^ byte)] ^ (value >> 8);
    }
    *state = (value ^ mask).to_le_bytes();
}

/// The checksum, its highest byte first.
#[op2]
pub(crate) fn op_crc_digest(#[smi] kind: u8, #[buffer] state: &[u8]) -> Uint8Array {
    let value = state.try_into().map_or(0, u64::from_le_bytes);
    if crc(kind).mask == u64::MAX {
        value.to_be_bytes().to_vec().into()
    } else {
        (value as u32).to_be_bytes().to_vec().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_catalogue() {
        for (kind, expected) in [
            (0, 0xcbf4_3926),
            (1, 0xe306_9283),
            (2, 0xae8b_1486_0a79_9888),
        ] {
            let Crc { table, mask } = crc(kind);
            let value = b"123456789".iter().fold(*mask, |value, byte| {
                table[usize::from((value as u8) ^ byte)] ^ (value >> 8)
            });
            assert_eq!(value ^ mask, expected, "{kind}");
        }
    }
}
