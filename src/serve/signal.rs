//! The runtime, and the signals that stop it.

use std::io;
use std::net::TcpListener;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};

use super::connection;
use super::respond::Server;

/// Serves on `listener` until SIGTERM or SIGINT, then lets requests in flight end. The only entry for code without
/// `async`; a second signal ends the process at once, as the shell's user expects. `ready` is called as soon as a signal
/// would end it in order.
pub fn run_until_signal(
    listener: TcpListener,
    server: Server,
    ready: impl FnOnce(),
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        ready();
        let first = async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::info!("stopping: requests in flight may end");
        };
        connection::run(listener, Arc::new(server), first).await;
        Ok(())
    })
}
