//! The runtime, and the signals that stop it.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::connection;
use super::respond::Server;

/// Serves on `listener` until SIGTERM or SIGINT, then lets requests in flight end. The only entry for code without
/// `async`; a second signal ends the process at once, as the shell's user expects. `ready` is called as soon as a signal
/// would end it in order, `stopping` as soon as one has come.
pub fn run_until_signal(
    listener: TcpListener,
    server: Server,
    ready: impl FnOnce(),
    stopping: impl FnOnce(),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let served = runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        ready();
        let mut next = async || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = connection::run(listener, Arc::new(server), async {
            // A sender that is gone means the same.
            let _ = stopped.await;
        });
        tokio::pin!(serving);
        tokio::select! {
            () = &mut serving => return Ok(()),
            () = next() => {}
        }
        stopping();
        tracing::info!("stopping: requests in flight may end; a second signal ends them");
        let _ = stop.send(());
        tokio::select! {
            () = &mut serving => {}
            () = next() => tracing::warn!("stopped at once: requests in flight were cut"),
        }
        Ok(())
    });
    // Questions to the database that nobody waits for any more must not hold up the end.
    runtime.shutdown_background();
    served
}
