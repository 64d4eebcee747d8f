//! `report_metadata` and `policy_published`: leaves in, the head of a report out.

use super::name::Name;
use super::stop::{Modes, Stop};
use crate::model::aggregate::AggregateHead;
use crate::model::domain;
use crate::parse::oddities::{Oddities, quote};
use crate::parse::values::{self, Read};

const POLICIES: [&str; 3] = ["none", "quarantine", "reject"];

/// The head while it is read.
#[derive(Debug, Default)]
pub(super) struct HeadDraft {
    pub(super) head: AggregateHead,
    begin: Option<i64>,
    end: Option<i64>,
    /// One bit for each singleton that had a value: the first one wins.
    seen: u64,
    /// Something that only RFC 9990 has.
    pub(super) is_rfc9990: bool,
}

/// What the list of `error` may hold: heads are held in memory by the thousand.
#[derive(Debug, Clone, Copy)]
pub(super) struct ErrorsBound {
    pub(super) texts: usize,
    /// Of all of them together.
    pub(super) bytes: usize,
}

impl HeadDraft {
    /// Takes the text of one leaf.
    pub(super) fn assign(
        &mut self,
        name: Name,
        text: &str,
        errors: ErrorsBound,
        oddities: &mut Oddities,
    ) {
        let text = text.trim();
        if name == Name::Error {
            return self.push_error(text, errors, oddities);
        }
        if text.is_empty() || !self.is_first(name, text, oddities) {
            return;
        }
        let owned = || Some(text.to_owned());
        let head = &mut self.head;
        match name {
            Name::OrgName => head.org_name = text.to_owned(),
            Name::Email => head.org_email = owned(),
            Name::ExtraContactInfo => head.extra_contact = owned(),
            Name::ReportId => head.report_id = values::report_id(text),
            Name::Begin => self.begin = noted(values::timestamp(text), "begin", text, oddities),
            Name::End => self.end = noted(values::timestamp(text), "end", text, oddities),
            Name::Generator => {
                head.generator = owned();
                self.is_rfc9990 = true;
            }
            Name::Domain => {
                head.domain = noted(values::domain_name(text), "policy domain", text, oddities)
            }
            _ => self.assign_policy(name, text, oddities),
        }
    }

    fn assign_policy(&mut self, name: Name, text: &str, oddities: &mut Oddities) {
        let head = &mut self.head;
        match name {
            Name::P => head.p = choice(text, &POLICIES, "p", oddities),
            Name::Sp => head.sp = choice(text, &POLICIES, "sp", oddities),
            Name::Np => head.np = choice(text, &POLICIES, "np", oddities),
            Name::Adkim => head.adkim = mode(text, "adkim", oddities),
            Name::Aspf => head.aspf = mode(text, "aspf", oddities),
            Name::Fo => head.fo = Some(text.to_owned()),
            Name::Pct => {
                head.pct = text.parse().ok().filter(|pct| (0..=100).contains(pct));
                if head.pct.is_none() {
                    oddities.note("value-unknown", || format!("pct {text}"));
                }
            }
            Name::Testing => {
                head.testing =
                    choice(text, &["n", "y"], "testing", oddities).map(|word| word == "y");
                self.is_rfc9990 = true;
            }
            Name::DiscoveryMethod => {
                head.discovery_method =
                    choice(text, &["psl", "treewalk"], "discovery_method", oddities);
                self.is_rfc9990 = true;
            }
            _ => {}
        }
    }

    fn push_error(&mut self, text: &str, bound: ErrorsBound, oddities: &mut Oddities) {
        if text.is_empty() {
            return;
        }
        let errors = &mut self.head.errors;
        let bytes = errors.iter().map(String::len).sum::<usize>() + text.len();
        if errors.len() < bound.texts && bytes <= bound.bytes {
            errors.push(text.to_owned());
        } else {
            oddities.note("errors-cut", || text.to_owned());
        }
    }

    fn is_first(&mut self, name: Name, text: &str, oddities: &mut Oddities) -> bool {
        let bit = 1 << name as u64;
        if self.seen & bit != 0 {
            oddities.note("field-repeated", || format!("{name:?} {text}"));
            return false;
        }
        self.seen |= bit;
        true
    }

    /// The alignment modes; absent or odd ones are relaxed.
    pub(super) fn modes(&self) -> Modes {
        let strict = |mode: &Option<String>| mode.as_deref() == Some("s");
        Modes {
            strict_dkim: strict(&self.head.adkim),
            strict_spf: strict(&self.head.aspf),
        }
    }

    /// Fills what is derived or missing. `file_name` may name the policy domain, as in `receiver!domain!begin!end.xml`.
    pub(super) fn finish(
        mut self,
        file_name: Option<&str>,
        oddities: &mut Oddities,
    ) -> Result<AggregateHead, Stop> {
        self.finish_period(oddities)?;
        let mut head = self.head;
        let email = head.org_email.as_deref();
        head.org_domain = values::org_domain(&head.org_name, email);
        if head.org_name.is_empty() {
            oddities.note("org-name-missing", String::new);
            let host = email
                .and_then(|email| email.rsplit_once('@'))
                .map(|(_, host)| domain::normalise(host));
            head.org_name = host.unwrap_or_default();
        }
        if head.domain.is_empty() {
            oddities.note("policy-domain-missing", String::new);
            head.domain = file_name.and_then(domain_of_file_name).unwrap_or_default();
        }
        if head.p.is_none() && self.seen & (1 << Name::P as u64) == 0 {
            oddities.note("policy-missing", String::new);
        }
        head.schema = if self.is_rfc9990 {
            "rfc9990"
        } else {
            "rfc7489"
        };
        Ok(head)
    }

    fn finish_period(&mut self, oddities: &mut Oddities) -> Result<(), Stop> {
        let (begin, end) = match (self.begin, self.end) {
            (Some(begin), Some(end)) => (begin, end),
            (Some(one), None) | (None, Some(one)) => {
                oddities.note("period-half", String::new);
                (one, one)
            }
            (None, None) => {
                let message = "the report has no readable begin or end of its period; ask the reporter for a new one";
                return Err(Stop::refuse("period-missing", message));
            }
        };
        match begin.cmp(&end) {
            std::cmp::Ordering::Less => {}
            std::cmp::Ordering::Equal => oddities.note("period-empty", || begin.to_string()),
            std::cmp::Ordering::Greater => {
                oddities.note("period-reversed", || format!("{begin} to {end}"))
            }
        }
        (self.head.begin_utc_secs, self.head.end_utc_secs) = (begin, end);
        Ok(())
    }
}

fn noted<T>(read: Read<T>, field: &str, text: &str, oddities: &mut Oddities) -> T {
    if let Some(code) = read.1 {
        oddities.note(code, || format!("{field} {}", quote(text)));
    }
    read.0
}

fn choice(
    text: &str,
    words: &[&'static str],
    field: &str,
    oddities: &mut Oddities,
) -> Option<String> {
    noted(values::word(text, words), field, text, oddities).map(str::to_owned)
}

fn mode(text: &str, field: &str, oddities: &mut Oddities) -> Option<String> {
    let (word, code) = match text {
        _ if text.eq_ignore_ascii_case("relaxed") => (Some("r"), Some("value-synonym")),
        _ if text.eq_ignore_ascii_case("strict") => (Some("s"), Some("value-synonym")),
        _ => values::word(text, &["r", "s"]),
    };
    noted((word, code), field, text, oddities).map(str::to_owned)
}

/// The policy domain of `receiver!domain!begin!end…`, without what lies before the last slash.
fn domain_of_file_name(file_name: &str) -> Option<String> {
    let base = file_name.rsplit(['/', '\\']).next()?;
    let mut parts = base.rsplit('!').collect::<Vec<_>>();
    parts.reverse();
    let is_time = |part: &&str| part.len() >= 9 && part.bytes().take(9).all(|b| b.is_ascii_digit());
    let begin = parts.iter().position(is_time)?;
    let domain = domain::normalise(parts.get(begin.checked_sub(1)?)?);
    (domain.contains('.') && domain::is_host_name(&domain)).then_some(domain)
}
