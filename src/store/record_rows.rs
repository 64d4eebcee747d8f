//! Records -> the rows of the staging table, built beside the parser on its thread.

use duckdb::arrow::error::ArrowError;
use duckdb::arrow::record_batch::RecordBatch;

use super::columns::{CHUNK_ROWS, Columns, bigint};
use super::evidence::{addresses, evidence};
use crate::model::aggregate::{Disposition, DkimResult, Reason, Record};

/// The staging table; `load_key` names the reading of a document that the record came from.
pub(super) const STAGE_RECORDS: &str = "create or replace temp table stage_records (
    load_key bigint not null, record_no bigint not null, source_ip varchar, address_key bigint, address blob, messages bigint not null,
    disposition varchar, dkim_aligned boolean not null, spf_aligned boolean not null, has_dkim_pass boolean not null,
    has_spf_pass boolean not null, is_own_signature_broken boolean not null, is_forward_reported boolean not null,
    is_sampled_out boolean not null, evidence_key bigint not null, evidence varchar, header_from varchar, envelope_from varchar, envelope_to varchar,
    reasons struct(\"type\" varchar, \"comment\" varchar)[] not null,
    dkim struct(\"domain\" varchar, selector varchar, result varchar, aligned boolean, human_result varchar)[] not null,
    spf struct(\"domain\" varchar, \"scope\" varchar, result varchar, aligned boolean, human_result varchar)[] not null)";

/// Rows that fill a chunk as records come.
#[derive(Default)]
pub struct RecordRows {
    keys: Vec<i64>,
    records: Vec<Record>,
    text_bytes: usize,
}

/// Bytes of text that fill a chunk.
const CHUNK_TEXT_BYTES: usize = 1 << 20;

/// Memory that the row of a usual record takes at most; many take half.
pub(super) const USUAL_BYTES: usize = 512;

/// What beyond that counts as much as a record.
const WIDE_BYTES: usize = 64;

/// How many usual records take the memory that these rows take, here and as rows that are not committed.
pub fn weight(rows: &RecordBatch) -> usize {
    let usual_bytes = rows.num_rows() * USUAL_BYTES;
    rows.num_rows() + wide(rows.get_array_memory_size().saturating_sub(usual_bytes))
}

/// How many usual records so many bytes beyond the usual ones stand for.
pub(super) fn wide(bytes: usize) -> usize {
    bytes / WIDE_BYTES
}

impl RecordRows {
    /// Adds a record.
    pub fn push(&mut self, load_key: i64, record: Record) {
        self.keys.push(load_key);
        self.text_bytes += record.text_bytes();
        self.records.push(record);
    }

    /// Whether a chunk is full and should be taken.
    pub fn is_full(&self) -> bool {
        self.records.len() >= CHUNK_ROWS || self.text_bytes >= CHUNK_TEXT_BYTES
    }

    /// Forgets the rows of a reading that is void, as far as they are still here.
    pub fn forget(&mut self, load_key: i64) {
        let keep = self
            .keys
            .iter()
            .rposition(|&key| key != load_key)
            .map_or(0, |last| last + 1);
        self.keys.truncate(keep);
        self.records.truncate(keep);
    }

    /// The rows so far as a batch, if there are any.
    pub fn take(&mut self) -> Result<Option<RecordBatch>, ArrowError> {
        if self.records.is_empty() {
            return Ok(None);
        }
        let batch = batch(&self.keys, &self.records)?;
        self.keys.clear();
        self.records.clear();
        self.text_bytes = 0;
        Ok(Some(batch))
    }
}

fn batch(keys: &[i64], records: &[Record]) -> Result<RecordBatch, ArrowError> {
    let rows = || records.iter();
    let mut columns = Columns::default();
    columns.bigint("load_key", keys.iter().map(|&key| Some(key)));
    columns.bigint("record_no", rows().map(|r| Some(bigint(r.record_no))));
    columns.owned_text(
        "source_ip",
        rows().map(|r| r.source_ip.map(|ip| ip.to_string())),
    );
    let (address_keys, octets) = addresses(records);
    columns.bigint("address_key", address_keys.into_iter());
    columns.blob("address", octets.into_iter());
    columns.bigint("messages", rows().map(|r| Some(bigint(r.messages))));
    columns.text(
        "disposition",
        rows().map(|r| r.disposition.map(Disposition::as_str)),
    );
    columns.boolean("dkim_aligned", rows().map(|r| Some(r.dkim_aligned)));
    columns.boolean("spf_aligned", rows().map(|r| Some(r.spf_aligned)));
    flags(&mut columns, records);
    let (evidence_keys, texts) = evidence(records);
    columns.bigint("evidence_key", evidence_keys.into_iter().map(Some));
    columns.owned_text("evidence", texts.into_iter());
    columns.text("header_from", rows().map(|r| r.header_from.as_deref()));
    columns.text("envelope_from", rows().map(|r| r.envelope_from.as_deref()));
    columns.text("envelope_to", rows().map(|r| r.envelope_to.as_deref()));
    columns.structs("reasons", rows().map(|r| r.reasons.len()), reasons(records));
    columns.structs("dkim", rows().map(|r| r.dkim.len()), dkim(records));
    columns.structs("spf", rows().map(|r| r.spf.len()), spf(records));
    columns.finish()
}

/// What the lists of a record say, so that the classification need not open them.
fn flags(columns: &mut Columns, records: &[Record]) {
    let rows = || records.iter();
    let passes = |result: Option<&str>| result == Some("pass");
    let broken =
        |result: &DkimResult| result.aligned && !passes(result.result) && result.result.is_some();
    columns.boolean(
        "has_dkim_pass",
        rows().map(|r| Some(r.dkim.iter().any(|d| passes(d.result)))),
    );
    columns.boolean(
        "has_spf_pass",
        rows().map(|r| Some(r.spf.iter().any(|s| passes(s.result)))),
    );
    columns.boolean(
        "is_own_signature_broken",
        rows().map(|r| Some(r.dkim.iter().any(broken))),
    );
    columns.boolean(
        "is_forward_reported",
        rows().map(|r| Some(r.reasons.iter().any(is_forward))),
    );
    columns.boolean(
        "is_sampled_out",
        rows().map(|r| Some(r.reasons.iter().any(|x| x.kind == "sampled_out"))),
    );
}

/// Whether the receiver says that the mail was forwarded, by the kind of its reason or by an ARC chain that passes.
fn is_forward(reason: &Reason) -> bool {
    match reason.kind {
        "forwarded" | "trusted_forwarder" | "mailing_list" => true,
        "local_policy" => reason.comment.as_deref().is_some_and(says_arc_pass),
        _ => false,
    }
}

/// `arc=pass` in any case, white space around the sign or not.
fn says_arc_pass(comment: &str) -> bool {
    let lower = comment.to_ascii_lowercase();
    lower.match_indices("arc").any(|(at, word)| {
        let value = lower[at + word.len()..]
            .trim_ascii_start()
            .strip_prefix('=');
        value.is_some_and(|value| value.trim_ascii_start().starts_with("pass"))
    })
}

fn reasons(records: &[Record]) -> Columns {
    let all = || records.iter().flat_map(|record| &record.reasons);
    let mut columns = Columns::default();
    columns.text("type", all().map(|reason| Some(reason.kind)));
    columns.text("comment", all().map(|reason| reason.comment.as_deref()));
    columns
}

fn dkim(records: &[Record]) -> Columns {
    let all = || records.iter().flat_map(|record| &record.dkim);
    let mut columns = Columns::default();
    columns.text("domain", all().map(|result| result.domain.as_deref()));
    columns.text("selector", all().map(|result| result.selector.as_deref()));
    columns.text("result", all().map(|result| result.result));
    columns.boolean("aligned", all().map(|result| Some(result.aligned)));
    columns.text(
        "human_result",
        all().map(|result| result.human_result.as_deref()),
    );
    columns
}

fn spf(records: &[Record]) -> Columns {
    let all = || records.iter().flat_map(|record| &record.spf);
    let mut columns = Columns::default();
    columns.text("domain", all().map(|result| result.domain.as_deref()));
    columns.text("scope", all().map(|result| result.scope));
    columns.text("result", all().map(|result| result.result));
    columns.boolean("aligned", all().map(|result| Some(result.aligned)));
    columns.text(
        "human_result",
        all().map(|result| result.human_result.as_deref()),
    );
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_records_fill_a_chunk_early_and_weigh_more() {
        let mut rows = RecordRows::default();
        let comment = Some("x".repeat(16 << 10));
        let reasons = vec![Reason {
            kind: "other",
            comment,
        }];
        while !rows.is_full() {
            let reasons = reasons.clone();
            rows.push(
                0,
                Record {
                    reasons,
                    ..Record::default()
                },
            );
        }
        let wide = rows.take().unwrap().unwrap();
        assert_eq!(wide.num_rows(), 64);
        assert!(weight(&wide) > 100 * wide.num_rows());
        while !rows.is_full() {
            rows.push(0, Record::default());
        }
        let usual = rows.take().unwrap().unwrap();
        assert_eq!(weight(&usual), CHUNK_ROWS);
    }
}
