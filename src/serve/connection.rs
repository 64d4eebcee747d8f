//! Connections: how many, how long, and their end when the server stops.

use std::convert::Infallible;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::paced::Paced;
use super::respond::{Server, respond};
use super::settings::ServeLimits;

/// What a connection over the limit gets.
const REFUSAL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 5\r\n\
    cache-control: no-store\r\nx-content-type-options: nosniff\r\ncontent-type: text/plain; charset=utf-8\r\n\
    content-length: 42\r\n\r\nToo many connections. Try again in a bit.\n";

/// Refusals written at the same time; beyond that a connection is closed without a word.
const MAX_REFUSALS: usize = 32;

/// How long a refusal may take.
const REFUSAL_TIMEOUT: Duration = Duration::from_secs(1);

/// Pause after a failed accept (no file descriptors left), so that the failure does not spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves connections of `listener` until `shutdown` is ready; requests in flight then have
/// [`ServeLimits::stop_deadline`] to end.
pub async fn run(listener: TcpListener, server: Arc<Server>, shutdown: impl Future<Output = ()>) {
    let limits = server.config.limits.clone();
    let permits = Arc::new(Semaphore::new(limits.connections));
    let refusals = Arc::new(Semaphore::new(MAX_REFUSALS));
    let (stop, stopping) = watch::channel(false);
    let mut connections = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            biased;
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                log_panic(ended);
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        let (stream, peer): (TcpStream, SocketAddr) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "accepting a connection");
                sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        if let Ok(permit) = Arc::clone(&permits).try_acquire_owned() {
            let (server, stopping) = (Arc::clone(&server), stopping.clone());
            connections.spawn(async move {
                serve(stream, peer.ip(), server, stopping).await;
                drop(permit);
            });
        } else if let Ok(permit) = Arc::clone(&refusals).try_acquire_owned() {
            connections.spawn(async move {
                // A client that cannot even take a refusal is not worth a log line.
                let _ = timeout(REFUSAL_TIMEOUT, refuse(stream)).await;
                drop(permit);
            });
        }
    }
    drop(listener);
    // No receiver left means that no connection is left either.
    let _ = stop.send(true);
    drain(connections, &limits).await;
}

async fn drain(mut connections: JoinSet<()>, limits: &ServeLimits) {
    let all_ended = timeout(limits.stop_deadline, async {
        while let Some(ended) = connections.join_next().await {
            log_panic(ended);
        }
    });
    if all_ended.await.is_err() {
        tracing::warn!(
            connections = connections.len(),
            "connections cut at the stop deadline"
        );
        connections.shutdown().await;
    }
}

fn log_panic(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended
        .as_ref()
        .map_err(|error| error.is_panic().then_some(error))
        && let Some(error) = error
    {
        tracing::error!(%error, "a connection ended by a bug");
    }
}

/// One connection from its first byte to its end.
async fn serve(
    stream: TcpStream,
    peer: IpAddr,
    server: Arc<Server>,
    mut stopping: watch::Receiver<bool>,
) {
    let limits = &server.config.limits;
    // Without it the last packet of an answer waits for an acknowledgement; failing to set it costs time only.
    let _ = stream.set_nodelay(true);
    let io = TokioIo::new(Paced::new(
        stream,
        limits.write_timeout,
        limits.write_step_bytes,
    ));
    let service = service_fn(|request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(respond(&server, peer, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_timeout)
        .max_headers(limits.headers)
        .max_header_size(limits.head_bytes)
        .max_buf_size(limits.head_bytes.max(8192));
    let mut connection = pin!(builder.serve_connection(io, service));
    // An error means that the server is gone, which is a stop too; the guard in the result may not cross a wait.
    let stopped = async move { drop(stopping.wait_for(|stop| *stop).await) };
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended early");
    }
}

/// Says no: the answer, then the end, then what the client already sent is read away, because closing over unread
/// bytes resets the connection and takes the answer with it.
async fn refuse(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(REFUSAL).await?;
    stream.shutdown().await?;
    let mut sink = [0_u8; 4096];
    while stream.read(&mut sink).await? > 0 {}
    Ok(())
}
