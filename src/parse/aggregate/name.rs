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

    /// By length first: a match over all names would compare them one by one.
    fn exact(name: &str) -> Self {
        if name.len() < 8 {
            Self::exact_short(name)
        } else {
            Self::exact_long(name)
        }
    }

    fn exact_short(name: &str) -> Self {
        match name.len() {
            1 if name == "p" => Self::P,
            2 => match name {
                "sp" => Self::Sp,
                "np" => Self::Np,
                "fo" => Self::Fo,
                _ => Self::Other,
            },
            3 => match name {
                "row" => Self::Row,
                "spf" => Self::Spf,
                "end" => Self::End,
                "pct" => Self::Pct,
                _ => Self::Other,
            },
            4 => match name {
                "dkim" => Self::Dkim,
                "type" => Self::Type,
                "aspf" => Self::Aspf,
                _ => Self::Other,
            },
            5 => match name {
                "count" => Self::Count,
                "scope" => Self::Scope,
                "email" => Self::Email,
                "begin" => Self::Begin,
                "error" => Self::Error,
                "adkim" => Self::Adkim,
                _ => Self::Other,
            },
            6 => match name {
                "record" => Self::Record,
                "domain" => Self::Domain,
                "result" => Self::Result,
                "reason" => Self::Reason,
                _ => Self::Other,
            },
            7 => match name {
                "comment" => Self::Comment,
                "version" => Self::Version,
                "testing" => Self::Testing,
                _ => Self::Other,
            },
            _ => Self::Other,
        }
    }

    fn exact_long(name: &str) -> Self {
        match name.len() {
            8 => match name {
                "selector" => Self::Selector,
                "feedback" => Self::Feedback,
                "org_name" => Self::OrgName,
                _ => Self::Other,
            },
            9 => match name {
                "source_ip" => Self::SourceIp,
                "report_id" => Self::ReportId,
                "generator" => Self::Generator,
                "extension" => Self::Extension,
                _ => Self::Other,
            },
            10 if name == "date_range" => Self::DateRange,
            11 => match name {
                "disposition" => Self::Disposition,
                "identifiers" => Self::Identifiers,
                "header_from" => Self::HeaderFrom,
                "envelope_to" => Self::EnvelopeTo,
                _ => Self::Other,
            },
            12 => match name {
                "auth_results" => Self::AuthResults,
                "human_result" => Self::HumanResult,
                _ => Self::Other,
            },
            13 if name == "envelope_from" => Self::EnvelopeFrom,
            15 if name == "report_metadata" => Self::ReportMetadata,
            16 => match name {
                "policy_evaluated" => Self::PolicyEvaluated,
                "policy_published" => Self::PolicyPublished,
                "discovery_method" => Self::DiscoveryMethod,
                _ => Self::Other,
            },
            18 if name == "extra_contact_info" => Self::ExtraContactInfo,
            _ => Self::Other,
        }
    }
}
