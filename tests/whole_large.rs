//! Large input: one huge report, one day with more records than fit into memory, and reports that are all text.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![cfg(feature = "long-tests")]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::product::{Mailbox, Product, most_memory_kib};

/// 2026-03-08, a day before the one for which things are judged.
const BEGIN_UTC_SECS: u64 = 1_772_928_000;

/// A gzip report of so many records, each from an address of its own, of 1 to 7 messages.
fn report(id: u32, records: u32) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    write!(
        gzip,
        "<feedback><report_metadata><org_name>receiver.example</org_name><report_id>{id}</report_id><date_range>\
         <begin>{BEGIN_UTC_SECS}</begin><end>{}</end></date_range></report_metadata>\
         <policy_published><domain>example.com</domain><p>none</p></policy_published>",
        BEGIN_UTC_SECS + 86_400
    )
    .unwrap();
    for n in 0..records {
        let [a, b, c, d] = (id << 24 | n).to_be_bytes();
        writeln!(
            gzip,
            "<record><row><source_ip>{a}.{b}.{c}.{d}</source_ip><count>{}</count><policy_evaluated>\
             <disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>\
             <identifiers><header_from>example.com</header_from></identifiers><auth_results>\
             <dkim><domain>example.com</domain><selector>s1</selector><result>pass</result></dkim>\
             <spf><domain>bounce.example.com</domain><result>fail</result></spf></auth_results></record>",
            1 + n % 7
        )
        .unwrap();
    }
    gzip.write_all(b"</feedback>").unwrap();
    gzip.finish().unwrap()
}

fn messages(records: u64) -> u64 {
    (0..records).map(|n| 1 + n % 7).sum()
}

fn assert_holds(product: &Product, records: u64, messages: u64) {
    let sql = "select count(*)::bigint as records, sum(messages)::bigint as messages from records";
    let row = product.query(&[sql]).remove(0);
    assert_eq!(row["records"], records);
    assert_eq!(row["messages"], messages);
}

#[test]
fn long_a_report_of_a_million_records_is_streamed() {
    let product = Product::with_config("limits:\n  document_bytes: 1 GiB\n  total_bytes: 1 GiB\n");
    let mut mailbox = Mailbox::empty();
    mailbox.add("large.xml.gz", &report(10, 1_000_000));
    let mut run = product.start_ingest(&mailbox, &mailbox.names);
    let peak_kib = most_memory_kib(&mut run);
    assert!(run.wait().unwrap().success());
    assert_holds(&product, 1_000_000, messages(1_000_000));
    // Its text alone has 400 MB, its rows as much again, and it is worked into the database at once.
    assert!(peak_kib < 700 << 10, "{peak_kib} KiB");
}

#[test]
fn long_a_day_of_more_records_than_fit_into_memory_is_published() {
    let product = Product::new();
    let mut mailbox = Mailbox::empty();
    for id in 10..18 {
        mailbox.add("large.xml.gz", &report(id, 100_000));
    }
    let mut run = product.start_ingest(&mailbox, &mailbox.names);
    let peak_kib = most_memory_kib(&mut run);
    assert!(run.wait().unwrap().success());
    assert_holds(&product, 800_000, 8 * messages(100_000));
    assert!(peak_kib < 600 << 10, "{peak_kib} KiB");
}

/// A report with texts that are longer than the limits allow, in its head and in each of three records, all different.
fn wordy_report(id: u32) -> Vec<u8> {
    let text = |n: u32| {
        let mut word = u64::from(id * 100 + n) + 1;
        let mut text = String::new();
        while text.len() < 4_000 {
            word = word.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            text.push_str(&format!("{word:016x}"));
        }
        text
    };
    let errors: String = (0..4)
        .map(|n| format!("<error>{}</error>", text(n)))
        .collect();
    let records: String = (1..=3)
        .map(|record| {
            let reasons: String = (0..5)
                .map(|n| format!("<reason><type>other</type><comment>{}</comment></reason>", text(10 * record + n)))
                .collect();
            format!(
                "<record><row><source_ip>192.0.2.{record}</source_ip><count>1</count><policy_evaluated>{reasons}\
                 </policy_evaluated></row></record>"
            )
        })
        .collect();
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    write!(
        gzip,
        "<feedback><report_metadata><org_name>{}</org_name><email>{}</email><extra_contact_info>{}</extra_contact_info>\
         <report_id>{}</report_id>{errors}<generator>{}</generator><date_range><begin>{BEGIN_UTC_SECS}</begin>\
         <end>{}</end></date_range></report_metadata><policy_published><domain>example.com</domain><p>none</p>\
         <fo>{}</fo></policy_published>{records}</feedback>",
        text(4),
        text(5),
        text(6),
        text(7),
        text(8),
        BEGIN_UTC_SECS + 86_400,
        text(9),
    )
    .unwrap();
    gzip.finish().unwrap()
}

#[test]
fn long_thousands_of_reports_that_are_all_text_are_published() {
    let product = Product::new();
    let mut mailbox = Mailbox::empty();
    for id in 0..4_000 {
        mailbox.add("wordy.xml.gz", &wordy_report(id));
    }
    let mut run = product.start_ingest(&mailbox, &mailbox.names);
    let peak_kib = most_memory_kib(&mut run);
    assert!(run.wait().unwrap().success());
    assert_holds(&product, 12_000, 12_000);
    // 240 MB of text, more than a day's rows may take, worked into the database beside the next batch.
    assert!(peak_kib < 700 << 10, "{peak_kib} KiB");
}
