//! What the store needs to know of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use ipnet::IpNet;
use sha2::{Digest, Sha256};

use crate::addresses::Networks;
use crate::ledger::HostNames;
use crate::model::domain::is_within;
use crate::model::hex::hex;
use crate::model::limits::Limits;
use crate::model::retention::Retention;
use crate::model::sender;
use crate::model::service::Service;

/// Settings of the working database and of what load decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreConfig {
    /// The working database.
    pub path: PathBuf,
    /// What DuckDB may use.
    pub memory_limit_bytes: u64,
    /// Threads that read documents or write days of the lake.
    pub threads: usize,
    /// Hash of everything in the program that shapes the tables.
    pub code_hash: String,
    /// Hash of everything in the configuration that shapes a generation, but for what files of networks hold.
    pub config_hash: String,
    /// Hash of the part of it that shapes rows as they are loaded: where another part changes, nothing is loaded anew.
    pub load_hash: String,
    /// Monitored domains; reports for others are foreign. `None`: all are monitored.
    pub domains: Option<BTreeSet<String>>,
    /// Senders that the user named.
    pub known_senders: Vec<KnownSender>,
    /// Well-known services, sorted by id.
    pub services: Vec<KnownService>,
    /// Bounds on what input may cost.
    pub limits: Limits,
    /// Months for which reports are kept, as configured; `None`: for good. Moves the cut-off on, and shapes no row.
    pub retention_months: Option<u32>,
    /// What is gone, by the ledger; `None` where nothing is.
    pub retention: Option<Arc<Retention>>,
    /// What is known of addresses from elsewhere.
    pub elsewhere: Elsewhere,
}

/// What is known of addresses from elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elsewhere {
    /// Files of networks, open.
    pub networks: Arc<Networks>,
    /// Names of hosts, by the ledger.
    pub host_names: Arc<HostNames>,
}

impl Elsewhere {
    /// Whether nothing is known of any address.
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && self.host_names.all().next().is_none()
    }
}

impl StoreConfig {
    /// Hash of everything that is configured and shapes a generation: what files of networks hold too.
    pub fn effective_hash(&self) -> String {
        let networks = &self.elsewhere.networks;
        if networks.is_empty() {
            return self.config_hash.clone();
        }
        let hash = Sha256::digest(format!("{} {}", self.config_hash, networks.hash()));
        hex(&hash)
    }

    /// The same, with files of networks as they are now; where they cannot be read, as they were.
    pub fn renewed(&self) -> Self {
        let mut config = self.clone();
        let networks = &mut config.elsewhere.networks;
        if networks.is_outdated() {
            match networks.reopened() {
                Ok(opened) => *networks = Arc::new(opened),
                Err(error) => tracing::warn!("files of networks stay as they were: {error:#}"),
            }
        }
        config
    }

    /// Whether a report for `domain` is one of ours: it, or a parent of it, is configured.
    pub fn is_monitored(&self, domain: &str) -> bool {
        match &self.domains {
            None => true,
            Some(domains) => domains.iter().any(|parent| is_within(domain, parent)),
        }
    }
}

/// A sender that the user named, and what it is recognised by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownSender {
    /// Identifier.
    pub sender: String,
    /// Name for people.
    pub name: String,
    /// Policy domains that it may send for, those below included.
    pub approved_for: Vec<String>,
    /// Its addresses.
    pub networks: Vec<IpNet>,
    /// Domains of DKIM signatures that verify, those below included.
    pub dkim_domains: Vec<String>,
    /// Domains for which SPF passes, those below included.
    pub spf_domains: Vec<String>,
    /// Whether an aligned DKIM pass for an approved domain is evidence of it.
    pub aligned_dkim: bool,
}

/// A well-known service, and for whom it may send.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownService {
    /// The service and its evidence.
    pub service: Service,
    /// Policy domains that it may send for, those below included; sorted.
    pub approved_for: Vec<String>,
}

/// The well-known services with the domains for which the configuration names them.
pub fn approved(services: &[Service], configured: &[sender::KnownSender]) -> Vec<KnownService> {
    let known = |service: &Service| {
        let names = |one: &&sender::KnownSender| one.services.contains(&service.id);
        let mut approved_for = Vec::new();
        for one in configured.iter().filter(names) {
            merge(&mut approved_for, std::slice::from_ref(&one.domain));
        }
        KnownService {
            service: service.clone(),
            approved_for,
        }
    };
    services.iter().map(known).collect()
}

/// The senders of the configuration, where one that sends for several domains stands once for each, by name. What names
/// services alone is none.
pub fn by_name(configured: &[sender::KnownSender]) -> Vec<KnownSender> {
    let mut senders: BTreeMap<&str, KnownSender> = BTreeMap::new();
    for one in configured.iter().filter(|one| one.has_evidence()) {
        let sender = senders.entry(&one.name).or_insert_with(|| KnownSender {
            sender: one.name.clone(),
            name: one.name.clone(),
            ..KnownSender::default()
        });
        merge(&mut sender.approved_for, std::slice::from_ref(&one.domain));
        merge(&mut sender.networks, &one.cidrs);
        merge(&mut sender.dkim_domains, &one.dkim_domains);
        merge(&mut sender.spf_domains, &one.spf_domains);
        sender.aligned_dkim |= one.aligned_dkim;
    }
    senders.into_values().collect()
}

fn merge<T: Clone + Ord>(into: &mut Vec<T>, more: &[T]) {
    into.extend_from_slice(more);
    into.sort_unstable();
    into.dedup();
}
