//! Connections to servers by name.

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use super::fate::SendError;

/// A connection is made or not within this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Addresses of a name that are tried.
const MOST_ADDRESSES: usize = 4;

/// Connects to the first address that answers.
pub fn connect(host: &str, port: u16, timeout: Duration) -> Result<TcpStream, SendError> {
    let failed =
        |error: &io::Error| SendError::soon(format!("{host}:{port} cannot be reached: {error}"));
    let addresses = (host, port)
        .to_socket_addrs()
        .map_err(|error| failed(&error))?;
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in addresses.take(MOST_ADDRESSES) {
        match TcpStream::connect_timeout(&address, timeout.min(CONNECT_TIMEOUT)) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(failed(&last))
}
