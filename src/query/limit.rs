//! Statements that end, whatever they say.

use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use anyhow::Context;
use duckdb::Connection;

/// A statement that begins right after it was interrupted does not know of it: it is interrupted again.
const AGAIN: Duration = Duration::from_millis(100);

/// Does `work`, whose statements on the connection are interrupted once they have taken so long together. The second
/// value says whether they were.
pub fn within<T>(
    connection: &Connection,
    longest: Duration,
    work: impl FnOnce() -> T,
) -> anyhow::Result<(T, bool)> {
    let handle = connection.interrupt_handle();
    let (done, is_done) = channel::<()>();
    thread::scope(|scope| {
        let watch = move || {
            let (mut wait, mut was_interrupted) = (longest, false);
            while is_done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
                handle.interrupt();
                (wait, was_interrupted) = (AGAIN, true);
            }
            was_interrupted
        };
        let watch = thread::Builder::new()
            .name("limit".to_owned())
            .spawn_scoped(scope, watch)
            .context("starting thread limit")?;
        let given = work();
        drop(done);
        let was_interrupted = watch.join().unwrap_or(true);
        Ok((given, was_interrupted))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_without_end_is_interrupted_and_the_next_one_works() {
        let database = Connection::open_in_memory().unwrap();
        let endless = "select count(*) from range(1000000000) a, range(1000000000) b where a.range * b.range = 7";
        let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, i64>(0));
        let (answer, was_interrupted) =
            within(&database, Duration::from_millis(50), || count(endless)).unwrap();
        assert!(answer.is_err() && was_interrupted, "{answer:?}");
        let (answer, was_interrupted) =
            within(&database, Duration::from_secs(600), || count("select 7")).unwrap();
        assert_eq!((answer.unwrap(), was_interrupted), (7, false));
    }
}
