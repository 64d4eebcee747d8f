//! An SMTP TLS report (RFC 8460 section 4.4).

use super::outcome::Oddity;

/// One report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsReport {
    /// `organization-name`; may be empty.
    pub org_name: String,
    /// Key part, derived as for aggregate reports, from `organization-name` and `contact-info`.
    pub org_domain: String,
    /// `contact-info`.
    pub contact_info: Option<String>,
    /// `report-id`; synthesised from the content when missing.
    pub report_id: String,
    /// `date-range/start-datetime`, seconds since 1970 UTC.
    pub begin_utc_secs: i64,
    /// `date-range/end-datetime`, seconds since 1970 UTC.
    pub end_utc_secs: i64,
    /// `policies`.
    pub policies: Vec<TlsPolicy>,
    /// SHA-256 over the canonical policies; as `AggregateHead::records_sha256`.
    pub policies_sha256: [u8; 32],
    /// What the reader forgave.
    pub oddities: Vec<Oddity>,
}

impl TlsReport {
    /// Rows that it becomes: one for itself, one for each policy and for each of their failures.
    pub fn rows(&self) -> usize {
        let failures = self.policies.iter().map(|policy| policy.failures.len());
        1 + self.policies.len() + failures.sum::<usize>()
    }

    /// Bytes of its texts.
    pub fn text_bytes(&self) -> usize {
        let own = [self.org_name.len(), self.report_id.len()];
        let contact_info = self.contact_info.as_ref().map_or(0, String::len);
        let policies = self.policies.iter().map(TlsPolicy::text_bytes);
        own.into_iter().chain(policies).sum::<usize>() + contact_info
    }
}

impl TlsPolicy {
    fn text_bytes(&self) -> usize {
        let lists = self.policy_strings.iter().chain(&self.mx_hosts);
        let texts = lists.chain(&self.policy_type).map(String::len);
        let failures = self.failures.iter().map(TlsFailure::text_bytes);
        self.domain.len() + texts.chain(failures).sum::<usize>()
    }
}

impl TlsFailure {
    fn text_bytes(&self) -> usize {
        let texts = [
            &self.result_type,
            &self.sending_mta_ip,
            &self.receiving_mx_hostname,
            &self.receiving_mx_helo,
            &self.receiving_ip,
            &self.additional_information,
            &self.failure_reason_code,
        ];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

/// One element of `policies`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsPolicy {
    /// `tlsa`, `sts`, `no-policy-found` or what was written.
    pub policy_type: Option<String>,
    /// `policy-domain`, normalised; may be empty.
    pub domain: String,
    /// `policy-string`: what the sender had cached, not what is in force.
    pub policy_strings: Vec<String>,
    /// `mx-host`.
    pub mx_hosts: Vec<String>,
    /// `total-successful-session-count`.
    pub successful_sessions: u64,
    /// `total-failure-session-count`.
    pub failed_sessions: u64,
    /// `failure-details`; their counts are not exclusive and may exceed the total.
    pub failures: Vec<TlsFailure>,
}

/// One element of `failure-details`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsFailure {
    /// `result-type`, as written.
    pub result_type: Option<String>,
    /// `sending-mta-ip`.
    pub sending_mta_ip: Option<String>,
    /// `receiving-mx-hostname`.
    pub receiving_mx_hostname: Option<String>,
    /// `receiving-mx-helo`.
    pub receiving_mx_helo: Option<String>,
    /// `receiving-ip`.
    pub receiving_ip: Option<String>,
    /// `failed-session-count`.
    pub failed_sessions: u64,
    /// `additional-information` or `additional-info-uri`; never fetched.
    pub additional_information: Option<String>,
    /// `failure-reason-code`.
    pub failure_reason_code: Option<String>,
}
