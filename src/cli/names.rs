//! Names of hosts for those who want them: after a run, beside a server.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use super::context::catalogue;
use crate::addresses::{RESOLV_CONF, Resolver, Timeouts, system_servers};
use crate::config::Config;
use crate::job::folders::Folders;
use crate::job::host_names::{Asked, Asking, look_up};
use crate::query::Query;

/// Looks up names of hosts as configured.
pub(super) struct Namer {
    folders: Folders,
    dns_servers: Vec<SocketAddr>,
    query: Query,
}

impl Namer {
    /// `None` where nobody wants names.
    pub(super) fn new(config: &Config) -> Result<Option<Self>> {
        if !config.addresses.host_names {
            return Ok(None);
        }
        let query = catalogue(config)?.queries.remove("asked_addresses");
        Ok(Some(Self {
            folders: Folders::new(&config.app.data_dir),
            dns_servers: config.addresses.dns_servers.clone(),
            query: query.context("there is no query asked_addresses")?,
        }))
    }

    /// Looks up what is due.
    pub(super) fn pass(&self, longest: Duration, stop: &AtomicBool) -> Result<Asked> {
        let asked = look_up(&Asking {
            folders: &self.folders,
            resolver: &resolver(&self.dns_servers)?,
            query: &self.query,
            longest,
            stop,
        })?;
        let Asked {
            due,
            named,
            nameless,
            failed,
            ..
        } = asked;
        if due > 0 {
            tracing::info!(
                "names of hosts: {due} were due; {named} have one that leads back, {nameless} have none, {failed} could not \
                 be asked for"
            );
        }
        if let Some(error) = &asked.error {
            tracing::warn!("names of hosts: {failed} look-ups failed, the first because {error}");
        }
        Ok(asked)
    }
}

/// Asks these servers, or where none are configured those that the system names now.
pub(super) fn resolver(dns_servers: &[SocketAddr]) -> Result<Resolver> {
    let mut servers = dns_servers.to_vec();
    if servers.is_empty() {
        servers = system_servers(Path::new(RESOLV_CONF)).with_context(|| {
            format!("reading {RESOLV_CONF}; name servers in addresses.dns_servers")
        })?;
        ensure!(
            !servers.is_empty(),
            "{RESOLV_CONF} names no server; name some in addresses.dns_servers"
        );
    }
    Ok(Resolver::new(servers, Timeouts::default()))
}
