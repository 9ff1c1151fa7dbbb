//! Compression a chunk at a time, for `node:zlib`: the caller gives bytes and
//! room, and is told how much of each is left.

pub(crate) mod zstd;

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use brotli::enc::StandardAlloc;
use brotli::enc::encode::{
    BrotliEncoderOperation, BrotliEncoderParameter, BrotliEncoderStateStruct,
};
use brotli::{BrotliDecompressStream, BrotliResult, BrotliState};
use deno_core::{GarbageCollected, OpState, op2, v8};
use deno_error::JsErrorBox;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use zstd::Zstd;

/// Streams an isolate may have open. Each is up to half a megabyte that V8 does
/// not count.
const OPEN: usize = 256;
/// What zstd's streams of an isolate may take, which is more: one may be 128 MB.
const ZSTD_MEMORY: usize = 192 << 20;

/// Results, as zlib numbers them.
const OK: i32 = 0;
const STREAM_END: i32 = 1;
const NEED_DICTIONARY: i32 = 2;
const STREAM_ERROR: i32 = -2;
const DATA_ERROR: i32 = -3;
const BUFFER_ERROR: i32 = -5;
/// Not zlib's: the JavaScript side has brotli's code for it.
const BROTLI_ERROR: i32 = -100;
const ZSTD_ERROR: i32 = -101;

/// What flows, as Node numbers it.
mod mode {
    pub(super) const DEFLATE: u8 = 1;
    pub(super) const INFLATE: u8 = 2;
    pub(super) const GZIP: u8 = 3;
    pub(super) const GUNZIP: u8 = 4;
    pub(super) const DEFLATE_RAW: u8 = 5;
    pub(super) const INFLATE_RAW: u8 = 6;
    /// Either, by its first bytes.
    #[cfg(test)]
    pub(super) const UNZIP: u8 = 7;
    /// Not Node's: gzip, after which there is nothing.
    pub(super) const GUNZIP_ONE: u8 = 8;
}

/// Flushing, as zlib numbers it.
mod flush {
    pub(super) const PARTIAL: i32 = 1;
    pub(super) const SYNC: i32 = 2;
    pub(super) const FULL: i32 = 3;
    pub(super) const FINISH: i32 = 4;
}

type Encoder = BrotliEncoderStateStruct<StandardAlloc>;
type Decoder = BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>;

enum Codec {
    Deflate(Compress),
    Inflate(Decompress),
    /// Gzip or zlib, by the first bytes, of which there are too few so far.
    Unzip {
        seen: u8,
    },
    Brotli(Box<Encoder>),
    Unbrotli(Box<Decoder>),
    Zstd(Zstd),
}

struct Stream {
    codec: Codec,
    mode: u8,
    level: Compression,
    window_bits: u8,
    dictionary: Option<Vec<u8>>,
    message: Option<String>,
}

/// One stream. Closing it frees its memory before it is collected.
pub(crate) struct ZlibStream {
    stream: RefCell<Option<Stream>>,
    open: Rc<OpenStreams>,
    /// Of zstd's memory, what is counted in `open`.
    memory: Cell<usize>,
}

/// How many streams of the isolate are open, and what zstd's take; lies in its
/// `OpState`.
#[derive(Default)]
struct OpenStreams {
    count: Cell<usize>,
    memory: Cell<usize>,
}

// SAFETY: it holds no value of V8's, so that there is nothing to trace.
unsafe impl GarbageCollected for ZlibStream {
    fn trace(&self, _visitor: &mut v8::cppgc::Visitor) {}

    fn get_name(&self) -> &'static std::ffi::CStr {
        c"ZlibStream"
    }
}

impl ZlibStream {
    fn open(state: &mut OpState, stream: Stream) -> Result<Self, JsErrorBox> {
        if !state.has::<Rc<OpenStreams>>() {
            state.put(Rc::new(OpenStreams::default()));
        }
        let open = state.borrow::<Rc<OpenStreams>>().clone();
        if open.count.get() >= OPEN {
            return Err(JsErrorBox::generic(format!(
                "more than {OPEN} zlib streams are open; close() those that are done"
            )));
        }
        open.count.set(open.count.get() + 1);
        Ok(Self {
            stream: RefCell::new(Some(stream)),
            open,
            memory: Cell::new(0),
        })
    }

    fn close(&self) {
        if self.stream.take().is_some() {
            self.open.count.set(self.open.count.get() - 1);
            self.recount(0);
        }
    }

    /// This stream takes `memory` now; gives what all do.
    fn recount(&self, memory: usize) -> usize {
        let total = self.open.memory.get() - self.memory.replace(memory) + memory;
        self.open.memory.set(total);
        total
    }

    /// Ends a stream that is over what zstd's may take. It is found out when the
    /// memory is there already: one stream's is bounded by its parameters.
    fn check_memory(&self) -> Result<(), JsErrorBox> {
        let memory = match self.stream.borrow().as_ref().map(|stream| &stream.codec) {
            Some(Codec::Zstd(codec)) => codec.memory(),
            _ => return Ok(()),
        };
        if self.recount(memory) <= ZSTD_MEMORY {
            return Ok(());
        }
        self.close();
        Err(JsErrorBox::generic(format!(
            "zstd streams take more than {} MB; close() those that are done",
            ZSTD_MEMORY >> 20
        )))
    }

    fn with<T>(&self, act: impl FnOnce(&mut Stream) -> T) -> Result<T, JsErrorBox> {
        let mut stream = self.stream.borrow_mut();
        let stream = stream
            .as_mut()
            .ok_or_else(|| JsErrorBox::generic("zlib binding closed"))?;
        Ok(act(stream))
    }
}

impl Drop for ZlibStream {
    fn drop(&mut self) {
        self.close();
    }
}

impl Stream {
    /// Checked by the caller in JavaScript; what is out of range all the same
    /// becomes the nearest that is not.
    fn zlib(mode: u8, level: i32, window_bits: i32, dictionary: Option<Vec<u8>>) -> Self {
        let mut stream = Self {
            codec: Codec::Unzip { seen: 0 },
            mode,
            level: level_of(level),
            // flate2 refuses 8, which zlib itself takes for 9.
            window_bits: if window_bits == 0 {
                15
            } else {
                window_bits.clamp(9, 15) as u8
            },
            dictionary,
            message: None,
        };
        stream.restart();
        stream
    }

    /// One that has no more than its codec.
    fn of(codec: Codec) -> Self {
        Self {
            codec,
            mode: 0,
            level: Compression::default(),
            window_bits: 0,
            dictionary: None,
            message: None,
        }
    }

    /// As it was before the first byte.
    fn restart(&mut self) {
        if let Codec::Zstd(codec) = &mut self.codec {
            codec.restart();
            return;
        }
        let (level, bits) = (self.level, self.window_bits);
        self.codec = match self.mode {
            mode::DEFLATE => Codec::Deflate(Compress::new_with_window_bits(level, true, bits)),
            mode::DEFLATE_RAW => Codec::Deflate(Compress::new_with_window_bits(level, false, bits)),
            mode::GZIP => Codec::Deflate(Compress::new_gzip(level, bits)),
            mode::INFLATE => Codec::Inflate(Decompress::new_with_window_bits(true, bits)),
            mode::INFLATE_RAW => Codec::Inflate(Decompress::new_with_window_bits(false, bits)),
            mode::GUNZIP | mode::GUNZIP_ONE => Codec::Inflate(Decompress::new_gzip(bits)),
            _ => Codec::Unzip { seen: 0 },
        };
        self.message = None;
        // Only gzip has no place for a dictionary.
        let dictionary = self.dictionary.as_deref();
        let set = match (&mut self.codec, dictionary) {
            (Codec::Deflate(codec), Some(bytes)) if self.mode != mode::GZIP => {
                codec.set_dictionary(bytes).is_ok()
            }
            (Codec::Inflate(codec), Some(bytes)) if self.mode == mode::INFLATE_RAW => {
                codec.set_dictionary(bytes).is_ok()
            }
            _ => true,
        };
        if !set {
            self.message = Some("Failed to set dictionary".into());
        }
    }

    /// Gives the result, and the bytes and the room that are left.
    fn write(&mut self, flush: i32, input: &[u8], output: &mut [u8]) -> (i32, usize, usize) {
        let (mut read, mut written) = (0, 0);
        let result = loop {
            let (result, more_read, more_written) =
                self.step(flush, &input[read..], &mut output[written..]);
            read += more_read;
            written += more_written;
            // Gzip files may follow one another; zeros after one are padding.
            let next = input.get(read).copied().unwrap_or(0);
            if result == STREAM_END && self.mode == mode::GUNZIP && next != 0 {
                self.restart();
                continue;
            }
            break result;
        };
        (result, input.len() - read, output.len() - written)
    }

    fn step(&mut self, flush: i32, input: &[u8], output: &mut [u8]) -> (i32, usize, usize) {
        if let Codec::Unzip { seen } = self.codec
            && let Some(done) = self.detect(seen, input)
        {
            return done;
        }
        match &mut self.codec {
            Codec::Deflate(codec) => {
                let before = (codec.total_in(), codec.total_out());
                let result = codec.compress(input, output, compress_flush(flush));
                let (read, written) = (codec.total_in() - before.0, codec.total_out() - before.1);
                let result = match result {
                    Ok(Status::Ok) => OK,
                    Ok(Status::StreamEnd) => STREAM_END,
                    Ok(Status::BufError) => BUFFER_ERROR,
                    Err(_) => STREAM_ERROR,
                };
                (result, read as usize, written as usize)
            }
            Codec::Inflate(_) => self.inflate(flush, input, output),
            Codec::Brotli(codec) => compress_brotli(codec, flush, input, output),
            Codec::Unbrotli(codec) => decompress_brotli(codec, input, output),
            Codec::Zstd(codec) => codec.step(flush, input, output),
            Codec::Unzip { .. } => (OK, 0, 0),
        }
    }

    /// Decides what an unknown stream is; gives what to answer while it cannot.
    fn detect(&mut self, seen: u8, input: &[u8]) -> Option<(i32, usize, usize)> {
        let first = if seen == 1 {
            Some(0x1f)
        } else {
            input.first().copied()
        };
        let second = input.get(usize::from(seen == 0)).copied();
        self.mode = match (first, second) {
            (None, _) => return Some((BUFFER_ERROR, 0, 0)),
            (Some(0x1f), None) => {
                self.codec = Codec::Unzip { seen: 1 };
                return Some((OK, input.len(), 0));
            }
            (Some(0x1f), Some(0x8b)) => mode::GUNZIP,
            _ => mode::INFLATE,
        };
        self.restart();
        // The byte that was taken before.
        if seen == 1
            && let Codec::Inflate(codec) = &mut self.codec
        {
            let _ = codec.decompress(&[0x1f], &mut [], FlushDecompress::None);
        }
        None
    }

    fn inflate(&mut self, flush: i32, input: &[u8], output: &mut [u8]) -> (i32, usize, usize) {
        let Codec::Inflate(codec) = &mut self.codec else {
            return (STREAM_ERROR, 0, 0);
        };
        let before = (codec.total_in(), codec.total_out());
        let how = match flush {
            flush::FINISH => FlushDecompress::Finish,
            flush::SYNC | flush::FULL => FlushDecompress::Sync,
            _ => FlushDecompress::None,
        };
        let mut result = codec.decompress(input, output, how);
        let mut wants = false;
        if result
            .as_ref()
            .is_err_and(|error| error.needs_dictionary().is_some())
        {
            wants = true;
            if let Some(dictionary) = &self.dictionary
                && codec.set_dictionary(dictionary).is_ok()
            {
                let read = (codec.total_in() - before.0) as usize;
                let written = (codec.total_out() - before.1) as usize;
                result = codec.decompress(&input[read..], &mut output[written..], how);
                wants = false;
            }
        }
        let (read, written) = (codec.total_in() - before.0, codec.total_out() - before.1);
        let result = match result {
            Ok(Status::Ok) => OK,
            Ok(Status::StreamEnd) => STREAM_END,
            Ok(Status::BufError) => BUFFER_ERROR,
            Err(_) if wants => NEED_DICTIONARY,
            Err(error) => {
                self.message = error.message().map(Into::into);
                DATA_ERROR
            }
        };
        (result, read as usize, written as usize)
    }
}

fn level_of(level: i32) -> Compression {
    match u32::try_from(level) {
        Ok(level) => Compression::new(level.min(9)),
        Err(_) => Compression::default(),
    }
}

fn compress_flush(flush: i32) -> FlushCompress {
    match flush {
        flush::PARTIAL => FlushCompress::Partial,
        flush::SYNC => FlushCompress::Sync,
        flush::FULL => FlushCompress::Full,
        flush::FINISH => FlushCompress::Finish,
        // Those of blocks and trees are not told apart from none.
        _ => FlushCompress::None,
    }
}

fn compress_brotli(
    codec: &mut Encoder,
    operation: i32,
    input: &[u8],
    output: &mut [u8],
) -> (i32, usize, usize) {
    let operation = match operation {
        1 => BrotliEncoderOperation::BROTLI_OPERATION_FLUSH,
        2 => BrotliEncoderOperation::BROTLI_OPERATION_FINISH,
        3 => BrotliEncoderOperation::BROTLI_OPERATION_EMIT_METADATA,
        _ => BrotliEncoderOperation::BROTLI_OPERATION_PROCESS,
    };
    let (mut left, mut read) = (input.len(), 0);
    let (mut room, mut written) = (output.len(), 0);
    let done = codec.compress_stream(
        operation,
        &mut left,
        input,
        &mut read,
        &mut room,
        output,
        &mut written,
        &mut None,
        &mut |_, _, _, _| (),
    );
    (if done { OK } else { BROTLI_ERROR }, read, written)
}

fn decompress_brotli(codec: &mut Decoder, input: &[u8], output: &mut [u8]) -> (i32, usize, usize) {
    let (mut left, mut read) = (input.len(), 0);
    let (mut room, mut written) = (output.len(), 0);
    let mut total = 0;
    let result = BrotliDecompressStream(
        &mut left,
        &mut read,
        input,
        &mut room,
        &mut written,
        output,
        &mut total,
        codec,
    );
    let result = match result {
        BrotliResult::ResultSuccess => STREAM_END,
        BrotliResult::NeedsMoreInput => BUFFER_ERROR,
        BrotliResult::NeedsMoreOutput => OK,
        BrotliResult::ResultFailure => BROTLI_ERROR,
    };
    (result, read, written)
}

#[op2]
#[cppgc]
pub(crate) fn op_node_zlib_open(
    state: &mut OpState,
    #[smi] mode: u8,
    #[smi] level: i32,
    #[smi] window_bits: i32,
    #[buffer] dictionary: Option<&[u8]>,
) -> Result<ZlibStream, JsErrorBox> {
    let dictionary = dictionary.map(<[u8]>::to_vec);
    ZlibStream::open(state, Stream::zlib(mode, level, window_bits, dictionary))
}

/// `parameters` has a value for each of brotli's, or all bits for none.
#[op2]
#[cppgc]
pub(crate) fn op_node_brotli_open(
    state: &mut OpState,
    encode: bool,
    #[buffer] parameters: &[u32],
) -> Result<ZlibStream, JsErrorBox> {
    let codec = if encode {
        let mut codec = Box::new(Encoder::new(StandardAlloc::default()));
        for (parameter, value) in PARAMETERS.iter().zip(parameters) {
            if *value != u32::MAX {
                codec.set_parameter(*parameter, *value);
            }
        }
        Codec::Brotli(codec)
    } else {
        let (one, two, three) = Default::default();
        Codec::Unbrotli(Box::new(Decoder::new(one, two, three)))
    };
    ZlibStream::open(state, Stream::of(codec))
}

/// By Node's number for them.
const PARAMETERS: &[BrotliEncoderParameter] = &[
    BrotliEncoderParameter::BROTLI_PARAM_MODE,
    BrotliEncoderParameter::BROTLI_PARAM_QUALITY,
    BrotliEncoderParameter::BROTLI_PARAM_LGWIN,
    BrotliEncoderParameter::BROTLI_PARAM_LGBLOCK,
    BrotliEncoderParameter::BROTLI_PARAM_DISABLE_LITERAL_CONTEXT_MODELING,
    BrotliEncoderParameter::BROTLI_PARAM_SIZE_HINT,
    BrotliEncoderParameter::BROTLI_PARAM_LARGE_WINDOW,
];

/// Takes from `input`, writes to `output`; `left` becomes the room and the
/// bytes that are left. Gives zlib's result.
#[op2(fast)]
#[smi]
pub(crate) fn op_node_zlib_write(
    #[cppgc] stream: &ZlibStream,
    #[smi] flush: i32,
    #[buffer] input: &[u8],
    #[buffer] output: &mut [u8],
    #[buffer] left: &mut [u32],
) -> Result<i32, JsErrorBox> {
    let result = stream.with(|stream| {
        let (result, bytes, room) = stream.write(flush, input, output);
        if let [room_left, bytes_left, ..] = left {
            *room_left = room as u32;
            *bytes_left = bytes as u32;
        }
        result
    })?;
    stream.check_memory()?;
    Ok(result)
}

/// What the last error was, where the library says.
#[op2]
#[string]
pub(crate) fn op_node_zlib_message(
    #[cppgc] stream: &ZlibStream,
) -> Result<Option<String>, JsErrorBox> {
    stream.with(|stream| stream.message.clone())
}

#[op2(fast)]
pub(crate) fn op_node_zlib_reset(#[cppgc] stream: &ZlibStream) -> Result<(), JsErrorBox> {
    stream.with(Stream::restart)
}

#[op2(fast)]
pub(crate) fn op_node_zlib_level(
    #[cppgc] stream: &ZlibStream,
    #[smi] level: i32,
) -> Result<(), JsErrorBox> {
    stream.with(|stream| {
        stream.level = level_of(level);
        if let Codec::Deflate(codec) = &mut stream.codec {
            // Takes what was written so far along; fails only where there is
            // no room for that, which the next write makes.
            let _ = codec.set_level(stream.level);
        }
    })
}

#[op2(fast)]
pub(crate) fn op_node_zlib_close(#[cppgc] stream: &ZlibStream) {
    stream.close();
}

#[op2(fast)]
pub(crate) fn op_node_crc32(#[buffer] bytes: &[u8], value: u32) -> u32 {
    let mut hasher = crc32fast::Hasher::new_with_initial(value);
    hasher.update(bytes);
    hasher.finalize()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn round_trip(compress: u8, decompress: u8, dictionary: Option<&[u8]>) {
        let text = b"the same words, the same words, the same words".repeat(9);
        let dictionary = dictionary.map(<[u8]>::to_vec);
        let mut packed = [0; 1024];
        let mut stream = Stream::zlib(compress, 6, 15, dictionary.clone());
        let (result, left, room) = stream.write(flush::FINISH, &text, &mut packed);
        assert_eq!((result, left), (STREAM_END, 0));
        let packed = &packed[..packed.len() - room];
        let mut stream = Stream::zlib(decompress, 6, 15, dictionary);
        let mut plain = vec![0; 2 * text.len()];
        // A byte at a time, so that nothing depends on whole headers.
        let mut written = 0;
        for byte in packed {
            let (result, left, room) = stream.write(0, &[*byte], &mut plain[written..]);
            assert!(result >= OK || result == BUFFER_ERROR, "{result}");
            assert_eq!(left, 0);
            written = plain.len() - room;
        }
        assert_eq!(&plain[..written], text);
    }

    #[test]
    fn what_is_packed_unpacks() {
        round_trip(mode::DEFLATE, mode::INFLATE, None);
        round_trip(mode::GZIP, mode::GUNZIP, None);
        round_trip(mode::DEFLATE_RAW, mode::INFLATE_RAW, None);
        round_trip(mode::GZIP, mode::UNZIP, None);
        round_trip(mode::DEFLATE, mode::UNZIP, None);
        round_trip(mode::DEFLATE, mode::INFLATE, Some(b"the same words"));
        round_trip(
            mode::DEFLATE_RAW,
            mode::INFLATE_RAW,
            Some(b"the same words"),
        );
    }

    #[test]
    fn a_missing_dictionary_is_told() {
        let mut packed = [0; 64];
        let mut stream = Stream::zlib(mode::DEFLATE, 6, 15, Some(b"words".to_vec()));
        stream.write(flush::FINISH, b"words", &mut packed);
        let mut stream = Stream::zlib(mode::INFLATE, 6, 15, None);
        let (result, ..) = stream.write(0, &packed, &mut [0; 64]);
        assert_eq!(result, NEED_DICTIONARY);
    }
}
