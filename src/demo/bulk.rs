//! Any number of gzip reports of 7.5 records on average, for benchmarks: 20 domains, 50 reporters, the rows of the
//! demo world. Each day is made on its own, so that days can be made by many threads.

use std::io;

use flate2::Compression;

use super::random::Random;
use super::traffic::Row;
use super::world::{DOMAINS, REPORTERS, Style};
use super::wrap::gzip;
use super::xml::{Head, report};
use super::{File, Stamp};

/// Reports of one day, in the order of their names.
pub const REPORTS_A_DAY: u64 = 1_000;

/// One day of `reports` reports, numbered from `first`.
pub fn day(seed: u64, stamp: Stamp, first: u64, reports: u64) -> io::Result<Vec<File>> {
    (first..first + reports)
        .map(|number| one(seed, stamp, number))
        .collect()
}

fn one(seed: u64, stamp: Stamp, number: u64) -> io::Result<File> {
    let mut random = Random::of(seed, &[number]);
    let (reporter, domain) = (number % 50, number / 50 % 20);
    let org = format!("reporter{reporter}.example");
    let name = format!("d{domain}.example");
    let records = random.between(1, 14);
    let rows: Vec<Row> = (0..records).map(|_| row(&name, &mut random)).collect();
    let head = Head {
        org_name: &org,
        org_domain: &org,
        report_id: &number.to_string(),
        begin_utc_secs: stamp.begin_utc_secs,
        end_utc_secs: stamp.begin_utc_secs + 86_399,
        domain: &name,
        policy: DOMAINS[domain as usize % DOMAINS.len()].policy[1],
    };
    let style = REPORTERS[reporter as usize % REPORTERS.len()].style;
    let xml = report(
        if style == Style::OneLine {
            Style::Pretty
        } else {
            style
        },
        &head,
        &rows,
    );
    // The fastest level: what counts is reading it again, and a real reporter's level differs little in that.
    let bytes = gzip(xml.as_bytes(), Compression::fast())?;
    Ok(stamp.file(
        &format!("{org}!{name}!{}!{number}.xml.gz", stamp.begin_utc_secs),
        bytes,
    ))
}

fn row(domain: &str, random: &mut Random) -> Row {
    let is_forged = random.chance(10);
    let third = if is_forged { 113 } else { 100 };
    let network = if is_forged { [203, 0] } else { [198, 51] };
    let is_dkim = !is_forged && random.chance(95);
    let is_spf = !is_forged && random.chance(80);
    let word = |passes| if passes { "pass" } else { "fail" };
    Row {
        ip: std::net::IpAddr::from([network[0], network[1], third, random.between(1, 254) as u8]),
        count: random.between(1, 40),
        dkim_aligned: is_dkim,
        spf_aligned: is_spf,
        reason: None,
        header_from: domain.to_owned(),
        envelope_from: domain.to_owned(),
        dkim: vec![(domain.to_owned(), "s1", word(is_dkim))],
        spf: (domain.to_owned(), word(is_spf)),
    }
}
