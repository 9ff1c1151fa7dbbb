//! Ciphers that Workers have and the crate for Node's crypto has not: DES, AES
//! in more modes, and a GCM of AES-192. Whole blocks come here; what is left
//! over, and padding, is the script's.

use std::cell::RefCell;
use std::rc::Rc;

use aead_gcm_stream::AesGcm;
use aes::cipher::generic_array::GenericArray;
use aes::cipher::{BlockDecrypt, BlockEncrypt, KeyInit};
use aes::{Aes128, Aes192, Aes256};
use deno_core::convert::Uint8Array;
use deno_core::{OpState, Resource, op2};
use deno_error::JsErrorBox;
use des::{Des, TdesEde2, TdesEde3};
use subtle::ConstantTimeEq;

enum Block {
    Aes128(Aes128),
    Aes192(Aes192),
    Aes256(Aes256),
    Des(Des),
    TdesEde2(TdesEde2),
    TdesEde3(TdesEde3),
}

macro_rules! each {
    ($block:expr, $cipher:ident => $act:expr) => {
        match $block {
            Block::Aes128($cipher) => $act,
            Block::Aes192($cipher) => $act,
            Block::Aes256($cipher) => $act,
            Block::Des($cipher) => $act,
            Block::TdesEde2($cipher) => $act,
            Block::TdesEde3($cipher) => $act,
        }
    };
}

impl Block {
    /// By the name of a cipher in lower case, without its mode.
    fn new(name: &str, key: &[u8]) -> Option<Self> {
        Some(match name {
            "aes-128" => Self::Aes128(Aes128::new_from_slice(key).ok()?),
            "aes-192" => Self::Aes192(Aes192::new_from_slice(key).ok()?),
            "aes-256" => Self::Aes256(Aes256::new_from_slice(key).ok()?),
            "des" => Self::Des(Des::new_from_slice(key).ok()?),
            "des-ede" => Self::TdesEde2(TdesEde2::new_from_slice(key).ok()?),
            "des-ede3" => Self::TdesEde3(TdesEde3::new_from_slice(key).ok()?),
            _ => return None,
        })
    }

    fn size(&self) -> usize {
        match self {
            Self::Aes128(_) | Self::Aes192(_) | Self::Aes256(_) => 16,
            Self::Des(_) | Self::TdesEde2(_) | Self::TdesEde3(_) => 8,
        }
    }

    fn encrypt(&self, block: &mut [u8]) {
        each!(self, cipher => cipher.encrypt_block(GenericArray::from_mut_slice(block)));
    }

    fn decrypt(&self, block: &mut [u8]) {
        each!(self, cipher => cipher.decrypt_block(GenericArray::from_mut_slice(block)));
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Encrypt,
    Decrypt,
}

enum Mode {
    Ecb(Block),
    /// With the ciphertext of the block before.
    Cbc(Block, Vec<u8>),
    /// With the key stream's block, and how many bytes of it are used.
    Ofb(Block, Vec<u8>, usize),
    Gcm(Box<AesGcm<Aes192>>),
}

impl Mode {
    fn new(name: &str, key: &[u8], iv: &[u8]) -> Result<Self, JsErrorBox> {
        let wrong_key = || JsErrorBox::range_error("Invalid key length");
        let wrong_iv = || JsErrorBox::type_error("Invalid initialization vector");
        let (cipher, mode) = name.rsplit_once('-').unwrap_or((name, ""));
        if name == "aes-192-gcm" {
            if iv.is_empty() {
                return Err(wrong_iv());
            }
            if key.len() != 24 {
                return Err(wrong_key());
            }
            return Ok(Self::Gcm(Box::new(AesGcm::new(key.into(), iv))));
        }
        // "des-ede" is short for its mode without a chain.
        let (cipher, mode) = match mode {
            "ede" => (name, "ecb"),
            _ => (cipher, mode),
        };
        let block = Block::new(cipher, key).ok_or_else(wrong_key)?;
        let size = if mode == "ecb" { 0 } else { block.size() };
        if iv.len() != size {
            return Err(wrong_iv());
        }
        match mode {
            "ecb" => Ok(Self::Ecb(block)),
            "cbc" => Ok(Self::Cbc(block, iv.to_vec())),
            "ofb" => Ok(Self::Ofb(block, iv.to_vec(), size)),
            _ => Err(JsErrorBox::type_error(format!("Unknown cipher {name}"))),
        }
    }

    /// Works on `data` in place. Blocks that are not whole are left as they are.
    fn apply(&mut self, way: Way, data: &mut [u8]) {
        match self {
            Self::Ecb(block) => {
                for chunk in data.chunks_exact_mut(block.size()) {
                    match way {
                        Way::Encrypt => block.encrypt(chunk),
                        Way::Decrypt => block.decrypt(chunk),
                    }
                }
            }
            Self::Cbc(block, chain) => {
                for chunk in data.chunks_exact_mut(block.size()) {
                    match way {
                        Way::Encrypt => {
                            mix(chunk, chain);
                            block.encrypt(chunk);
                            chain.copy_from_slice(chunk);
                        }
                        Way::Decrypt => {
                            let next = chunk.to_vec();
                            block.decrypt(chunk);
                            mix(chunk, chain);
                            *chain = next;
                        }
                    }
                }
            }
            Self::Ofb(block, stream, used) => {
                for byte in data {
                    if *used == stream.len() {
                        block.encrypt(stream);
                        *used = 0;
                    }
                    *byte ^= stream[*used];
                    *used += 1;
                }
            }
            Self::Gcm(gcm) => match way {
                Way::Encrypt => gcm.encrypt(data),
                Way::Decrypt => gcm.decrypt(data),
            },
        }
    }
}

fn mix(data: &mut [u8], with: &[u8]) {
    for (byte, with) in data.iter_mut().zip(with) {
        *byte ^= with;
    }
}

struct Cipher {
    mode: RefCell<Mode>,
    way: Way,
}

impl Resource for Cipher {}

#[op2(fast)]
#[smi]
pub(crate) fn op_node_cipher_open(
    state: &mut OpState,
    #[string] name: &str,
    #[buffer] key: &[u8],
    #[buffer] iv: &[u8],
    encrypt: bool,
) -> Result<u32, JsErrorBox> {
    let way = if encrypt { Way::Encrypt } else { Way::Decrypt };
    let mode = RefCell::new(Mode::new(name, key, iv)?);
    Ok(state.resource_table.add(Cipher { mode, way }))
}

fn cipher(state: &OpState, id: u32) -> Result<Rc<Cipher>, JsErrorBox> {
    let cipher = state.resource_table.get::<Cipher>(id);
    cipher.map_err(JsErrorBox::from_err)
}

#[op2(fast)]
pub(crate) fn op_node_cipher_aad(
    state: &mut OpState,
    #[smi] id: u32,
    #[buffer] data: &[u8],
) -> Result<(), JsErrorBox> {
    if let Mode::Gcm(gcm) = &mut *cipher(state, id)?.mode.borrow_mut() {
        gcm.set_aad(data);
    }
    Ok(())
}

/// `output` has the length of `input`, in whole blocks where the mode wants them.
#[op2(fast)]
pub(crate) fn op_node_cipher_update(
    state: &mut OpState,
    #[smi] id: u32,
    #[buffer] input: &[u8],
    #[buffer] output: &mut [u8],
) -> Result<(), JsErrorBox> {
    let cipher = cipher(state, id)?;
    let Some(output) = output.get_mut(..input.len()) else {
        return Err(JsErrorBox::range_error("the output is too short"));
    };
    output.copy_from_slice(input);
    cipher.mode.borrow_mut().apply(cipher.way, output);
    Ok(())
}

fn close(state: &mut OpState, id: u32) -> Result<Option<[u8; 16]>, JsErrorBox> {
    let cipher = state.resource_table.take::<Cipher>(id);
    let cipher = cipher.map_err(JsErrorBox::from_err)?;
    let cipher = Rc::into_inner(cipher);
    Ok(cipher.and_then(|cipher| match cipher.mode.into_inner() {
        Mode::Gcm(gcm) => Some(gcm.finish().into()),
        _ => None,
    }))
}

/// Ends a cipher; gives its tag, where it has such.
#[op2]
pub(crate) fn op_node_cipher_close(
    state: &mut OpState,
    #[smi] id: u32,
) -> Result<Option<Uint8Array>, JsErrorBox> {
    Ok(close(state, id)?.map(|tag| tag.to_vec().into()))
}

/// Ends a decipher; says whether `tag`, the whole of it or its beginning, is its.
#[op2(fast)]
pub(crate) fn op_node_cipher_verify(
    state: &mut OpState,
    #[smi] id: u32,
    #[buffer] tag: &[u8],
) -> Result<bool, JsErrorBox> {
    Ok(close(state, id)?.is_none_or(|own| {
        let own = own.get(..tag.len()).unwrap_or_default();
        !own.is_empty() && bool::from(own.ct_eq(tag))
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, way: Way, parts: &[&[u8]]) -> Vec<u8> {
        let (key, iv) = match name.split('-').nth(1) {
            Some("128") => (16, 16),
            Some("192") => (24, 16),
            _ => (8, 8),
        };
        let mut mode = Mode::new(name, &vec![1; key], &vec![2; iv]).expect("a cipher");
        parts
            .iter()
            .flat_map(|part| {
                let mut part = part.to_vec();
                mode.apply(way, &mut part);
                part
            })
            .collect()
    }

    #[test]
    fn what_is_encrypted_is_decrypted_in_other_parts() {
        for name in ["aes-192-cbc", "aes-128-ofb", "aes-192-gcm", "des-cbc"] {
            let text = [7; 64];
            let sealed = run(name, Way::Encrypt, &[&text[..16], &text[16..]]);
            assert_ne!(sealed, text);
            let opened = run(name, Way::Decrypt, &[&sealed[..48], &sealed[48..]]);
            assert_eq!(opened, text, "{name}");
        }
    }

    #[test]
    fn a_key_or_vector_of_another_length_is_refused() {
        for (name, key, iv) in [
            ("aes-192-cbc", 16, 16),
            ("des-cbc", 8, 16),
            ("des-ecb", 8, 8),
        ] {
            assert!(
                Mode::new(name, &vec![0; key], &vec![0; iv]).is_err(),
                "{name}"
            );
        }
    }
}
