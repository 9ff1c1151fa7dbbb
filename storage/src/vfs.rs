//! SQLite's way to an object's pages: a virtual file system whose only files are
//! the databases that [`connect`] opens.
//!
//! There is one connection a database, SQLite keeps its journal in memory and
//! locks nothing. It syncs the database once a transaction, after its last
//! write: that call is the commit (`Pages::commit`), and refusing it makes SQLite
//! roll back.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem::size_of;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, OnceLock};

use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, ffi};

use crate::commit::PAGE_SIZE;
use crate::log::LogError;
use crate::pages::{Pages, PagesError, RESERVED};

const NAME: &CStr = c"outboard";

/// Databases on their way from [`connect`] to [`open`], by name.
static OPENING: LazyLock<Mutex<HashMap<String, Arc<Pages>>>> = LazyLock::new(Mutex::default);

/// Opens a connection to a database; the only one it has.
pub(crate) fn connect(pages: Arc<Pages>) -> rusqlite::Result<Connection> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    register()?;
    let name = format!("object-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    OPENING.lock().insert(name.clone(), pages);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags_and_vfs(&name, flags, NAME);
    OPENING.lock().remove(&name);
    let connection = connection?;
    reserve(&connection)?;
    Ok(connection)
}

/// Has SQLite leave room for a checksum in the pages of a database that it makes.
pub(crate) fn reserve(connection: &Connection) -> rusqlite::Result<()> {
    let mut reserved = RESERVED as c_int;
    // SAFETY: the connection is open, and this operation reads and writes one
    // integer, which outlives the call.
    let code = unsafe {
        ffi::sqlite3_file_control(
            connection.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_RESERVE_BYTES,
            (&raw mut reserved).cast(),
        )
    };
    checked(code)
}

fn checked(code: c_int) -> rusqlite::Result<()> {
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}

/// Makes the file system known to SQLite, once a process.
fn register() -> rusqlite::Result<()> {
    static RESULT: OnceLock<c_int> = OnceLock::new();
    let result = RESULT.get_or_init(|| {
        // SAFETY: looks up the default file system; SQLite initialises itself.
        let base = unsafe { ffi::sqlite3_vfs_find(std::ptr::null()) };
        // SQLite holds on to it for as long as the process lives.
        let vfs = Box::leak(Box::new(ffi::sqlite3_vfs {
            iVersion: 1,
            szOsFile: size_of::<File>() as c_int,
            mxPathname: 512,
            pNext: std::ptr::null_mut(),
            zName: NAME.as_ptr(),
            pAppData: base.cast(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: Some(dl_open),
            xDlError: Some(dl_error),
            xDlSym: Some(dl_sym),
            xDlClose: Some(dl_close),
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: None,
            xCurrentTimeInt64: None,
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        }));
        // SAFETY: `vfs` is whole and lives for ever; it does not become the default.
        unsafe { ffi::sqlite3_vfs_register(vfs, 0) }
    });
    checked(*result)
}

/// What SQLite allocates for an open file. It only looks at the first field.
#[repr(C)]
struct File {
    base: ffi::sqlite3_file,
    /// From `Arc::into_raw`; given back by `close`.
    pages: *const Pages,
}

static METHODS: ffi::sqlite3_io_methods = ffi::sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// The pages of an open file.
///
/// # Safety
/// `file` is one that [`open`] opened and [`close`] has not closed.
unsafe fn pages<'a>(file: *mut ffi::sqlite3_file) -> &'a Pages {
    // SAFETY: by the caller's promise it is a `File`, whose pages `open` set and
    // keeps alive until `close`.
    unsafe { &*(*file.cast::<File>()).pages }
}

fn code(result: Result<(), PagesError>, otherwise: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(PagesError::Log(LogError::Full | LogError::TooLarge { .. })) => ffi::SQLITE_FULL,
        Err(PagesError::Damaged { .. }) => ffi::SQLITE_CORRUPT,
        Err(_) => otherwise,
    }
}

unsafe extern "C" fn open(
    _vfs: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    _flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives room for a `File`, and a null or a C string as name.
    unsafe {
        (*file).pMethods = std::ptr::null();
        // Without a name it is a temporary file; those are kept in memory.
        let name = (!name.is_null()).then(|| CStr::from_ptr(name).to_string_lossy());
        let pages = name.and_then(|name| OPENING.lock().remove(&*name));
        let Some(pages) = pages else {
            return ffi::SQLITE_CANTOPEN;
        };
        (*file.cast::<File>()).pages = Arc::into_raw(pages);
        (*file).pMethods = &METHODS;
        if !out_flags.is_null() {
            *out_flags = ffi::SQLITE_OPEN_READWRITE;
        }
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    // SAFETY: SQLite closes an open file once; the pointer is from `Arc::into_raw`.
    drop(unsafe { Arc::from_raw((*file.cast::<File>()).pages) });
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut ffi::sqlite3_file,
    buffer: *mut c_void,
    len: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    let (Ok(len), Ok(offset)) = (usize::try_from(len), u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_READ;
    };
    // SAFETY: the file is open, and `buffer` has room for `len` bytes.
    let (pages, buffer) = unsafe {
        (
            pages(file),
            std::slice::from_raw_parts_mut(buffer.cast::<u8>(), len),
        )
    };
    match pages.read(buffer, offset) {
        Ok(read) if read == len => ffi::SQLITE_OK,
        Ok(read) => {
            buffer[read..].fill(0);
            ffi::SQLITE_IOERR_SHORT_READ
        }
        Err(error) => code(Err(error), ffi::SQLITE_IOERR_READ),
    }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    len: c_int,
    offset: ffi::sqlite3_int64,
) -> c_int {
    // The journal is in memory, so databases are written by whole pages.
    let whole = usize::try_from(len) == Ok(PAGE_SIZE);
    let (true, Ok(offset)) = (whole, u64::try_from(offset)) else {
        return ffi::SQLITE_IOERR_WRITE;
    };
    // SAFETY: the file is open, and `bytes` are `len` bytes, which is a page.
    let written = unsafe { pages(file).write(&*bytes.cast(), offset) };
    code(written, ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, len: ffi::sqlite3_int64) -> c_int {
    let Ok(len) = u64::try_from(len) else {
        return ffi::SQLITE_IOERR_TRUNCATE;
    };
    // SAFETY: the file is open.
    code(
        unsafe { pages(file) }.truncate(len),
        ffi::SQLITE_IOERR_TRUNCATE,
    )
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, _flags: c_int) -> c_int {
    // SAFETY: the file is open.
    code(unsafe { pages(file) }.commit(), ffi::SQLITE_IOERR_FSYNC)
}

unsafe extern "C" fn file_size(
    file: *mut ffi::sqlite3_file,
    size: *mut ffi::sqlite3_int64,
) -> c_int {
    // SAFETY: the file is open, and `size` may be written.
    unsafe { *size = pages(file).len() as ffi::sqlite3_int64 };
    ffi::SQLITE_OK
}

/// There is one connection, so all locks are had.
unsafe extern "C" fn lock(_file: *mut ffi::sqlite3_file, _level: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_file: *mut ffi::sqlite3_file, held: *mut c_int) -> c_int {
    // SAFETY: SQLite passes where to answer.
    unsafe { *held = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_control(
    _file: *mut ffi::sqlite3_file,
    _operation: c_int,
    _argument: *mut c_void,
) -> c_int {
    ffi::SQLITE_NOTFOUND
}

unsafe extern "C" fn sector_size(_file: *mut ffi::sqlite3_file) -> c_int {
    PAGE_SIZE as c_int
}

unsafe extern "C" fn device_characteristics(_file: *mut ffi::sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(
    _vfs: *mut ffi::sqlite3_vfs,
    _name: *const c_char,
    _sync: c_int,
) -> c_int {
    ffi::SQLITE_IOERR_DELETE_NOENT
}

/// No file is there but those that are open.
unsafe extern "C" fn access(
    _vfs: *mut ffi::sqlite3_vfs,
    _name: *const c_char,
    _flags: c_int,
    there: *mut c_int,
) -> c_int {
    // SAFETY: SQLite passes where to answer.
    unsafe { *there = 0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _vfs: *mut ffi::sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: `name` is a C string, and `out` has `room` bytes.
    unsafe {
        let name = CStr::from_ptr(name).to_bytes_with_nul();
        if usize::try_from(room).is_ok_and(|room| name.len() <= room) {
            std::ptr::copy_nonoverlapping(name.as_ptr().cast(), out, name.len());
            return ffi::SQLITE_OK;
        }
    }
    ffi::SQLITE_CANTOPEN
}

// Extensions are not loaded from anywhere.

unsafe extern "C" fn dl_open(_vfs: *mut ffi::sqlite3_vfs, _name: *const c_char) -> *mut c_void {
    std::ptr::null_mut()
}

unsafe extern "C" fn dl_error(_vfs: *mut ffi::sqlite3_vfs, room: c_int, out: *mut c_char) {
    if room > 0 {
        // SAFETY: `out` has `room` bytes, so one.
        unsafe { *out = 0 };
    }
}

unsafe extern "C" fn dl_sym(
    _vfs: *mut ffi::sqlite3_vfs,
    _library: *mut c_void,
    _name: *const c_char,
) -> Option<unsafe extern "C" fn(*mut ffi::sqlite3_vfs, *mut c_void, *const c_char)> {
    None
}

unsafe extern "C" fn dl_close(_vfs: *mut ffi::sqlite3_vfs, _library: *mut c_void) {}

// Chance and time are the system's, by SQLite's own way to it.

unsafe extern "C" fn randomness(vfs: *mut ffi::sqlite3_vfs, len: c_int, out: *mut c_char) -> c_int {
    // SAFETY: `register` put the default file system there, which has this call.
    unsafe {
        let base = (*vfs).pAppData.cast::<ffi::sqlite3_vfs>();
        (*base).xRandomness.map_or(0, |call| call(base, len, out))
    }
}

unsafe extern "C" fn sleep(vfs: *mut ffi::sqlite3_vfs, microseconds: c_int) -> c_int {
    // SAFETY: as in `randomness`.
    unsafe {
        let base = (*vfs).pAppData.cast::<ffi::sqlite3_vfs>();
        (*base).xSleep.map_or(0, |call| call(base, microseconds))
    }
}

unsafe extern "C" fn current_time(vfs: *mut ffi::sqlite3_vfs, days: *mut f64) -> c_int {
    // SAFETY: as in `randomness`.
    unsafe {
        let base = (*vfs).pAppData.cast::<ffi::sqlite3_vfs>();
        (*base)
            .xCurrentTime
            .map_or(ffi::SQLITE_ERROR, |call| call(base, days))
    }
}
