//! What arrives beside the daily reports: TLS reports, a failure report, a broken attachment, copies, a conflict, a
//! report without traffic, a mail that is no report.

use std::io;

use flate2::Compression;

use super::traffic::Row;
use super::world::{DOMAINS, REPORTERS, Story, Style};
use super::wrap::{Mail, Part, gzip};
use super::xml::{Head, report};
use super::{File, Stamp};
use crate::model::day::{Day, rfc3339};

/// Everything special about a day. `reports` are its daily reports.
pub fn of_day(story: Story, days: u64, stamp: Stamp, reports: &[File]) -> io::Result<Vec<File>> {
    let mut files = Vec::new();
    let age = stamp.age;
    if age.is_multiple_of(3) {
        files.push(tls_report(stamp)?);
    }
    // Each of these happens once, at an age that every plan has.
    for (at, make) in [
        (days / 2, failure_report as fn(Stamp) -> io::Result<File>),
        (days / 3, broken_attachment),
        (days / 4, no_traffic),
        (days / 5, not_a_report),
        (days / 6, conflict),
    ] {
        if age == at {
            files.push(make(stamp)?);
        }
    }
    if age == days / 6 {
        files.push(conflicting(stamp)?);
    }
    if age % 20 == 7 || (story.is_wave(age) && age.is_multiple_of(4)) {
        files.extend(reports.first().map(|first| File {
            name: format!("copy-of-{}", first.name),
            ..first.clone()
        }));
    }
    Ok(files)
}

fn mail(stamp: Stamp, number: u64, subject: &str, parts: Vec<Part>) -> Vec<u8> {
    let number = ((stamp.begin_utc_secs as u64) << 16) | number;
    let domains = (REPORTERS[0].domain, DOMAINS[0].name);
    let sent = stamp.next_day();
    Mail {
        from_domain: domains.0,
        to_domain: domains.1,
        subject,
        sent,
        number,
        parts,
    }
    .to_bytes()
}

fn tls_report(stamp: Stamp) -> io::Result<File> {
    let day = stamp.day;
    let failed = if stamp.age.is_multiple_of(2) { 3 } else { 0 };
    let details = if failed == 0 {
        String::new()
    } else {
        format!(
            "{{\"result-type\":\"certificate-expired\",\"sending-mta-ip\":\"198.51.100.3\",\
             \"receiving-mx-hostname\":\"mx2.example.com\",\"failed-session-count\":{failed}}}"
        )
    };
    let json = format!(
        "{{\"organization-name\":\"bigmail.example\",\"date-range\":{{\"start-datetime\":\"{}\",\
         \"end-datetime\":\"{}\"}},\"contact-info\":\"smtp-tls-reporting@bigmail.example\",\
         \"report-id\":\"{day}_example.com\",\"policies\":[{{\"policy\":{{\"policy-type\":\"sts\",\
         \"policy-string\":[\"version: STSv1\",\"mode: testing\",\"max_age: 86400\",\"mx: *.example.com\"],\
         \"policy-domain\":\"example.com\"}},\"summary\":{{\"total-successful-session-count\":{},\
         \"total-failure-session-count\":{failed}}},\"failure-details\":[{details}]}}]}}",
        rfc3339(stamp.begin_utc_secs),
        rfc3339(stamp.begin_utc_secs + 86_399),
        400 + stamp.age * 7 % 90,
    );
    let name = format!(
        "bigmail.example!example.com!{}!{}!001.json.gz",
        stamp.begin_utc_secs,
        stamp.end_utc_secs()
    );
    let part = Part::attachment(
        "application/tlsrpt+gzip",
        &name,
        gzip(json.as_bytes(), Compression::default())?,
    );
    let text = Part::text(
        "text/plain; charset=utf-8",
        "This is an aggregate TLS report.\n",
    );
    let bytes = mail(
        stamp,
        1,
        "Report Domain: example.com Submitter: bigmail.example",
        vec![text, part],
    );
    Ok(stamp.file("tls-bigmail.example.eml", bytes))
}

fn failure_report(stamp: Stamp) -> io::Result<File> {
    let bytes = format!(
        "From: noreply-dmarc@hosted.example\r\nTo: dmarc@example.com\r\nSubject: FW: invoice\r\nDate: {date}\r\n\
         Message-ID: <failure.{day}@hosted.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=feedback-report; boundary=\"=_arf\"\r\n\r\n\
         --=_arf\r\nContent-Type: text/plain; charset=us-ascii\r\n\r\n\
         A message that claims to be from example.com failed DMARC.\r\n\
         --=_arf\r\nContent-Type: message/feedback-report\r\n\r\n\
         Feedback-Type: auth-failure\r\nUser-Agent: reportd/3.2\r\nVersion: 1\r\n\
         Original-Mail-From: bounce@example.com\r\nArrival-Date: {date}\r\nSource-IP: 203.0.113.66\r\n\
         Reported-Domain: example.com\r\nReporting-MTA: dns; mx.hosted.example\r\nAuth-Failure: dmarc\r\n\
         Identity-Alignment: dkim, spf\r\nDelivery-Result: reject\r\n\r\n\
         --=_arf\r\nContent-Type: text/rfc822-headers\r\n\r\n\
         From: Accounts <accounts@example.com>\r\nMessage-ID: <forged.1@example.com>\r\nDate: {date}\r\n\r\n\
         --=_arf--\r\n",
        date = stamp.day.format("%a, %d %b %Y 13:02:44 +0000"),
        day = stamp.day,
    );
    Ok(stamp.file("failure-hosted.example.eml", bytes.into_bytes()))
}

fn broken_attachment(stamp: Stamp) -> io::Result<File> {
    let document = document(stamp, "broken", &[row(40)]);
    let mut bytes = gzip(document.as_bytes(), Compression::default())?;
    bytes.truncate(bytes.len() / 2);
    let part = Part::attachment(
        "application/gzip",
        "posta.example!example.com!cut.xml.gz",
        bytes,
    );
    let bytes = mail(
        stamp,
        2,
        "Report Domain: example.com Submitter: posta.example",
        vec![part],
    );
    Ok(stamp.file("broken-posta.example.eml", bytes))
}

fn no_traffic(stamp: Stamp) -> io::Result<File> {
    let bytes = document(stamp, "empty", &[]).into_bytes();
    Ok(stamp.file("no-traffic-small.example.xml", bytes))
}

fn not_a_report(stamp: Stamp) -> io::Result<File> {
    let text = Part::text(
        "text/plain; charset=utf-8",
        "Thank you for your message. I am back on Monday.\n",
    );
    Ok(stamp.file(
        "out-of-office.eml",
        mail(stamp, 3, "Out of office", vec![text]),
    ))
}

/// The first of two reports with one identity.
fn conflict(stamp: Stamp) -> io::Result<File> {
    let bytes = document(stamp, "revised", &[row(12)]).into_bytes();
    Ok(stamp.file("small.example-1.xml", bytes))
}

/// The second, with other records.
fn conflicting(stamp: Stamp) -> io::Result<File> {
    let bytes = document(stamp, "revised", &[row(12), row(5)]).into_bytes();
    Ok(stamp.file("small.example-2.xml", bytes))
}

fn document(stamp: Stamp, id: &str, rows: &[Row]) -> String {
    let head = Head {
        org_name: "Posta",
        org_domain: "posta.example",
        report_id: &format!("{}.{id}", stamp.begin_utc_secs),
        begin_utc_secs: stamp.begin_utc_secs,
        end_utc_secs: stamp.end_utc_secs(),
        domain: DOMAINS[0].name,
        policy: DOMAINS[0].policy[1],
    };
    report(Style::Pretty, &head, rows)
}

fn row(count: u64) -> Row {
    let name = DOMAINS[0].name.to_owned();
    Row {
        ip: std::net::IpAddr::from([192, 0, 2, DOMAINS[0].servers[0]]),
        count,
        dkim_aligned: true,
        spf_aligned: true,
        reason: None,
        header_from: name.clone(),
        envelope_from: name.clone(),
        dkim: vec![(name.clone(), "s2026", "pass")],
        spf: (name, "pass"),
    }
}

impl Stamp {
    fn next_day(self) -> Day {
        self.day.succ_opt().unwrap_or(self.day)
    }

    fn end_utc_secs(self) -> i64 {
        self.begin_utc_secs + 86_399
    }
}
