//! An aggregate report (RFC 7489 appendix C, RFC 9990 section 3.1) as read: its head and its records.
//!
//! The head is small; records are streamed one by one, because a report may hold a million of them.

use std::net::IpAddr;

use super::outcome::Oddity;

/// What an entry of a list takes in memory beside its texts: four of them, and a flag.
const ENTRY_BYTES: usize = 64;

/// Consecutive records whose width is noted together: what DuckDB reads and writes at once.
pub const RUN_RECORDS: u64 = 2_048;

/// Everything of an aggregate report but its records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AggregateHead {
    /// `report_metadata/org_name`, trimmed; the domain of `email` when empty; may be empty.
    pub org_name: String,
    /// Organizational domain of the reporter: of `org_name` where that is a domain name, else of `email`, else
    /// the lower-cased `org_name`. Part of the key of a report.
    pub org_domain: String,
    /// `report_metadata/email`.
    pub org_email: Option<String>,
    /// `report_metadata/extra_contact_info`. Never followed as a link without a check.
    pub extra_contact: Option<String>,
    /// `report_metadata/report_id` without white space and `<>`; synthesised from the content when missing.
    pub report_id: String,
    /// Begin of the period, seconds since 1970 UTC.
    pub begin_utc_secs: i64,
    /// End of the period as written (inclusive for some reporters, exclusive for others), seconds since 1970 UTC.
    pub end_utc_secs: i64,
    /// `policy_published/domain`, normalised (see [`super::domain::normalise`]); may be empty.
    pub domain: String,
    /// `r` or `s`; `None` where absent or odd (the protocol's default is `r`).
    pub adkim: Option<String>,
    /// `r` or `s`; `None` where absent or odd.
    pub aspf: Option<String>,
    /// `none`, `quarantine` or `reject`; `None` where absent or odd.
    pub p: Option<String>,
    /// As `p`, for subdomains; absent does not mean `none`.
    pub sp: Option<String>,
    /// As `p`, for non-existent subdomains (RFC 9989).
    pub np: Option<String>,
    /// 0 to 100; RFC 7489 only.
    pub pct: Option<i32>,
    /// Failure reporting options as written.
    pub fo: Option<String>,
    /// RFC 9990 `testing` (`t=y`).
    pub testing: Option<bool>,
    /// `psl` or `treewalk` (RFC 9990).
    pub discovery_method: Option<String>,
    /// Software of the reporter (RFC 9990).
    pub generator: Option<String>,
    /// `report_metadata/error`, all of them.
    pub errors: Vec<String>,
    /// `rfc7489` or `rfc9990`: a label with evidence, never a switch of the parser.
    pub schema: &'static str,
    /// Number of `<record>` elements.
    pub record_count: u64,
    /// Sum of all counts.
    pub messages: u64,
    /// Sum of the counts that pass DMARC by `policy_evaluated`.
    pub passed: u64,
    /// [`Record::text_bytes`] of each [`RUN_RECORDS`] of its records together: a few records may be thousands of times
    /// as wide as the others.
    pub record_text_bytes: Vec<u64>,
    /// SHA-256 over the canonical records as an unordered multiset: two reports with the same key and the same
    /// value are duplicates, with another value they are in conflict.
    pub records_sha256: [u8; 32],
    /// What the reader forgave, in document order, each code at most a few times.
    pub oddities: Vec<Oddity>,
}

impl AggregateHead {
    /// Bytes of what strangers choose the length of, without its records: of the texts, and [`ENTRY_BYTES`] for each
    /// entry of a list.
    pub fn text_bytes(&self) -> usize {
        let always = [
            &self.org_name,
            &self.org_domain,
            &self.report_id,
            &self.domain,
        ];
        let where_said = [
            &self.org_email,
            &self.extra_contact,
            &self.fo,
            &self.discovery_method,
            &self.generator,
        ];
        let entries = self.errors.len() + self.oddities.len();
        let runs = self.record_text_bytes.len();
        let oddities = self.oddities.iter().map(|oddity| &oddity.detail);
        let texts = always.into_iter().chain(where_said.into_iter().flatten());
        let texts = texts.chain(&self.errors).chain(oddities);
        entries * ENTRY_BYTES + runs * size_of::<u64>() + texts.map(String::len).sum::<usize>()
    }

    /// Notes how wide the next record is.
    pub fn note_record(&mut self, record_no: u64, text_bytes: usize) {
        let run = (record_no.saturating_sub(1) / RUN_RECORDS) as usize;
        let runs = &mut self.record_text_bytes;
        runs.resize(runs.len().max(run + 1), 0);
        runs[run] += text_bytes as u64;
    }
}

/// One `<record>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Position in the document, from 1.
    pub record_no: u64,
    /// `None` where missing or unusable; IPv4-mapped IPv6 is IPv4.
    pub source_ip: Option<IpAddr>,
    /// `row/count`.
    pub messages: u64,
    /// What the receiver did; `None` where it said something unknown.
    pub disposition: Option<Disposition>,
    /// `policy_evaluated/dkim` is `pass`.
    pub dkim_aligned: bool,
    /// `policy_evaluated/spf` is `pass`.
    pub spf_aligned: bool,
    /// `identifiers/header_from`, normalised.
    pub header_from: Option<String>,
    /// `identifiers/envelope_from`, normalised; `Some("")` is the null reverse path, `None` is absent.
    pub envelope_from: Option<String>,
    /// `identifiers/envelope_to`, normalised.
    pub envelope_to: Option<String>,
    /// Why the policy was overridden.
    pub reasons: Vec<Reason>,
    /// DKIM signatures in document order.
    pub dkim: Vec<DkimResult>,
    /// SPF results in document order.
    pub spf: Vec<SpfResult>,
}

impl Record {
    /// DMARC passes when either mechanism passes aligned (RFC 9989 section 5.4).
    pub fn dmarc_pass(&self) -> bool {
        self.dkim_aligned || self.spf_aligned
    }

    /// Bytes of what strangers choose the length of: of the texts, and [`ENTRY_BYTES`] for each entry of a list.
    pub fn text_bytes(&self) -> usize {
        let entries = self.reasons.len() + self.dkim.len() + self.spf.len();
        let own = [&self.header_from, &self.envelope_from, &self.envelope_to].into_iter();
        let reasons = self.reasons.iter().map(|reason| &reason.comment);
        let dkim = self
            .dkim
            .iter()
            .flat_map(|dkim| [&dkim.domain, &dkim.selector, &dkim.human_result]);
        let spf = self
            .spf
            .iter()
            .flat_map(|spf| [&spf.domain, &spf.human_result]);
        let texts = own.chain(reasons).chain(dkim).chain(spf);
        entries * ENTRY_BYTES + texts.flatten().map(String::len).sum::<usize>()
    }
}

/// `policy_evaluated/disposition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Delivered.
    None,
    /// Delivered, because DMARC passed (RFC 9990).
    Pass,
    /// Treated as suspicious.
    Quarantine,
    /// Refused.
    Reject,
}

impl Disposition {
    /// The word of the report schema.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Quarantine => "quarantine",
            Self::Reject => "reject",
        }
    }
}

/// `policy_evaluated/reason`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reason {
    /// One of the schema's words, lower-cased; `other` for an unknown one (with an oddity).
    pub kind: &'static str,
    /// Free text of the receiver.
    pub comment: Option<String>,
}

/// `auth_results/dkim`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DkimResult {
    /// `d=`, normalised; `None` where empty.
    pub domain: Option<String>,
    /// `s=`; `None` where missing.
    pub selector: Option<String>,
    /// `none`, `pass`, `fail`, `policy`, `neutral`, `temperror` or `permerror`.
    pub result: Option<&'static str>,
    /// Whether `d=` aligns with `header_from` under the published mode, computed with the public suffix list;
    /// explains, never overrides, `dkim_aligned` of the record.
    pub aligned: bool,
    /// Free text of the receiver.
    pub human_result: Option<String>,
}

/// `auth_results/spf`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpfResult {
    /// The checked domain, normalised; `None` where missing.
    pub domain: Option<String>,
    /// `mfrom` or `helo`; `None` where missing.
    pub scope: Option<&'static str>,
    /// `none`, `neutral`, `pass`, `fail`, `softfail`, `temperror`, `permerror` or `policy`.
    pub result: Option<&'static str>,
    /// As for DKIM.
    pub aligned: bool,
    /// Free text of the receiver (RFC 9990).
    pub human_result: Option<String>,
}
