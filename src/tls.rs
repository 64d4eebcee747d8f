//! TLS for connections that the program opens: the authorities of the system and those of the user, one provider. The
//! only user of `rustls`.

use std::io;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

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
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self(Arc::new(config)))
    }

    /// Shakes hands over `stream` with the server of that name or address, whose certificate has to be for it.
    pub fn connect(&self, host: &str, mut stream: TcpStream) -> io::Result<TlsStream> {
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
