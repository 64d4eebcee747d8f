//! `sentinel parse` on bombs and damage: a clear line, exit code 1, bounded memory; and what it prints of good input.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

const REPORT: &str = "<feedback><report_metadata><org_name>example.net</org_name><report_id>1</report_id>\
    <date_range><begin>1700000000</begin><end>1700086399</end></date_range></report_metadata>\
    <policy_published><domain>example.com</domain><p>none</p></policy_published>\
    <record><row><source_ip>192.0.2.1</source_ip><count>3</count><policy_evaluated><disposition>none</disposition>\
    <dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>\
    <identifiers><header_from>example.com</header_from></identifiers></record></feedback>";

/// Runs `sentinel parse` in `folder`.
fn parse(folder: &Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sentinel"))
        .arg("parse")
        .args(args)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lines(output: &Output) -> Vec<serde_json::Value> {
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn hostile_files_are_refused_with_a_clear_line_and_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let packed = gzipped(REPORT.repeat(3).as_bytes());
    let tags = format!("<feedback>{}", "<a>".repeat(200_000));
    for (name, bytes, code) in [
        (
            "cut.gz",
            packed[..packed.len() / 2].to_vec(),
            "gzip-truncated",
        ),
        ("bomb.gz", gzipped(&vec![b'a'; 100 << 20]), "limit-ratio"),
        ("tags.xml", tags.into_bytes(), "limit-depth"),
        (
            "cut.zip",
            b"PK\x03\x04 no zip at all".to_vec(),
            "zip-corrupt",
        ),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        fs::write(folder.path().join("good.xml"), REPORT).unwrap();
        let output = parse(folder.path(), &[name, "good.xml"]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{name}: {stderr}");
        let lines = lines(&output);
        assert_eq!(
            (lines[0]["kind"].as_str(), lines[0]["code"].as_str()),
            (Some("error"), Some(code)),
            "{name}"
        );
        assert!(stderr.starts_with(&format!("{name}: {code}: ")), "{stderr}");
        assert_eq!(lines[1]["kind"], "aggregate", "{name}");
    }
}

#[test]
fn folder_is_read_recursively_in_byte_order_and_sources_are_joined() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in ["in/b/cur", "in/b/new", "in/b/tmp", "in/a"] {
        fs::create_dir_all(root.join(path)).unwrap();
    }
    let mail = format!("From: a@example.net\nContent-Type: text/xml\n\n{REPORT}");
    for (path, text) in [
        ("in/a/x.xml", REPORT),
        ("in/b/cur/1:2,S", &mail),
        ("in/b/new/2", &mail),
        ("in/b/tmp/3", &mail),
        ("in/.hidden", "x"),
    ] {
        fs::write(root.join(path), text).unwrap();
    }
    std::os::unix::fs::symlink("..", root.join("in/a/loop")).unwrap();
    let output = parse(root, &["in"]);
    let lines = lines(&output);
    let sources: Vec<_> = lines
        .iter()
        .map(|line| line["source"].as_str().unwrap())
        .collect();
    assert_eq!(sources, ["in/a/x.xml", "in/b/cur/1:2,S", "in/b/new/2"]);
    assert!(
        lines
            .iter()
            .all(|line| line["report"]["records"][0]["count"] == 3),
        "{lines:?}"
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn every_format_prints_the_report() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), REPORT).unwrap();
    let text = |format: &str| {
        let output = parse(folder.path(), &["a.xml", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}");
        String::from_utf8(output.stdout).unwrap()
    };
    let array: serde_json::Value = serde_json::from_str(&text("json")).unwrap();
    assert_eq!(array[0]["report"]["begin_utc"], "2023-11-14T22:13:20Z");
    let other: serde_json::Value = serde_json::from_str(&text("parsedmarc")).unwrap();
    assert_eq!(
        other["aggregate_reports"][0]["report_metadata"]["begin_date"],
        "2023-11-14 22:13:20"
    );
    assert_eq!(
        other["aggregate_reports"][0]["records"][0]["alignment"]["dmarc"],
        true
    );
    let csv = text("csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0].split(',').count(), lines[1].split(',').count());
}

#[test]
fn missing_path_is_a_usage_error_after_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.xml"), REPORT).unwrap();
    let output = parse(folder.path(), &["a.xml", "no.xml"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(lines(&output).len(), 1);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no.xml"));
}
