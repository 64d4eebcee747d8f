//! What `sentinel check` says of what is known of addresses from elsewhere.

use std::net::{IpAddr, Ipv4Addr};

use chrono::DateTime;

use super::super::names::resolver;
use super::Findings;
use crate::addresses::Networks;
use crate::config::Config;
use crate::model::address::HostAnswer;

/// What every resolver can answer, and what tells nobody anything.
const ASKED: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl Findings {
    /// Opens the files of networks, and asks the DNS servers one question where names of hosts are wanted.
    pub(super) fn look_at_addresses(&mut self, config: &Config) {
        match Networks::open(&config.addresses.mmdb) {
            Ok(networks) => {
                for file in networks.files() {
                    let built = DateTime::from_timestamp(file.built_utc_secs, 0);
                    let built = built.map_or("?".to_owned(), |at| at.date_naive().to_string());
                    let (kind, path) = (&file.kind, file.path.display());
                    self.facts
                        .push(format!("networks: {kind} of {built} in {path}"));
                }
            }
            Err(error) => self.add_problem(format!("addresses.mmdb: {error:#}")),
        }
        if !config.addresses.host_names {
            let fact = "host names: are not looked up (addresses.host_names)";
            return self.facts.push(fact.to_owned());
        }
        match resolver(&config.addresses.dns_servers) {
            Ok(resolver) => {
                let servers: Vec<String> =
                    resolver.servers().iter().map(ToString::to_string).collect();
                let servers = servers.join(", ");
                match resolver.host_name(ASKED) {
                    HostAnswer::Failed(error) => {
                        self.add_problem(format!("host names: DNS does not answer: {error}"));
                    }
                    _ => self
                        .facts
                        .push(format!("host names: DNS answers ({servers})")),
                }
            }
            Err(error) => self.add_problem(format!("host names: {error:#}")),
        }
    }
}
