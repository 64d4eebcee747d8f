//! What must hold for any bytes whatever. The property tests of `tests/reading_properties.rs` and the fuzz targets
//! share these bodies.

#![allow(clippy::expect_used)]

use sentinel::job::read::{ReadingSink, read_item};
use sentinel::model::aggregate::Record;
use sentinel::model::item::ItemKind;
use sentinel::model::limits::Limits;
use sentinel::model::outcome::Refusal;
use sentinel::parse::Report;
use sentinel::unpack::{Budget, unpack};

/// Small bounds, so that a bound that is missing shows.
pub fn limits() -> Limits {
    Limits {
        document_bytes: 1 << 20,
        total_bytes: 4 << 20,
        ratio_from_bytes: 1 << 16,
        mail_entries: 50,
        file_entries: 50,
        mime_parts: 20,
        records: 1000,
        ..Limits::default()
    }
}

/// A mail gives at most as many parts as the limit says, and its header facts are on one line each.
pub fn mail(bytes: &[u8]) {
    let limits = limits();
    let parts = sentinel::mail::parts(bytes, &limits);
    assert!(parts.len() <= limits.mime_parts as usize + 1);
    assert!(
        parts
            .iter()
            .all(|part| part.as_ref().is_ok_and(|p| !p.path.is_empty()) || part.is_err())
    );
    let header = sentinel::mail::header(bytes);
    assert!(
        header
            .subject
            .is_none_or(|subject| !subject.contains(['\n', '\r']))
    );
}

/// All documents together stay within the budget, and something is said of every input.
pub fn unpacked(bytes: &[u8]) {
    let limits = limits();
    let mut budget = Budget::new(&limits, limits.mail_entries);
    let mut total = 0;
    let mut ends = 0;
    unpack("", bytes, &mut budget, &mut |found| {
        ends += 1;
        if let Ok(document) = found {
            let mut input = document.open().expect("a document can be opened");
            total +=
                std::io::copy(&mut input, &mut std::io::sink()).expect("a document can be read");
        }
    });
    assert!(total <= limits.total_bytes + bytes.len() as u64);
    assert!(ends <= limits.mail_entries + 2);
}

/// An item of either kind ends in at least one document, and `Ok` comes with as many records as the head says.
pub fn item(bytes: &[u8]) {
    for kind in [ItemKind::Mail, ItemKind::File] {
        let mut sink = Counting::default();
        read_item(kind, bytes, None, &limits(), &mut sink);
        assert!(sink.documents > 0, "no end for {kind:?}");
    }
}

#[derive(Default)]
struct Counting {
    records: u64,
    documents: u64,
}

impl ReadingSink for Counting {
    fn record(&mut self, _record: Record) {
        self.records += 1;
    }

    fn restart(&mut self) {
        self.records = 0;
    }

    fn document(
        &mut self,
        _path: String,
        sha256: Option<[u8; 32]>,
        result: Result<Report, Refusal>,
    ) {
        if let Ok(Report::Aggregate(head)) = &result {
            assert_eq!(head.record_count, self.records);
        }
        assert!(result.is_err() || sha256.is_some());
        self.records = 0;
        self.documents += 1;
    }
}
