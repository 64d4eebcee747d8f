//! What one reporter saw of one domain on one day.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::random::Random;
use super::world::{OwnDomain, Reporter, Story, Style, WAVE_SOURCE};

/// One `<record>`.
#[derive(Debug, Clone)]
pub struct Row {
    /// Source.
    pub ip: IpAddr,
    /// Messages.
    pub count: u64,
    /// Whether DKIM passed aligned.
    pub dkim_aligned: bool,
    /// Whether SPF passed aligned.
    pub spf_aligned: bool,
    /// Why the policy was overridden: type and comment.
    pub reason: Option<(&'static str, &'static str)>,
    /// From domain.
    pub header_from: String,
    /// Envelope sender domain.
    pub envelope_from: String,
    /// Signatures: domain, selector, result.
    pub dkim: Vec<(String, &'static str, &'static str)>,
    /// SPF: domain, result.
    pub spf: (String, &'static str),
}

/// A day as one reporter sees one domain.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    /// The domain.
    pub domain: &'a OwnDomain,
    /// The reporter.
    pub reporter: &'a Reporter,
    /// What happens when.
    pub story: Story,
    /// Days before the last one.
    pub age: u64,
    /// 0 is Monday.
    pub weekday: u32,
}

impl Scene<'_> {
    /// Every row of the report; empty when the reporter saw nothing.
    pub fn rows(&self, random: &mut Random) -> Vec<Row> {
        let weekend = if self.weekday >= 5 { 35 } else { 100 };
        let seen =
            self.domain.volume * self.reporter.share * weekend * self.reporter.every_days / 100_000;
        let mut rows = Vec::new();
        self.own(random.around(seen, 20), random, &mut rows);
        if self.domain.has_newsletter && matches!(self.weekday, 1 | 3) {
            rows.push(self.newsletter(random.around(seen / 2, 30), random));
        }
        if self.domain.servers[0] == 40 && self.story.has_campaigns(self.age) {
            rows.push(self.campaign(random.around(seen / 3, 30)));
        }
        if self.domain.is_forwarded {
            self.forwarded(seen, random, &mut rows);
        }
        if self.domain.servers[0] == 10 && self.story.has_ticket_system(self.age) {
            rows.push(self.ticket_system(random.around(seen / 40, 40)));
        }
        self.forged(random, &mut rows);
        rows.retain(|row| row.count > 0);
        if self.reporter.style == Style::PerEnvelope {
            rows = rows.into_iter().flat_map(split).collect();
        }
        rows
    }

    fn row(&self, ip: IpAddr, count: u64) -> Row {
        let name = self.domain.name.to_owned();
        Row {
            ip,
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

    fn is_broken(&self) -> bool {
        self.domain.servers[0] == 20 && self.story.has_broken_dkim(self.age)
    }

    fn own(&self, messages: u64, random: &mut Random, rows: &mut Vec<Row>) {
        let servers = self.domain.servers;
        for server in servers {
            let count = messages / servers.len() as u64;
            let mut row = self.row(own_address(*server, random), count);
            if self.is_broken() {
                row.dkim_aligned = false;
                row.dkim[0].2 = "fail";
            }
            rows.push(row);
        }
    }

    fn newsletter(&self, count: u64, random: &mut Random) -> Row {
        let mut row = self.row(v4([198, 51, 100, random.between(10, 25) as u8]), count);
        row.spf_aligned = false;
        row.envelope_from = "bounce.newsletter.example".to_owned();
        row.dkim = vec![
            (self.domain.name.to_owned(), "nl1", "pass"),
            ("newsletter.example".to_owned(), "k2", "pass"),
        ];
        if self.is_broken() {
            row.dkim_aligned = false;
            row.dkim[0].2 = "fail";
        }
        row.spf = (row.envelope_from.clone(), "pass");
        row
    }

    /// It signs with a key of the domain and, as such services do, with its own.
    fn campaign(&self, count: u64) -> Row {
        let mut row = self.row(v4([198, 51, 100, 90]), count);
        row.spf_aligned = false;
        row.envelope_from = "bounce.campaign.example".to_owned();
        row.dkim = vec![
            (self.domain.name.to_owned(), "c1", "pass"),
            ("campaign.example".to_owned(), "m1", "pass"),
        ];
        row.spf = (row.envelope_from.clone(), "pass");
        row
    }

    fn ticket_system(&self, count: u64) -> Row {
        let mut row = self.row(v4([198, 51, 100, 77]), count);
        row.dkim_aligned = false;
        row.spf_aligned = false;
        row.envelope_from = "mail.tickets.example".to_owned();
        row.dkim = vec![("tickets.example".to_owned(), "t1", "pass")];
        row.spf = (row.envelope_from.clone(), "pass");
        row
    }

    /// Mail that somebody carried on: signed mail survives, mail with a changed body does not.
    fn forwarded(&self, seen: u64, random: &mut Random, rows: &mut Vec<Row>) {
        if random.chance(60) {
            let mut row = self.row(
                v4([198, 51, 100, random.between(130, 139) as u8]),
                random.around(seen / 60, 50),
            );
            row.spf_aligned = false;
            row.spf.1 = "softfail";
            if self.is_broken() {
                row.dkim_aligned = false;
                row.dkim[0].2 = "fail";
                row.reason = Some(("forwarded", ""));
            }
            rows.push(row);
        }
        if random.chance(25) {
            let mut row = self.row(v4([198, 51, 100, 200]), random.between(1, 6));
            row.dkim_aligned = false;
            row.spf_aligned = false;
            row.envelope_from = "lists.example".to_owned();
            row.dkim[0].2 = "fail";
            row.spf = ("lists.example".to_owned(), "pass");
            row.reason = Some(("mailing_list", ""));
            rows.push(row);
        }
        if random.chance(15) {
            let mut row = self.row(v4([198, 51, 100, 211]), random.between(1, 4));
            row.dkim_aligned = false;
            row.spf_aligned = false;
            row.dkim[0].2 = "fail";
            row.spf.1 = "fail";
            row.reason = Some(("local_policy", "arc=pass"));
            rows.push(row);
        }
    }

    fn forged(&self, random: &mut Random, rows: &mut Vec<Row>) {
        let is_wave = self.domain.servers[0] == 10 && self.story.is_wave(self.age);
        if is_wave {
            let count = random.around(self.reporter.share * 3 / 5, 30);
            rows.push(self.forgery(WAVE_SOURCE, count, random));
        }
        let background = self.domain.forged * self.reporter.share / 1_000;
        for _ in 0..background.min(3) {
            let (source, count) = (random.between(1, 254) as u8, random.between(1, 3));
            if source != WAVE_SOURCE {
                rows.push(self.forgery(source, count, random));
            }
        }
    }

    fn forgery(&self, source: u8, count: u64, random: &mut Random) -> Row {
        let mut row = self.row(v4([203, 0, 113, source]), count);
        row.dkim_aligned = false;
        row.spf_aligned = false;
        row.dkim.clear();
        row.spf.1 = if random.chance(70) {
            "fail"
        } else {
            "softfail"
        };
        row
    }
}

/// An address of an own server, sometimes its IPv6 one.
fn own_address(server: u8, random: &mut Random) -> IpAddr {
    if random.chance(20) {
        IpAddr::V6(Ipv6Addr::new(
            0x2001,
            0xdb8,
            0x25,
            0,
            0,
            0,
            0,
            u16::from(server),
        ))
    } else {
        v4([192, 0, 2, server])
    }
}

fn v4(octets: [u8; 4]) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(octets))
}

/// A row for each recipient domain, as some reporters write them.
fn split(row: Row) -> Vec<Row> {
    if row.count < 8 {
        return vec![row];
    }
    let part = row.count / 3;
    [row.count - 2 * part, part, part]
        .into_iter()
        .map(|count| Row {
            count,
            ..row.clone()
        })
        .collect()
}
