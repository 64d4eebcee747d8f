//! One item, from its bytes to the end of each of its documents: mail -> unpack -> parse.

use crate::mail;
use crate::model::aggregate::Record;
use crate::model::item::ItemKind;
use crate::model::limits::Limits;
use crate::model::outcome::{Oddity, Refusal};
use crate::parse::{self, RecordSink, Report};
use crate::unpack::{Budget, Document, unpack};

/// Receives what an item holds. The records of a document come before its end, and count only if that is `Ok`.
pub trait ReadingSink {
    /// The next record of the current document.
    fn record(&mut self, record: Record);

    /// Forget the records of the current document: it is read again, or not listed.
    fn restart(&mut self);

    /// The current document ends. `path` is empty where the item itself is the document; `sha256` is `None` where
    /// its bytes were never there.
    fn document(&mut self, path: String, sha256: Option<[u8; 32]>, result: Result<Report, Refusal>);
}

/// Reads one item. Every item ends in at least one document: one in which nothing looks like a report in exactly one
/// `not-a-report`; beside a report or a refusal, what is no report (text, logos, a readme) is not listed.
///
/// `file_name` of the item is a hint for reports without a policy domain.
pub fn read_item(
    kind: ItemKind,
    bytes: &[u8],
    file_name: Option<&str>,
    limits: &Limits,
    sink: &mut dyn ReadingSink,
) {
    let mut reading = Reading {
        file_name,
        limits,
        sink,
        of_part: Vec::new(),
        listed: false,
        passed_over: None,
    };
    match kind {
        ItemKind::Mail => reading.mail(bytes),
        ItemKind::File => {
            let mut budget = Budget::new(limits, limits.file_entries);
            reading.part("", bytes, &mut budget);
        }
    }
    reading.end();
}

struct Reading<'a> {
    file_name: Option<&'a str>,
    limits: &'a Limits,
    sink: &'a mut dyn ReadingSink,
    /// What decoding the present part of a mail forgave.
    of_part: Vec<Oddity>,
    /// A document was listed.
    listed: bool,
    /// The first document that is no report.
    passed_over: Option<(String, Option<[u8; 32]>, Refusal)>,
}

impl Reading<'_> {
    fn mail(&mut self, bytes: &[u8]) {
        let mut budget = Budget::new(self.limits, self.limits.mail_entries);
        for part in mail::parts(bytes, self.limits) {
            match part {
                Ok(part) => {
                    self.of_part = part.oddities;
                    self.part(&part.path, &part.bytes, &mut budget);
                }
                Err((path, refusal)) => self.ended(path, None, Err(refusal)),
            }
        }
    }

    fn part(&mut self, path: &str, bytes: &[u8], budget: &mut Budget) {
        unpack(path, bytes, budget, &mut |found| match found {
            Ok(document) => self.document(document),
            Err((path, refusal)) => self.ended(path, None, Err(refusal)),
        });
    }

    fn document(&mut self, document: Document) {
        let hint = report_name(&document.path).or_else(|| report_name(self.file_name?));
        let result = parse::parse(&document, hint, self.limits, &mut Records(&mut *self.sink));
        let Document {
            path,
            sha256,
            oddities,
            ..
        } = document;
        let result = result.map(|mut report| {
            report.add_earlier_oddities([self.of_part.clone(), oddities].concat());
            report
        });
        self.ended(path, Some(sha256), result);
    }

    fn ended(&mut self, path: String, sha256: Option<[u8; 32]>, result: Result<Report, Refusal>) {
        match result {
            Err(refusal) if refusal.code == Refusal::NOT_A_REPORT => {
                self.sink.restart();
                self.passed_over.get_or_insert((path, sha256, refusal));
            }
            result => {
                self.listed = true;
                self.sink.document(path, sha256, result);
            }
        }
    }

    fn end(self) {
        if self.listed {
            return;
        }
        let (path, sha256, refusal) = self.passed_over.unwrap_or_else(|| {
            let refusal = Refusal::new(
                Refusal::NOT_A_REPORT,
                "nothing in the mail looks like a report",
            );
            (String::new(), None, refusal)
        });
        self.sink.document(path, sha256, Err(refusal));
    }
}

/// The part of a path that may be a report's file name, `receiver!domain!begin!end.xml`: it shares the `!` with the
/// paths of members.
fn report_name(path: &str) -> Option<&str> {
    let name = path.rsplit(['/', ' ']).next()?;
    let is_number = |field: &str| field.starts_with(|c: char| c.is_ascii_digit());
    let starts = std::iter::once(0).chain(name.match_indices('!').map(|(at, _)| at + 1));
    let candidates: Vec<&str> = starts.map(|at| &name[at..]).collect();
    candidates.into_iter().rev().find(|name| {
        let fields: Vec<&str> = name.split('!').take(4).collect();
        fields.len() == 4 && is_number(fields[2]) && is_number(fields[3])
    })
}

/// Hands records on; a trait object cannot be turned into one of another trait.
struct Records<'s>(&'s mut dyn ReadingSink);

impl RecordSink for Records<'_> {
    fn record(&mut self, record: Record) {
        self.0.record(record);
    }

    fn restart(&mut self) {
        self.0.restart();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use base64::Engine as _;

    use super::*;

    #[derive(Default)]
    struct Reports(Vec<Report>);

    impl ReadingSink for Reports {
        fn record(&mut self, _: Record) {}

        fn restart(&mut self) {}

        fn document(&mut self, _: String, _: Option<[u8; 32]>, result: Result<Report, Refusal>) {
            self.0.push(result.unwrap());
        }
    }

    #[test]
    fn what_mail_and_container_forgave_is_said_of_the_report_before_its_own_oddities() {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        let xml = "<feedback><report_metadata><org_name>reporter.example</org_name><report_id>1</report_id>\
            <date_range><begin>1772928000000</begin><end>1773014400000</end></date_range></report_metadata>\
            <policy_published><domain>example.com</domain><p>none</p></policy_published><record><row>\
            <source_ip>192.0.2.1</source_ip><count>1</count><policy_evaluated><disposition>none</disposition>\
            <dkim>fail</dkim><spf>fail</spf></policy_evaluated></row><identifiers>\
            <header_from>example.com</header_from></identifiers><auth_results/></record></feedback>";
        gzip.write_all(xml.as_bytes()).unwrap();
        let packed = gzip.finish().unwrap();
        let cut = base64::engine::general_purpose::URL_SAFE.encode(&packed[..packed.len() - 8]);
        let mail = format!(
            "From: reports@example.net\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
             --b\r\nContent-Type: application/gzip\r\nContent-Transfer-Encoding: base64\r\n\r\n!{cut}\r\n\
             --b\r\nContent-Type: text/xml\r\n\r\n{xml}\r\n--b--\r\n"
        );
        let mut reports = Reports::default();
        let limits = Limits::default();
        read_item(ItemKind::Mail, mail.as_bytes(), None, &limits, &mut reports);
        let codes = reports.0.iter().map(|report| match report {
            Report::Aggregate(head) => head.oddities.iter().map(|oddity| oddity.code).collect(),
            _ => Vec::new(),
        });
        let codes: Vec<Vec<&str>> = codes.collect();
        assert_eq!(codes[0][..2], ["base64-repaired", "gzip-trailer-cut"]);
        assert_eq!(codes[0][2..], codes[1]);
        assert!(codes[1].contains(&"timestamp-milliseconds"), "{codes:?}");
    }

    #[test]
    fn report_name_is_cut_from_the_names_around_it() {
        for (path, expect) in [
            (
                "1.2 example.net!example.com!1!2.zip!example.net!example.com!1!2.xml",
                Some("example.net!example.com!1!2.xml"),
            ),
            (
                "1 example.net!example.com!1!2!a1.xml.gz",
                Some("example.net!example.com!1!2!a1.xml.gz"),
            ),
            (
                "in/example.net!example.com!1!2.xml.gz",
                Some("example.net!example.com!1!2.xml.gz"),
            ),
            ("a.zip!b.xml", None),
            ("", None),
        ] {
            assert_eq!(report_name(path), expect, "{path}");
        }
    }
}
