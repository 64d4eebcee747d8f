//! The element names that reports use.

/// An element name without its prefix; everything unknown is [`Name::Other`].
#[expect(
    clippy::enum_variant_names,
    reason = "org_name is called so by the schema"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Name {
    Feedback,
    Version,
    ReportMetadata,
    OrgName,
    Email,
    ExtraContactInfo,
    ReportId,
    DateRange,
    Begin,
    End,
    Error,
    Generator,
    PolicyPublished,
    Domain,
    DiscoveryMethod,
    P,
    Sp,
    Np,
    Adkim,
    Aspf,
    Pct,
    Fo,
    Testing,
    Extension,
    Record,
    Row,
    SourceIp,
    Count,
    PolicyEvaluated,
    Disposition,
    Dkim,
    Spf,
    Reason,
    Type,
    Comment,
    Identifiers,
    HeaderFrom,
    EnvelopeFrom,
    EnvelopeTo,
    AuthResults,
    Selector,
    Result,
    HumanResult,
    Scope,
    Other,
}

/// How a name was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// As in the schema.
    Exact,
    /// With a namespace prefix.
    Prefixed,
    /// In another case.
    Case,
    /// A name of an old draft.
    Alias,
}

impl Name {
    /// Reads a name: exactly, then without its prefix, then with its case folded.
    pub(super) fn read(name: &str) -> (Self, Spelling) {
        match Self::exact(name) {
            Self::Other => Self::read_folded(name),
            known => (known, Spelling::Exact),
        }
    }

    fn read_folded(name: &str) -> (Self, Spelling) {
        let (local, spelling) = match name.rsplit_once(':') {
            Some((_, local)) => (local, Spelling::Prefixed),
            None => (name, Spelling::Exact),
        };
        let known = Self::exact(local);
        if known != Self::Other || local.len() > 32 {
            return (known, spelling);
        }
        match local.to_ascii_lowercase().as_str() {
            "identities" => (Self::Identifiers, Spelling::Alias),
            folded => match Self::exact(folded) {
                Self::Other => (Self::Other, spelling),
                known => (known, Spelling::Case),
            },
        }
    }

    fn exact(name: &str) -> Self {
        match name {
            "record" => Self::Record,
            "row" => Self::Row,
            "source_ip" => Self::SourceIp,
            "count" => Self::Count,
            "policy_evaluated" => Self::PolicyEvaluated,
            "disposition" => Self::Disposition,
            "dkim" => Self::Dkim,
            "spf" => Self::Spf,
            "identifiers" => Self::Identifiers,
            "header_from" => Self::HeaderFrom,
            "envelope_from" => Self::EnvelopeFrom,
            "envelope_to" => Self::EnvelopeTo,
            "auth_results" => Self::AuthResults,
            "domain" => Self::Domain,
            "result" => Self::Result,
            "selector" => Self::Selector,
            "scope" => Self::Scope,
            "human_result" => Self::HumanResult,
            "reason" => Self::Reason,
            "type" => Self::Type,
            "comment" => Self::Comment,
            "feedback" => Self::Feedback,
            "version" => Self::Version,
            "report_metadata" => Self::ReportMetadata,
            "org_name" => Self::OrgName,
            "email" => Self::Email,
            "extra_contact_info" => Self::ExtraContactInfo,
            "report_id" => Self::ReportId,
            "date_range" => Self::DateRange,
            "begin" => Self::Begin,
            "end" => Self::End,
            "error" => Self::Error,
            "generator" => Self::Generator,
            "policy_published" => Self::PolicyPublished,
            "discovery_method" => Self::DiscoveryMethod,
            "p" => Self::P,
            "sp" => Self::Sp,
            "np" => Self::Np,
            "adkim" => Self::Adkim,
            "aspf" => Self::Aspf,
            "pct" => Self::Pct,
            "fo" => Self::Fo,
            "testing" => Self::Testing,
            "extension" => Self::Extension,
            _ => Self::Other,
        }
    }
}
