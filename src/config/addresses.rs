//! Section `addresses`: what is to be found out about sending addresses from elsewhere.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use super::sections::{list, set};
use super::tree::{Node, Reader, join};
use crate::addresses::check_file;

/// Files and servers that are named at most.
const MOST: usize = 8;

const DNS_PORT: u16 = 53;

/// Section `addresses`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Addresses {
    /// Whether names of hosts are looked up: that tells DNS servers which addresses are of interest.
    pub host_names: bool,
    /// Servers to ask; empty: those of the system.
    pub dns_servers: Vec<SocketAddr>,
    /// Files in MMDB form with countries and networks; of several that know the same, the first counts.
    pub mmdb: Vec<PathBuf>,
}

/// Reads the section; a file that cannot be read is a problem of its line.
pub fn read(reader: &mut Reader<'_>, node: &Node, addresses: &mut Addresses) {
    for (key, line, node) in reader.entries("addresses", Some(node)) {
        let path = join("addresses", key);
        match key.as_str() {
            "host_names" => set(&mut addresses.host_names, reader.flag(&path, node)),
            "dns_servers" => addresses.dns_servers = list(reader, &path, node, server),
            "mmdb" => addresses.mmdb = list(reader, &path, node, file),
            _ => reader.unknown(*line, &path, key, &["dns_servers", "host_names", "mmdb"]),
        }
        if addresses.dns_servers.len().max(addresses.mmdb.len()) > MOST {
            reader.note(node.line, &path, format!("has more than {MOST} entries"));
        }
    }
}

/// `192.0.2.53`, or with a port: `192.0.2.53:5353`, `[2001:db8::53]:5353`.
fn server(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<SocketAddr> {
    let text = reader.text(path, node)?;
    let address = text.parse::<IpAddr>();
    let server = address.map_or_else(|_| text.parse(), |ip| Ok(SocketAddr::new(ip, DNS_PORT)));
    match server {
        Ok(server) => Some(server),
        Err(_) => reader.expected(
            path,
            node,
            "the address of a DNS server such as 192.0.2.53",
            &format!("\"{text}\""),
        ),
    }
}

fn file(reader: &mut Reader<'_>, path: &str, node: &Node) -> Option<PathBuf> {
    let file = PathBuf::from(reader.text(path, node)?);
    match check_file(&file) {
        Ok(()) => Some(file),
        Err(what) => {
            reader.note(node.line, path, format!("{} {what}", file.display()));
            None
        }
    }
}
