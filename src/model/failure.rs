//! A failure report about one message (RFC 6591, RFC 9991). Only what is needed to find the sender is kept:
//! neither subject nor recipients nor bodies.

use std::net::IpAddr;

use super::outcome::Oddity;

/// One report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FailureReport {
    /// `Reported-Domain`, else the domain of the message's From, normalised; may be empty.
    pub domain: String,
    /// `User-Agent` of the reporter.
    pub user_agent: Option<String>,
    /// `Reporting-MTA` without its type prefix.
    pub reporting_mta: Option<String>,
    /// `Arrival-Date`, seconds since 1970 UTC.
    pub arrival_utc_secs: Option<i64>,
    /// `Source-IP`.
    pub source_ip: Option<IpAddr>,
    /// `Incidents`, 1 where missing.
    pub incidents: u64,
    /// `Auth-Failure`: `dmarc`, `dkim`, `spf`, `bodyhash`, … lower-cased, in order.
    pub auth_failures: Vec<String>,
    /// `Delivery-Result`, lower-cased.
    pub delivery_result: Option<String>,
    /// `Identity-Alignment` (RFC 9991): mechanisms that failed; `none` is an empty list with `Some`.
    pub identity_alignment: Option<Vec<String>>,
    /// `DKIM-Domain`, normalised.
    pub dkim_domain: Option<String>,
    /// `DKIM-Selector`.
    pub dkim_selector: Option<String>,
    /// `SPF-DNS`, all of them.
    pub spf_dns: Vec<String>,
    /// `Authentication-Results`, all of them.
    pub authentication_results: Vec<String>,
    /// Domain of `Original-Mail-From`, normalised; `Some("")` for the null reverse path.
    pub envelope_from: Option<String>,
    /// Domain of the reported message's From, normalised.
    pub header_from: Option<String>,
    /// `Message-ID` of the reported message.
    pub message_id: Option<String>,
    /// What the reader forgave.
    pub oddities: Vec<Oddity>,
}

impl FailureReport {
    /// Bytes of its texts.
    pub fn text_bytes(&self) -> usize {
        let texts = [
            &self.user_agent,
            &self.reporting_mta,
            &self.delivery_result,
            &self.dkim_domain,
            &self.dkim_selector,
            &self.envelope_from,
            &self.header_from,
            &self.message_id,
        ];
        let lists = [
            &self.auth_failures,
            &self.spf_dns,
            &self.authentication_results,
        ];
        let lists = lists.into_iter().chain(&self.identity_alignment).flatten();
        let texts = texts.into_iter().flatten().chain(lists);
        self.domain.len() + texts.map(String::len).sum::<usize>()
    }
}
