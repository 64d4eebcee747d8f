//! TLS for connections that the program opens: the authorities of the system and those of the user, one provider. The
//! only user of `rustls`.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::clock;

/// A protected connection.
pub type TlsStream = StreamOwned<ClientConnection, TcpStream>;

/// Whom connections trust.
#[derive(Debug, Clone)]
pub struct Trust(Arc<ClientConfig>);

impl Trust {
    /// The authorities of the system, and those of `ca_file` (PEM) where there is one. That nobody is trusted is an
    /// error, and so is a file without a certificate.
    pub fn new(ca_file: Option<&Path>) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        let system = rustls_native_certs::load_native_certs();
        for error in &system.errors {
            tracing::debug!(%error, "a certificate authority of the system cannot be read");
        }
        roots.add_parsable_certificates(system.certs);
        if let Some(path) = ca_file {
            add(&mut roots, path)?;
        }
        if roots.is_empty() {
            let message = "this system has no certificate authorities: install its package ca-certificates, or name \
                           a file of them with `ca_file`";
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        }
        Self::of(roots)
    }

    /// Nobody: good for connections without protection, to this machine.
    pub fn of_nobody() -> io::Result<Self> {
        Self::of(RootCertStore::empty())
    }

    fn of(roots: RootCertStore) -> io::Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Shakes hands over `stream` with the server of that name or address, whose certificate has to be for it. However
    /// slow it is, it ends within `timeout`.
    pub fn connect(
        &self,
        host: &str,
        mut stream: TcpStream,
        timeout: Duration,
    ) -> io::Result<TlsStream> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut connection =
            ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        let mut ending = Ending::new(&mut stream, timeout);
        while connection.is_handshaking() {
            connection.complete_io(&mut ending)?;
        }
        Ok(StreamOwned::new(connection, stream))
    }

    /// Shakes hands over `stream`, which keeps the time itself.
    pub fn connect_timed(&self, host: &str, mut stream: Timed) -> io::Result<TimedTls> {
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let mut connection =
            ClientConnection::new(Arc::clone(&self.0), name).map_err(io::Error::other)?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(StreamOwned::new(connection, stream))
    }

    /// The same settings for a client of another crate.
    pub fn settings(&self) -> ClientConfig {
        ClientConfig::clone(&self.0)
    }
}

/// A stream that can be used for so long and no longer.
pub struct Ending<'a> {
    stream: &'a mut TcpStream,
    end: Instant,
}

impl<'a> Ending<'a> {
    /// For so long from now on.
    pub fn new(stream: &'a mut TcpStream, timeout: Duration) -> Self {
        let end = clock::instant() + timeout;
        Self { stream, end }
    }

    fn check(&self) -> io::Result<()> {
        if clock::instant() < self.end {
            return Ok(());
        }
        let message = "the server is too slow";
        Err(io::Error::new(io::ErrorKind::TimedOut, message))
    }
}

impl Read for Ending<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.check()?;
        self.stream.read(buffer)
    }
}

impl Write for Ending<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check()?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A protected connection that keeps the time.
pub type TimedTls = StreamOwned<ClientConnection, Timed>;

/// A connection that can be used until an instant, however its bytes trickle.
#[derive(Debug)]
pub struct Timed {
    stream: TcpStream,
    /// The end of the present step.
    step_end: Instant,
    /// The end of all.
    end: Instant,
}

impl Timed {
    /// A connection that can be used for so long and no longer.
    pub fn new(stream: TcpStream, most: Duration) -> Self {
        let end = clock::instant() + most;
        Self {
            stream,
            step_end: end,
            end,
        }
    }

    /// What follows up to the next call of this may take so long.
    pub fn begin_step(&mut self, timeout: Duration) {
        self.step_end = clock::instant() + timeout;
    }

    /// What is left of the time.
    fn left(&self) -> io::Result<Duration> {
        let left = self
            .step_end
            .min(self.end)
            .saturating_duration_since(clock::instant());
        if left.is_zero() {
            let message = "the server is too slow";
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        Ok(left)
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.left()?))?;
        self.stream.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

fn add(roots: &mut RootCertStore, path: &Path) -> io::Result<()> {
    let named = |error: &dyn std::fmt::Display| {
        let message = format!("certificate authorities in {}: {error}", path.display());
        io::Error::new(io::ErrorKind::InvalidData, message)
    };
    let certificates = CertificateDer::pem_file_iter(path).map_err(|error| named(&error))?;
    let mut count = 0;
    for certificate in certificates {
        let certificate = certificate.map_err(|error| named(&error))?;
        roots.add(certificate).map_err(|error| named(&error))?;
        count += 1;
    }
    if count == 0 {
        return Err(named(&"there is no certificate in PEM form in it"));
    }
    Ok(())
}
