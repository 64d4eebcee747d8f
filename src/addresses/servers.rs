//! The DNS servers of the system.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;

/// Where the system names its servers.
pub const RESOLV_CONF: &str = "/etc/resolv.conf";

/// Servers that the C library would ask.
const MOST_SERVERS: usize = 3;

const PORT: u16 = 53;

/// The servers that a file in the form of `resolv.conf` names.
pub fn system_servers(path: &Path) -> io::Result<Vec<SocketAddr>> {
    let text = std::fs::read(path)?;
    Ok(servers(&String::from_utf8_lossy(&text)))
}

fn servers(text: &str) -> Vec<SocketAddr> {
    let named = text.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let address = words.next().filter(|word| *word == "nameserver");
        let address: IpAddr = address.and(words.next())?.parse().ok()?;
        Some(SocketAddr::new(address, PORT))
    });
    named.take(MOST_SERVERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_those_of_the_system() {
        let text = "# made by hand\nsearch example.com\nnameserver 192.0.2.53\n\
            nameserver fe80::1%eth0\n  nameserver\t2001:db8::53 \noptions edns0\n";
        let found: Vec<String> = servers(text).iter().map(ToString::to_string).collect();
        assert_eq!(found, ["192.0.2.53:53", "[2001:db8::53]:53"]);
    }
}
