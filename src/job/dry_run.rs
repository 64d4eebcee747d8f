//! What messages would become: a run over copies of what it would change, which are thrown away.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::folders::Folders;
use super::mailboxes::{Fetch, Turn, fetch_into};
use super::retention;
use super::run::Run;
use super::visit::Visit;
use crate::ledger::Ledger;
use crate::source::imap::Tokens;
use crate::store::mail_endings::WouldBe;
use crate::store::settings::StoreConfig;

/// How long a dry run on the command line may fetch from each mailbox: it holds up every other run.
pub const LONGEST: Duration = Duration::from_secs(600);

/// Fetches what the visit found and says what each document would become; stores nothing and changes nothing on the
/// server. The caller holds the run lock.
pub fn dry_run(
    run: &Run,
    visits: &mut [Visit],
    tokens: &Tokens,
    turn: Turn,
) -> Result<(Fetch, Vec<WouldBe>)> {
    clear_leftover(run.folders)?;
    let done = within(run, &scratch(run.folders), visits, tokens, turn);
    clear_leftover(run.folders)?;
    done
}

/// Deletes what a dry run that was killed has left. The caller holds the run lock.
pub(super) fn clear_leftover(folders: &Folders) -> Result<()> {
    clear(&scratch(folders))
}

fn scratch(folders: &Folders) -> PathBuf {
    folders.work().join("dry-run")
}

fn within(
    run: &Run,
    scratch: &Path,
    visits: &mut [Visit],
    tokens: &Tokens,
    turn: Turn,
) -> Result<(Fetch, Vec<WouldBe>)> {
    let folders = Folders::new(scratch);
    lend_archive(&run.folders.archive(), &folders.archive())?;
    fs::create_dir_all(folders.work()).context("making a folder for a dry run")?;
    let database = folders.database();
    if run.store.path.exists() {
        fs::copy(&run.store.path, &database).context("copying the working database")?;
        let log = run.store.path.with_extension("duckdb.wal");
        if log.exists() {
            fs::copy(&log, database.with_extension("duckdb.wal"))
                .context("copying the log of the working database")?;
        }
    }
    let ledger = Ledger::open(&run.folders.ledger()).context("opening the ledger")?;
    let run = &retention::kept(run, &ledger)?;
    let copy = Run {
        folders: &folders,
        store: StoreConfig {
            path: database,
            ..run.store.clone()
        },
        ..run.clone()
    };
    fetch_into(&copy, visits, tokens, turn)
}

/// Segments change under the run lock alone, which is held: links do.
fn lend_archive(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).context("making a folder for a dry run")?;
    if !from.exists() {
        return Ok(());
    }
    let from = from.canonicalize().context("finding the archive")?;
    for entry in fs::read_dir(&from).context("listing the archive")? {
        let path = entry.context("listing the archive")?.path();
        if let Some(name) = path.file_name()
            && path.extension().is_some_and(|e| e == "parquet")
        {
            symlink(&path, to.join(name)).context("linking the archive")?;
        }
    }
    Ok(())
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("deleting {}", folder.display()))
        }
        _ => Ok(()),
    }
}
