//! Bad input through `sentinel ingest`: refused with its code in bounded time and memory, and the good files of the
//! same run are there.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::{Cursor, Write as _};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::product::{AS_OF, Mailbox, Product, most_memory_kib};

/// What a run over them may take; the binary alone is some 100 MB.
const MOST_MEMORY_KIB: u64 = 1_000_000;
const MOST_TIME: Duration = Duration::from_secs(90);

fn gzipped(write: impl FnOnce(&mut GzEncoder<Vec<u8>>)) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    write(&mut encoder);
    encoder.finish().unwrap()
}

fn zipped(members: &[(&str, &[u8], usize)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, chunk, times) in members {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        for _ in 0..*times {
            zip.write_all(chunk).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// Each with the code that it is refused with.
fn hostile(report: &[u8]) -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let spaces = vec![b' '; 1 << 20];
    let packed = gzipped(|out| out.write_all(report).unwrap());
    let bomb = gzipped(|out| (0..1_024).for_each(|_| out.write_all(&spaces).unwrap()));
    let line = gzipped(|out| {
        out.write_all(b"<feedback><report_metadata><org_name>")
            .unwrap();
        (0..100).for_each(|_| out.write_all(&[b'a'; 1 << 20]).unwrap());
    });
    let doctype =
        b"<?xml version=\"1.0\"?><!DOCTYPE feedback [<!ENTITY a \"b\">]><feedback>&a;</feedback>";
    let tags = format!("<feedback>{}", "<a>".repeat(200_000));
    vec![
        (
            "cut.gz",
            packed[..packed.len() / 2].to_vec(),
            "gzip-truncated:",
        ),
        ("bomb.gz", bomb, "limit-document-bytes:"),
        (
            "bomb.zip",
            zipped(&[("bomb.xml", &spaces, 1_024)]),
            "limit-item-bytes:",
        ),
        (
            "climbing.zip",
            zipped(&[("../climbing.xml", report, 1)]),
            "zip-path:",
        ),
        ("doctype.xml", doctype.to_vec(), "doctype:"),
        ("tags.xml", tags.into_bytes(), "limit-depth:"),
        ("line.xml.gz", line, "limit-document-bytes:"),
    ]
}

fn a_report(number: u32) -> Vec<u8> {
    format!(
        "<feedback><report_metadata><org_name>r.example</org_name><report_id>{number}</report_id>\
         <date_range><begin>1772409600</begin><end>1772495999</end></date_range></report_metadata>\
         <policy_published><domain>example.com</domain><p>none</p></policy_published>\
         <record><row><source_ip>192.0.2.9</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>\
         <dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>\
         <identifiers><header_from>example.com</header_from></identifiers></record></feedback>"
    )
    .into_bytes()
}

#[test]
fn hostile_files_are_refused_in_bounded_memory_and_the_good_ones_are_stored() {
    let (mut mailbox, product) = (Mailbox::empty(), Product::new());
    let hostile = hostile(&a_report(0));
    for (number, (name, bytes, _)) in (1..).zip(&hostile) {
        mailbox.add(&format!("good-{number}.xml"), &a_report(number));
        mailbox.add(name, bytes);
    }
    let (out, err) = (product.home().join("out"), product.home().join("err"));
    let mut command = product.command(mailbox.folder.path(), &["ingest", "--as-of", AS_OF]);
    command.args(&mailbox.names);
    let started = Instant::now();
    let memory_kib = watched(
        command
            .stdout(fs::File::create(&out).unwrap())
            .stderr(fs::File::create(&err).unwrap()),
    );
    assert!(started.elapsed() < MOST_TIME, "{:?}", started.elapsed());
    assert!(
        (10_000..MOST_MEMORY_KIB).contains(&memory_kib),
        "{memory_kib} KiB"
    );
    let (out, err) = (
        fs::read_to_string(out).unwrap(),
        fs::read_to_string(err).unwrap(),
    );
    let refused: Vec<&str> = err
        .lines()
        .filter(|line| line.starts_with("refused "))
        .collect();
    assert_eq!(refused.len(), hostile.len(), "{err}");
    for (name, _, code) in &hostile {
        let line = refused
            .iter()
            .find(|line| line.contains(name))
            .unwrap_or_else(|| panic!("{name}: {err}"));
        assert!(line.contains(&format!(" {code}")), "{line}");
        assert!(line.len() < 500, "{}", line.len());
    }
    let expect = format!(
        "accepted {0}, duplicate 0, conflict 0, no-traffic 0, not-a-report 0, foreign 0, refused {0}",
        hostile.len()
    );
    assert_eq!(out.lines().last(), Some(expect.as_str()), "{err}");
    assert!(!product.home().join("climbing.xml").exists());
    product.assert_verified("hostile");
}

/// Runs a command to its end, which has to be exit code 1, and gives the most memory that it had.
fn watched(command: &mut Command) -> u64 {
    let mut child = command.stdin(Stdio::null()).spawn().unwrap();
    let most_kib = most_memory_kib(&mut child);
    assert_eq!(child.wait().unwrap().code(), Some(1));
    most_kib
}

#[test]
fn a_mail_with_one_bad_attachment_keeps_its_good_one() {
    let (mut mailbox, product) = (Mailbox::empty(), Product::new());
    let good = String::from_utf8(a_report(1)).unwrap();
    let mail = format!(
        "From: reports@example.net\r\nTo: dmarc@example.com\r\nSubject: Report\r\nDate: Mon, 9 Mar 2026 10:00:00 +0000\r\n\
         Message-ID: <1@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n\
         --b\r\nContent-Type: application/octet-stream; name=bad.xml\r\n\r\n<feedback><report_metadata>\r\n\
         --b\r\nContent-Type: text/xml; name=good.xml\r\n\r\n{good}\r\n--b--\r\n"
    );
    mailbox.add("two.eml", mail.as_bytes());
    let said = product.ingest(&mailbox, &mailbox.names);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(
        said.last_line().starts_with("accepted 1, ") && said.last_line().ends_with("refused 1"),
        "{}",
        said.last_line()
    );
    assert!(said.err.contains("bad.xml"), "{}", said.err);
}

#[test]
fn text_of_strangers_is_text_on_every_page() {
    let (mut mailbox, product) = (Mailbox::empty(), Product::new());
    let report = String::from_utf8(a_report(1)).unwrap();
    let script = "&lt;script&gt;alert(1)&lt;/script&gt;";
    let report = report.replace("<org_name>r.example", &format!("<org_name>{script}"));
    let report = report.replace("<report_id>1", &format!("<report_id>{script}&quot;'"));
    let report = report.replace(
        "<header_from>example.com",
        &format!("<header_from>{script}"),
    );
    mailbox.add("<script>alert(2)<.xml", report.as_bytes());
    mailbox.add("<script>alert(3)<.gz", b"\x1f\x8b\x08bad");
    product.ingest(&mailbox, &mailbox.names);
    let current = product.current();
    let mut shown = 0;
    for path in current
        .manifest
        .files
        .keys()
        .filter(|path| path.ends_with(".html"))
    {
        let page = fs::read_to_string(current.folder.join(path)).unwrap();
        assert!(!page.contains("<script"), "{path}");
        shown += page.matches("&lt;script&gt;").count();
    }
    assert!(shown > 3, "{shown}");
}
