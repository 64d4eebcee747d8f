//! Senders that the user knows by name.

use ipnet::IpNet;

/// A system that may send for a domain, and by what its mail is recognised. One match of any kind suffices.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KnownSender {
    /// The domain it sends for, normalised; its subdomains are meant too.
    pub domain: String,
    /// Name for people, unique within the domain.
    pub name: String,
    /// Source networks, sorted; a single address is a network of its full length.
    pub cidrs: Vec<IpNet>,
    /// Normalised `d=` domains of signatures that pass, subdomains included; sorted.
    pub dkim_domains: Vec<String>,
    /// Normalised envelope domains for which SPF passes, subdomains included; sorted.
    pub spf_domains: Vec<String>,
    /// Takes any aligned DKIM pass as evidence that one of the domain's own systems signed.
    pub aligned_dkim: bool,
    /// Well-known services that may send for the domain, by id; sorted. They bring their own evidence.
    pub services: Vec<String>,
}

impl KnownSender {
    /// Whether it is recognised by anything beside the services that it names.
    pub fn has_evidence(&self) -> bool {
        self.aligned_dkim
            || !(self.cidrs.is_empty()
                && self.dkim_domains.is_empty()
                && self.spf_domains.is_empty())
    }
}
