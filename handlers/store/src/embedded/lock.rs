//! One process per data directory.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::path::Path;

use crate::error::OpenError;
use crate::journal::failed;

/// Holds the directory's lock until it is dropped. The system releases it when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct DirectoryLock {
    file: File,
}

impl DirectoryLock {
    pub(crate) fn acquire(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join("LOCK");
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path);
        let mut file = open.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(OpenError::InUse {
                    directory: directory.to_owned(),
                    holder: holder(&path),
                });
            }
            Err(TryLockError::Error(source)) => return Err(failed("lock", &path)(source)),
        }
        let number = format!("{}\n", std::process::id());
        file.set_len(0)
            .and_then(|()| file.write_all(number.as_bytes()))
            .map_err(failed("write", &path))?;
        Ok(Self { file })
    }
}

impl Drop for DirectoryLock {
    /// Unlocks instead of only closing: a process that is just being started by another thread may still have a copy
    /// of the descriptor, which would keep the lock for as long.
    fn drop(&mut self) {
        // Closing follows in any case.
        let _ = self.file.unlock();
    }
}

/// Who holds the lock, as far as its file tells.
fn holder(path: &Path) -> String {
    let number = fs::read_to_string(path)
        .ok()
        .and_then(|text| text.trim().parse::<u32>().ok());
    number.map_or_else(String::new, |number| format!(" (process {number})"))
}
