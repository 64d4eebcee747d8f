//! `work/run.lock`: one run at a time, whoever started it.
//!
//! The lock belongs to the open file, so the death of the process frees it; what stands in the file only tells people
//! who holds it.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::durable;

/// How long a command waits for another one.
pub const WAIT_SECS: u64 = 60;
const RETRY_MS: u64 = 250;
const MAX_HOLDER_BYTES: usize = 200;

/// Held from [`RunLock::acquire`] to its drop.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

/// Who holds the lock, as that process wrote it down: `process 123 (sentinel ingest)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder(String);

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process holds it and the wait is over: exit code 4.
    #[error("another run is going on: {holder} holds the lock; wait for it to end, or stop it")]
    Busy {
        /// Who.
        holder: Holder,
    },
    /// The file could not be opened, locked or written.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl RunLock {
    /// Takes the lock at `path` (its folder is created) and notes `command` in it. While another holds it, `wait` is
    /// called with the holder; the lock is tried again as long as it returns `true`.
    pub fn acquire(
        path: &Path,
        command: &str,
        wait: &mut dyn FnMut(&Holder) -> bool,
    ) -> Result<Self, LockError> {
        durable::create_folder(path.parent().unwrap_or(Path::new(".")))?;
        let open = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path);
        let mut file = open.map_err(|error| durable::named(path, "opening lock", &error))?;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(error)) => {
                    return Err(durable::named(path, "locking", &error).into());
                }
                Err(TryLockError::WouldBlock) => {
                    let holder = Holder::read(&mut file);
                    if !wait(&holder) {
                        return Err(LockError::Busy { holder });
                    }
                }
            }
        }
        let note = format!("process {} ({})\n", std::process::id(), plain(command));
        write_note(&mut file, &note)
            .map_err(|error| durable::named(path, "writing lock", &error))?;
        Ok(Self { _file: file })
    }
}

/// Lets others who wait for the lock have it, between two runs of the same program.
pub fn give_way() {
    thread::sleep(Duration::from_millis(RETRY_MS + RETRY_MS / 5));
}

/// Whether somebody holds the lock at `path`.
pub fn is_held(path: &Path) -> bool {
    File::open(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A `wait` for [`RunLock::acquire`] that sleeps between tries and gives up after `secs`.
pub fn patience(secs: u64) -> impl FnMut(&Holder) -> bool {
    let mut tries = secs.saturating_mul(1000) / RETRY_MS;
    move |_| {
        let again = tries > 0;
        if again {
            tries -= 1;
            thread::sleep(Duration::from_millis(RETRY_MS));
        }
        again
    }
}

impl Holder {
    fn read(file: &mut File) -> Self {
        let mut note = Vec::new();
        // Who cannot be read is unknown; that must not keep anybody from waiting.
        let _ = file.rewind().and_then(|()| {
            file.take(MAX_HOLDER_BYTES as u64 + 50)
                .read_to_end(&mut note)
        });
        let note = plain(&String::from_utf8_lossy(&note));
        Self(if note.is_empty() {
            "an unknown process".to_owned()
        } else {
            note
        })
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn write_note(file: &mut File, note: &str) -> io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(note.as_bytes())
}

/// One line without control characters, cut where it is long.
fn plain(text: &str) -> String {
    let line: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    line.chars().take(MAX_HOLDER_BYTES).collect()
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    fn never(_: &Holder) -> bool {
        false
    }

    fn lock_in(folder: &TempDir, command: &str) -> Result<RunLock, LockError> {
        RunLock::acquire(&folder.path().join("work/run.lock"), command, &mut never)
    }

    #[test]
    fn second_run_is_told_who_holds_the_lock() {
        let folder = TempDir::new().unwrap();
        let _held = lock_in(&folder, "sentinel ingest a\nb").unwrap();
        let Err(LockError::Busy { holder }) = lock_in(&folder, "sentinel run") else {
            panic!("not busy")
        };
        assert_eq!(
            holder.to_string(),
            format!("process {} (sentinel ingest a b)", std::process::id())
        );
    }

    #[test]
    fn lock_is_free_after_drop_and_shows_the_new_holder() {
        let folder = TempDir::new().unwrap();
        drop(lock_in(&folder, &"long ".repeat(1000)).unwrap());
        let _held = lock_in(&folder, "sentinel run").unwrap();
        let Err(LockError::Busy { holder }) = lock_in(&folder, "other") else {
            panic!("not busy")
        };
        assert!(holder.to_string().ends_with("(sentinel run)"), "{holder}");
    }

    #[test]
    fn lock_is_tried_again_while_there_is_patience() {
        let folder = TempDir::new().unwrap();
        let mut held = Some(lock_in(&folder, "sentinel ingest").unwrap());
        let mut waits = 0;
        let mut wait = |_: &Holder| {
            waits += 1;
            if waits == 3 {
                held = None;
            }
            true
        };
        RunLock::acquire(
            &folder.path().join("work/run.lock"),
            "sentinel run",
            &mut wait,
        )
        .unwrap();
        assert_eq!(waits, 3);
        assert!(!patience(0)(&Holder(String::new())));
    }

    #[test]
    fn unwritable_place_is_an_error_that_names_it() {
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("work"), b"").unwrap();
        let error = lock_in(&folder, "sentinel run").unwrap_err();
        assert!(
            matches!(&error, LockError::Io(io) if io.to_string().contains("work")),
            "{error}"
        );
    }
}
