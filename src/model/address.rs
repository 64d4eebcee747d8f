//! What is known of a sending address from elsewhere: the name of its host, its network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What a look-up of a host's name found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAnswer {
    /// A name that leads back to the address: lower case, without a dot at its end.
    Named(String),
    /// There is no name, or none that leads back.
    Nameless,
    /// Nobody knows: why the look-up failed, for people.
    Failed(String),
}

/// What databases of networks say of an address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NetworkFacts {
    /// Two capital letters, ISO 3166.
    pub country: Option<String>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Who runs it; one line, at most [`MOST_NETWORK_CHARS`] characters.
    pub network: Option<String>,
}

impl NetworkFacts {
    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Characters of the name of a network that are kept.
pub const MOST_NETWORK_CHARS: usize = 80;

/// Whether an address belongs to a host of the public internet. Whoever asks about others tells strangers of private
/// networks, and learns nothing.
pub fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_reserved = match (a, b, c) {
        (0 | 10 | 127 | 224..=255, ..) => true,
        // Shared by the customers of a provider.
        (100, 64..=127, _) => true,
        (169, 254, _) | (192, 168, _) | (192, 0, 0) | (192, 88, 99) => true,
        (172, 16..=31, _) => true,
        // Benchmarks.
        (198, 18..=19, _) => true,
        _ => false,
    };
    !is_reserved && !address.is_documentation()
}

/// What is given out to anybody lies in 2000::/3.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let is_documentation =
        (segments[0], segments[1]) == (0x2001, 0xdb8) || segments[0] & 0xfff0 == 0x3ff0;
    let is_special = segments[0] == 0x2001 && segments[1] < 0x200;
    segments[0] & 0xe000 == 0x2000 && !is_documentation && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_the_public_internet_are_told_from_all_others() {
        for (address, expect) in [
            ("8.8.8.8", true),
            ("100.63.0.1", true),
            ("172.32.0.1", true),
            ("2a00:1450::1", true),
            ("2001:4860:4860::8888", true),
            ("::ffff:8.8.8.8", true),
            ("10.0.0.1", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.1.1", false),
            ("172.16.0.1", false),
            ("192.0.2.1", false),
            ("192.168.1.1", false),
            ("198.18.0.1", false),
            ("203.0.113.9", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("0.0.0.0", false),
            ("::1", false),
            ("fe80::1", false),
            ("fd00::1", false),
            ("2001:db8::1", false),
            ("2001::1", false),
            ("3fff::1", false),
            ("ff02::1", false),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expect, "{address}");
        }
    }
}
