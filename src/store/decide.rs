//! How each document of a batch ends: accepted, duplicate, conflict, …, in the order of arrival.

use std::collections::HashMap;

use super::batch::ItemRow;
use super::columns::clamp_secs;
use super::keys::{Holder, Holders, Key, against, holder, kind};
use super::record_rows::{USUAL_BYTES, wide};
use super::settings::StoreConfig;
use crate::model::aggregate::AggregateHead;
use crate::model::day::{Day, day_of, report_day};
use crate::model::failure::FailureReport;
use crate::model::hex::hex;
use crate::model::item::ItemNo;
use crate::model::outcome::{Outcome, Refusal};
use crate::model::tls::TlsReport;
use crate::parse::Report;

/// More messages than any mailbox provider receives in a month: sums over millions of reports stay within BIGINT.
pub const MESSAGES_LIMIT: u64 = 1_000_000_000_000;

/// A document as read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDocument {
    /// Where in the item.
    pub path: String,
    /// SHA-256 of its bytes; `None` where they were not read to the end.
    pub sha256: Option<[u8; 32]>,
    /// Names the reading that its staged records carry; unique in a run.
    pub load_key: i64,
    /// The report, or why there is none.
    pub result: Result<Report, Refused>,
}

impl ReadDocument {
    /// In the place of all documents of an item that holds nothing but expired reports.
    pub fn expired(load_key: i64) -> Self {
        Self {
            path: String::new(),
            sha256: None,
            load_key,
            result: Err(Refused::expired()),
        }
    }

    /// Whether it is a report that is older than the retention, or stands for such.
    pub fn is_expired(&self) -> bool {
        self.result.as_ref().is_err_and(Refused::is_expired)
    }

    /// How many usual rows take the memory that it takes beside its records.
    pub fn weight(&self) -> usize {
        let (rows, bytes) = match &self.result {
            Ok(Report::Aggregate(head)) => (0, head.text_bytes().saturating_sub(USUAL_BYTES)),
            Ok(Report::Tls(tls)) => {
                let rows = tls.rows();
                let usual_bytes = rows.saturating_mul(USUAL_BYTES);
                (rows, tls.text_bytes().saturating_sub(usual_bytes))
            }
            Ok(Report::Failure(failure)) => (1, failure.text_bytes().saturating_sub(USUAL_BYTES)),
            Err(_) => (0, 0),
        };
        rows + wide(bytes)
    }
}

/// The UTC day of a report; `None` where a failure report says no time and neither does its mail.
pub fn day_of_report(report: &Report, mail_date_utc_secs: Option<i64>) -> Option<Day> {
    let middle = |begin, end| report_day(clamp_secs(begin), clamp_secs(end));
    match report {
        Report::Aggregate(head) => Some(middle(head.begin_utc_secs, head.end_utc_secs)),
        Report::Tls(tls) => Some(middle(tls.begin_utc_secs, tls.end_utc_secs)),
        Report::Failure(failure) => {
            let utc_secs = failure.arrival_utc_secs.or(mail_date_utc_secs);
            utc_secs.map(day_of)
        }
    }
}

/// A [`Refusal`] whose code may come from the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Stable code.
    pub code: String,
    /// One sentence for people.
    pub message: String,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            code: refusal.code.to_owned(),
            message: refusal.message,
        }
    }
}

impl Refused {
    /// Of a report that is older than the retention, or of an item that held nothing else.
    pub fn expired() -> Self {
        Self {
            code: Refusal::EXPIRED.to_owned(),
            message: String::new(),
        }
    }

    /// Whether it is [`Refused::expired`].
    pub fn is_expired(&self) -> bool {
        self.code == Refusal::EXPIRED
    }

    /// The outcome that it means.
    pub fn outcome(&self) -> Outcome {
        match self.code.as_str() {
            Refusal::NOT_A_REPORT => Outcome::NotAReport,
            Refusal::REPEATED | Refusal::REPEATED_REFUSAL => Outcome::Duplicate,
            _ => Outcome::Refused,
        }
    }
}

/// A row of table `documents`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentRow {
    /// Item it was found in.
    pub item_no: ItemNo,
    /// What people call the item; no column of the table.
    pub file_name: Option<String>,
    /// Where in the item.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Option<[u8; 32]>,
    /// `aggregate`, `tls` or `failure`.
    pub kind: Option<&'static str>,
    /// How it ended.
    pub outcome: Outcome,
    /// Code of a refusal.
    pub code: Option<String>,
    /// One sentence for people.
    pub detail: Option<String>,
    /// The report it is, repeats or contradicts.
    pub report: Option<String>,
}

/// Where a report came from, as its table repeats it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) item_no: ItemNo,
    pub(super) inbox: Option<String>,
    pub(super) folder: Option<String>,
    pub(super) message_id: Option<String>,
    pub(super) mail_from: Option<String>,
    pub(super) file_name: Option<String>,
}

impl Origin {
    pub(super) fn text_bytes(&self) -> usize {
        let texts = [
            &self.inbox,
            &self.folder,
            &self.message_id,
            &self.mail_from,
            &self.file_name,
        ];
        texts.into_iter().flatten().map(String::len).sum()
    }
}

/// A report that gets a row.
pub(super) struct Taken<T> {
    pub(super) id: String,
    pub(super) sha256: String,
    pub(super) load_key: i64,
    pub(super) day: Day,
    pub(super) report: T,
    pub(super) origin: Origin,
}

/// A report that is compared with those before it.
struct Found {
    report: Report,
    sha256: [u8; 32],
    key: Option<Key>,
    load_key: i64,
}

/// The end of a batch.
#[derive(Default)]
pub(super) struct Decided {
    pub(super) documents: Vec<DocumentRow>,
    pub(super) reports: Vec<Taken<Box<AggregateHead>>>,
    pub(super) tls: Vec<Taken<Box<TlsReport>>>,
    pub(super) failures: Vec<Taken<Box<FailureReport>>>,
    by_bytes: HashMap<[u8; 32], Holder>,
    by_key: HashMap<Key, Holder>,
}

impl Decided {
    /// Decides one document with its key; `holders` are what the tables have.
    pub(super) fn add(
        &mut self,
        config: &StoreConfig,
        item: &ItemRow,
        (document, key): (ReadDocument, Option<Key>),
        holders: Holders,
    ) {
        let mut row = DocumentRow {
            item_no: item.item_no,
            file_name: item.provenance.shown(),
            path: document.path,
            sha256: document.sha256,
            kind: document.result.as_ref().ok().map(kind),
            outcome: Outcome::Accepted,
            code: None,
            detail: None,
            report: None,
        };
        match document
            .result
            .and_then(|report| checked(report, document.sha256))
        {
            Err(refused) if refused.is_expired() => row.outcome = Outcome::Expired,
            Err(refusal) => {
                row.outcome = refusal.outcome();
                row.code = Some(refusal.code);
                row.detail = Some(refusal.message);
            }
            Ok((report, _)) if !is_monitored(config, &report) => row.outcome = Outcome::Foreign,
            Ok((report, sha256)) => {
                let found = Found {
                    report,
                    sha256,
                    key,
                    load_key: document.load_key,
                };
                self.compare(&mut row, item, found, holders)
            }
        }
        self.documents.push(row);
    }

    fn compare(&mut self, row: &mut DocumentRow, item: &ItemRow, found: Found, holders: Holders) {
        let Found {
            report,
            sha256,
            key,
            load_key,
        } = found;
        let of_bytes = holders
            .of_bytes
            .or_else(|| self.by_bytes.get(&sha256).cloned());
        let of_key = holders
            .of_key
            .or_else(|| key.as_ref().and_then(|key| self.by_key.get(key).cloned()));
        let new = holder(&report, &sha256);
        if let Some(first) = of_bytes {
            row.outcome = Outcome::Duplicate;
            row.detail = Some(if first.is_conflict {
                format!(
                    "the same bytes as an earlier conflict with report {}",
                    first.id
                )
            } else {
                format!("the same bytes as report {}", first.id)
            });
            row.report = Some(first.id);
        } else if let Some(first) = of_key {
            (row.outcome, row.detail) = against(&first, &new);
            row.report = Some(first.id.clone());
            if row.outcome == Outcome::Conflict {
                let is_conflict = true;
                self.by_bytes.insert(
                    sha256,
                    Holder {
                        is_conflict,
                        ..first
                    },
                );
            }
        } else {
            row.outcome = if is_without_traffic(&report) {
                Outcome::NoTraffic
            } else {
                Outcome::Accepted
            };
            row.report = Some(new.id.clone());
            self.by_bytes.insert(sha256, new.clone());
            if let Some(key) = key {
                self.by_key.insert(key, new);
            }
            self.take(report, &sha256, load_key, item, &row.path);
        }
    }

    fn take(
        &mut self,
        report: Report,
        sha256: &[u8; 32],
        load_key: i64,
        item: &ItemRow,
        path: &str,
    ) {
        let sha256 = hex(sha256);
        let id = sha256[..32].to_owned();
        let origin = origin(item, path);
        let day = day_of_report(&report, item.header.date_utc_secs).unwrap_or(day_of(0));
        match report {
            Report::Aggregate(head) => {
                self.reports.push(Taken {
                    id,
                    sha256,
                    load_key,
                    day,
                    report: head,
                    origin,
                });
            }
            Report::Tls(tls) => {
                self.tls.push(Taken {
                    id,
                    sha256,
                    load_key,
                    day,
                    report: tls,
                    origin,
                });
            }
            Report::Failure(failure) => {
                self.failures.push(Taken {
                    id,
                    sha256,
                    load_key,
                    day,
                    report: failure,
                    origin,
                });
            }
        }
    }
}

fn checked(report: Report, sha256: Option<[u8; 32]>) -> Result<(Report, [u8; 32]), Refused> {
    let sha256 = sha256
        .ok_or_else(|| Refusal::new("document-unreadable", "the bytes were not read to the end"))?;
    match &report {
        Report::Aggregate(head) if head.messages > MESSAGES_LIMIT => {
            let message = format!(
                "{} messages in one report; at most {MESSAGES_LIMIT} are believable",
                head.messages
            );
            Err(Refusal::new("limit-messages", message).into())
        }
        _ => Ok((report, sha256)),
    }
}

fn is_monitored(config: &StoreConfig, report: &Report) -> bool {
    match report {
        Report::Aggregate(head) => config.is_monitored(&head.domain),
        Report::Tls(tls) if tls.policies.is_empty() => config.is_monitored(""),
        Report::Tls(tls) => tls
            .policies
            .iter()
            .any(|policy| config.is_monitored(&policy.domain)),
        Report::Failure(failure) => config.is_monitored(&failure.domain),
    }
}

fn is_without_traffic(report: &Report) -> bool {
    match report {
        Report::Aggregate(head) => head.messages == 0,
        Report::Tls(tls) => tls
            .policies
            .iter()
            .all(|p| p.successful_sessions == 0 && p.failed_sessions == 0),
        Report::Failure(_) => false,
    }
}

fn origin(item: &ItemRow, path: &str) -> Origin {
    let file_name = match item.provenance.file_name() {
        Some(name) if !path.is_empty() => Some(format!("{name}!{path}")),
        None if !path.is_empty() => Some(path.to_owned()),
        name => name,
    };
    Origin {
        item_no: item.item_no,
        inbox: item.provenance.inbox.clone(),
        folder: item.provenance.folder.clone(),
        message_id: item.header.message_id.clone(),
        mail_from: item.header.mail_from.clone(),
        file_name,
    }
}
