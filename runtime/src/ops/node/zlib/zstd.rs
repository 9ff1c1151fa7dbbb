//! zstd, a chunk at a time. Its contexts may take much more memory than zlib's,
//! which V8 does not count: so what a script asks for is bounded here.

use deno_core::{OpState, op2};
use deno_error::JsErrorBox;
use zstd_safe::zstd_sys::ZSTD_EndDirective as Directive;
use zstd_safe::{
    CCtx, CParameter, DCtx, DParameter, InBuffer, OutBuffer, ResetDirective, SafeResult, Strategy,
};

use super::{BUFFER_ERROR, Codec, OK, STREAM_END, Stream, ZSTD_ERROR, ZlibStream};

/// The highest level: those above take hundreds of megabytes.
const HIGHEST_LEVEL: i32 = 19;
/// The largest tables, as powers of two: what the highest level has.
const LARGEST_TABLE: u32 = 24;
/// The largest window, as a power of two: what level 19 has to compress with,
/// and 128 MB, which is zstd's own limit, to unpack with.
const LARGEST_WINDOW: u32 = 23;
const LARGEST_WINDOW_READ: u32 = 27;

/// How Node numbers parameters; its strategies are `ZSTD_fast` to `ZSTD_btultra2`.
const FIRST: usize = 100;
const NOT_SET: u32 = u32::MAX;

pub(super) enum Zstd {
    Compress {
        context: Box<CCtx<'static>>,
        /// A frame has ended, and nothing came after it: another would begin if
        /// the end was asked for once more.
        ended: bool,
    },
    Decompress {
        context: Box<DCtx<'static>>,
        /// Inside of a frame, or before the first.
        open: bool,
    },
}

impl Zstd {
    /// `parameters` has a value for each of Node's numbers, or all bits for none.
    /// `None` where zstd refuses one, or there is no memory.
    pub(super) fn compress(parameters: &[u32], size: Option<u64>) -> Option<Self> {
        let mut context = CCtx::try_create()?;
        for (number, value) in set(parameters) {
            context.set_parameter(parameter(number, value)?).ok()?;
        }
        context.set_pledged_src_size(size).ok()?;
        Some(Self::Compress {
            context: Box::new(context),
            ended: false,
        })
    }

    pub(super) fn decompress(parameters: &[u32]) -> Option<Self> {
        let mut context = DCtx::try_create()?;
        for (number, value) in set(parameters) {
            if number != FIRST {
                return None;
            }
            let window = DParameter::WindowLogMax(value.min(LARGEST_WINDOW_READ));
            context.set_parameter(window).ok()?;
        }
        Some(Self::Decompress {
            context: Box::new(context),
            open: true,
        })
    }

    /// As it was before the first byte, with the parameters it has.
    pub(super) fn restart(&mut self) {
        // Fails only inside a frame for parameters, which are not touched.
        let _ = match self {
            Self::Compress { context, ended } => {
                *ended = false;
                context.reset(ResetDirective::SessionOnly)
            }
            Self::Decompress { context, open } => {
                *open = true;
                context.reset(ResetDirective::SessionOnly)
            }
        };
    }

    /// Bytes it has taken.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Compress { context, .. } => context.sizeof(),
            Self::Decompress { context, .. } => context.sizeof(),
        }
    }

    /// Gives the result, and what was read and written.
    pub(super) fn step(
        &mut self,
        flush: i32,
        input: &[u8],
        output: &mut [u8],
    ) -> (i32, usize, usize) {
        let mut from = InBuffer::around(input);
        let mut to = OutBuffer::around(output);
        let result = match self {
            Self::Compress { context, ended } => {
                let directive = match flush {
                    1 => Directive::ZSTD_e_flush,
                    2 => Directive::ZSTD_e_end,
                    _ => Directive::ZSTD_e_continue,
                };
                if *ended && input.is_empty() {
                    return (OK, 0, 0);
                }
                let left = context.compress_stream2(&mut to, &mut from, directive);
                *ended = left == Ok(0) && flush == 2;
                left.map(|_| OK)
            }
            // After a frame, no more input is no error.
            Self::Decompress { open: false, .. } if input.is_empty() => Ok(STREAM_END),
            Self::Decompress { context, open } => unpack(context, open, &mut from, &mut to)
                .map(|_| if *open { BUFFER_ERROR } else { STREAM_END }),
        };
        (result.unwrap_or(ZSTD_ERROR), from.pos(), to.pos())
    }
}

/// Unpacks frames, of which one may follow another.
fn unpack(
    context: &mut DCtx<'static>,
    open: &mut bool,
    from: &mut InBuffer<'_>,
    to: &mut OutBuffer<'_, [u8]>,
) -> SafeResult {
    loop {
        let before = (from.pos(), to.pos());
        let hint = context.decompress_stream(to, from)?;
        *open = hint != 0;
        let moved = before != (from.pos(), to.pos());
        if !moved || from.pos() == from.src.len() || to.pos() == to.capacity() {
            return Ok(hint);
        }
    }
}

fn set(parameters: &[u32]) -> impl Iterator<Item = (usize, u32)> {
    parameters
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, value)| *value != NOT_SET)
}

fn parameter(number: usize, value: u32) -> Option<CParameter> {
    Some(match number {
        100 => CParameter::CompressionLevel((value as i32).min(HIGHEST_LEVEL)),
        101 => CParameter::WindowLog(value.min(LARGEST_WINDOW)),
        102 => CParameter::HashLog(value.min(LARGEST_TABLE)),
        103 => CParameter::ChainLog(value.min(LARGEST_TABLE)),
        104 => CParameter::SearchLog(value),
        105 => CParameter::MinMatch(value),
        106 => CParameter::TargetLength(value),
        107 => CParameter::Strategy(strategy(value)?),
        160 => CParameter::EnableLongDistanceMatching(value != 0),
        161 => CParameter::LdmHashLog(value.min(LARGEST_TABLE)),
        162 => CParameter::LdmMinMatch(value),
        163 => CParameter::LdmBucketSizeLog(value),
        164 => CParameter::LdmHashRateLog(value),
        200 => CParameter::ContentSizeFlag(value != 0),
        201 => CParameter::ChecksumFlag(value != 0),
        202 => CParameter::DictIdFlag(value != 0),
        // Threads, which there are none of: 0 is what they are.
        240..=242 if value == 0 => CParameter::NbWorkers(0),
        _ => return None,
    })
}

fn strategy(value: u32) -> Option<Strategy> {
    Some(match value {
        1 => Strategy::ZSTD_fast,
        2 => Strategy::ZSTD_dfast,
        3 => Strategy::ZSTD_greedy,
        4 => Strategy::ZSTD_lazy,
        5 => Strategy::ZSTD_lazy2,
        6 => Strategy::ZSTD_btlazy2,
        7 => Strategy::ZSTD_btopt,
        8 => Strategy::ZSTD_btultra,
        9 => Strategy::ZSTD_btultra2,
        _ => return None,
    })
}

/// As brotli's are opened; `size` is what will be compressed, where that is known. `None`
/// where a parameter is not one.
#[op2]
#[cppgc]
pub(crate) fn op_node_zstd_open(
    state: &mut OpState,
    compress: bool,
    #[buffer] parameters: &[u32],
    size: f64,
) -> Result<Option<ZlibStream>, JsErrorBox> {
    let codec = if compress {
        Zstd::compress(parameters, (size >= 0.0).then_some(size as u64))
    } else {
        Zstd::decompress(parameters)
    };
    codec
        .map(|codec| ZlibStream::open(state, Stream::of(Codec::Zstd(codec))))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_packed_unpacks_a_byte_at_a_time() {
        let text = b"the same words, the same words, the same words".repeat(9);
        let mut packed = [0; 1024];
        let mut stream = Zstd::compress(&[], None).unwrap();
        let (result, read, written) = stream.step(2, &text, &mut packed);
        assert_eq!((result, read), (OK, text.len()));
        // Asked once more, the end is no other frame.
        assert_eq!(stream.step(2, &[], &mut packed[written..]), (OK, 0, 0));
        let mut stream = Zstd::decompress(&[]).unwrap();
        let mut plain = vec![0; text.len()];
        let mut at = 0;
        for (i, byte) in packed[..written].iter().enumerate() {
            let (result, read, more) = stream.step(0, &[*byte], &mut plain[at..]);
            at += more;
            let last = i + 1 == written;
            assert_eq!(
                (result, read),
                (if last { STREAM_END } else { BUFFER_ERROR }, 1)
            );
        }
        assert_eq!(plain, text);
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let mut stream = Zstd::decompress(&[]).unwrap();
        let (result, ..) = stream.step(2, b"This is not valid", &mut [0; 64]);
        assert_eq!(result, ZSTD_ERROR);
    }
}
