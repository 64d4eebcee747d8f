//! Opens and closes the working database.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use duckdb::{Config, Connection, params};

use super::room::Room;
use super::seen::Seen;
use super::settings::StoreConfig;
use super::{addresses, retention, schema, senders};
use crate::model::item::ItemNo;

/// The working database, open.
pub struct Store {
    pub(super) connection: Connection,
    pub(super) config: StoreConfig,
    pub(super) room: Arc<Room>,
    pub(super) seen: Seen,
}

/// A working database whose file is complete and closed: it may be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedStore {
    /// The file.
    pub path: PathBuf,
}

impl Store {
    /// Opens the working database; makes it anew, empty, where there is none or where it was made by other code, for
    /// another configuration, or is damaged. The caller holds the run lock.
    pub fn open(config: StoreConfig) -> Result<Self> {
        if let Some(folder) = config.path.parent() {
            fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        }
        if config.path.exists() {
            match open_existing(&config) {
                Ok(Some(connection)) => {
                    return Ok(Self::new(connection, config, Seen::something()));
                }
                Ok(None) => tracing::info!(
                    "the working database was made by other code or configuration, or for another retention: rebuilding"
                ),
                Err(error) if is_busy(&error) => return Err(error),
                Err(error) => {
                    tracing::warn!("the working database is damaged, rebuilding: {error:#}")
                }
            }
            remove(&config.path)?;
        }
        Ok(Self::new(create(&config)?, config, Seen::nothing()))
    }

    fn new(connection: Connection, config: StoreConfig, seen: Seen) -> Self {
        let room = Arc::new(Room::new(config.memory_limit_bytes));
        Self {
            connection,
            config,
            room,
            seen,
        }
    }

    /// The settings it was opened with.
    pub fn config(&self) -> &StoreConfig {
        &self.config
    }

    /// The highest item that is loaded, 0 when empty.
    pub fn position(&self) -> Result<ItemNo> {
        let sql = "select coalesce(max(item_no), 0) from items";
        let position: i64 = self
            .connection
            .query_row(sql, [], |row| row.get(0))
            .context("reading the position")?;
        Ok(position.unsigned_abs())
    }

    /// Number and hash (64 hex digits) of the last item that is loaded; `None` when empty.
    pub fn last_item(&self) -> Result<Option<(ItemNo, String)>> {
        let sql = "select item_no, sha256 from items order by item_no desc limit 1";
        let mut statement = self.connection.prepare(sql)?;
        let mut rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get(1)?)))?;
        let last = rows.next().transpose().context("reading the position")?;
        Ok(last.map(|(item_no, sha256)| (item_no.unsigned_abs(), sha256)))
    }

    /// Empties the store: the next load begins with the first item.
    pub fn empty(self) -> Result<Self> {
        let config = self.config;
        drop(self.connection);
        remove(&config.path)?;
        Self::open(config)
    }

    /// The connection, for reading.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Another connection to the same database, for another thread.
    pub fn another_connection(&self) -> Result<Connection> {
        self.connection
            .try_clone()
            .context("opening a second connection to the working database")
    }

    /// Threads that DuckDB works with on one statement.
    pub fn set_threads(&self, threads: usize) -> Result<()> {
        self.connection
            .execute_batch(&format!("set threads = {}", threads.max(1)))
            .context("setting DuckDB's threads")
    }

    /// Lets DuckDB have what it takes to read and write rows with so many bytes of text, and takes back what it was
    /// allowed for batches that are committed.
    pub fn make_room(&self, row_bytes: u64) -> Result<()> {
        self.room.rows(&self.connection, row_bytes)
    }

    /// Does `work`, which leaves no trace where it is `short` of memory, and in that case once more with twice as much:
    /// rows that are not committed cannot be moved to the disk, and how many a rule finds nobody knows before.
    pub fn with_growing_memory<T>(
        &mut self,
        short: impl Fn(&Result<T>) -> bool,
        mut work: impl FnMut(&mut Self) -> Result<T>,
    ) -> Result<T> {
        let mut done = work(self);
        if short(&done) {
            self.room.statement(&self.connection, Some(2))?;
            done = work(self);
            self.room.statement(&self.connection, None)?;
        }
        done
    }

    /// Works everything that is committed into the one file, compressed.
    pub fn checkpoint(&self) -> Result<()> {
        self.connection
            .execute_batch("checkpoint")
            .context("writing the working database")
    }

    /// Works the log in where it has grown much. As a part of a commit, beside the staging of the next batch, DuckDB ran
    /// out of memory over wide rows in about every second load, however much it had, and gave the whole database up.
    pub(super) fn work_in_log(&self) -> Result<()> {
        if self.log_bytes()? <= LOG_BYTES {
            return Ok(());
        }
        self.room.working_in(&self.connection, true)?;
        self.checkpoint()?;
        self.room.working_in(&self.connection, false)
    }

    /// Whether the log is so small that it can be worked in beside other work.
    pub fn has_small_log(&self) -> Result<bool> {
        Ok(self.log_bytes()? <= SMALL_LOG_BYTES)
    }

    fn log_bytes(&self) -> Result<u64> {
        let log = log_path(&self.config.path);
        match fs::metadata(&log) {
            Ok(metadata) => Ok(metadata.len()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(error).with_context(|| format!("looking at {}", log.display())),
        }
    }

    /// Writes everything into the one file and closes it.
    pub fn close(self) -> Result<ClosedStore> {
        self.checkpoint()?;
        self.connection
            .close()
            .map_err(|(_, error)| error)
            .context("closing the working database")?;
        let log = log_path(&self.config.path);
        ensure!(
            !log.exists(),
            "{} is still there after closing: the database file is not complete",
            log.display()
        );
        Ok(ClosedStore {
            path: self.config.path,
        })
    }
}

impl AsMut<Store> for Store {
    fn as_mut(&mut self) -> &mut Self {
        self
    }
}

/// Deletes a working database and what lies beside it.
pub fn remove(path: &Path) -> Result<()> {
    for file in [path.to_path_buf(), log_path(path)] {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("deleting {}", file.display()));
            }
            _ => {}
        }
    }
    Ok(())
}

fn log_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".wal");
    PathBuf::from(name)
}

/// The log that may grow before it is worked into the database in the middle of a load.
const LOG_BYTES: u64 = 128 << 20;

/// A log that can be worked in beside other work.
const SMALL_LOG_BYTES: u64 = 32 << 20;

/// More than any log: DuckDB works none in by itself.
const NEVER: &str = "1TiB";

/// The oldest DuckDB that can read the file: 1.3 knows the form, but takes texts for NULL where others of their column
/// are NULL, without a word.
const OLDEST_READER: &str = "v1.4.0";

/// Whether what was done failed because DuckDB had too little memory.
pub fn lacks_memory<T>(done: &Result<T>) -> bool {
    let is_short = |error: &anyhow::Error| {
        let mut causes = error.chain();
        causes.any(|cause| cause.to_string().starts_with("Out of Memory Error"))
    };
    done.as_ref().is_err_and(is_short)
}

fn is_busy(error: &anyhow::Error) -> bool {
    format!("{error:#}").contains("Could not set lock")
}

fn connect(config: &StoreConfig) -> Result<Connection> {
    let temporary = config.path.with_extension("tmp");
    let settings = Config::default()
        .with("memory_limit", format!("{}B", config.memory_limit_bytes))?
        .with("temp_directory", temporary.to_string_lossy())?
        // The cores are busy with our own readers and writers, each with a connection; beside them, DuckDB's threads
        // would mostly spin.
        .with("threads", "1")?
        .with("autoinstall_known_extensions", "false")?
        .with("autoload_known_extensions", "false")?
        // A commit is durable in the log; when that is worked in, we say.
        .with("checkpoint_threshold", NEVER)?
        // Texts are compressed in half the time that the form for older readers takes, and are found faster.
        .with("storage_compatibility_version", OLDEST_READER)?;
    let path = &config.path;
    Connection::open_with_flags(path, settings)
        .with_context(|| format!("opening {}", path.display()))
}

/// `None`: a sound database of other code or configuration.
fn open_existing(config: &StoreConfig) -> Result<Option<Connection>> {
    let connection = connect(config)?;
    let value = |key: &str| -> duckdb::Result<String> {
        connection.query_row("select max(value) from about where key = ?", [key], |row| {
            row.get(0)
        })
    };
    let fits = value("code_hash").is_ok_and(|hash| hash == config.code_hash)
        && value("load_hash").is_ok_and(|hash| hash == config.load_hash)
        && value(retention::KEY).unwrap_or_default() == retention::cut_off(config);
    Ok(fits.then_some(connection))
}

/// All or nothing: a crash in between leaves a file without tables, which is made anew.
fn create(config: &StoreConfig) -> Result<Connection> {
    let connection = connect(config)?;
    connection.execute_batch("begin")?;
    schema::create(&connection)?;
    for (key, value) in [
        ("code_hash", &config.code_hash),
        ("load_hash", &config.load_hash),
    ] {
        connection.execute("insert into about values (?, ?)", params![key, value])?;
    }
    retention::note(&connection, config)?;
    addresses::note(&connection, config)?;
    senders::note(&connection, config).context("writing the senders")?;
    connection
        .execute_batch("commit")
        .context("making the tables")?;
    Ok(connection)
}
