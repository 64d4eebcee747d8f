//! Invents a believable mailbox of reports: the same seed gives the same bytes. Used by `sentinel demo`, by the
//! benchmark and by tests.

use std::io;

use flate2::Compression;

use crate::model::day::{Day, days_before};

pub mod bulk;
mod extras;
mod random;
mod traffic;
mod world;
mod wrap;
mod xml;

#[cfg(test)]
mod tests;

use random::Random;
use traffic::Scene;
use world::{DOMAINS, OwnDomain, REPORTERS, Reporter, SMALL_HOST, Story, Style, Wrapping};
use wrap::{Mail, Part};
use xml::Head;

/// What to invent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DemoPlan {
    /// Aggregate reports in all, spread evenly over the days; the extras come on top.
    pub reports: u64,
    /// Days, at least 1.
    pub days: u32,
    /// The last day.
    pub end: Day,
    /// Another seed, another history.
    pub seed: u64,
}

/// A file as it would be saved from a mailbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Day that its report is about: the folder it belongs into.
    pub day: Day,
    /// Name, unique within the day.
    pub name: String,
    /// A mail, or the bytes of an attachment.
    pub bytes: Vec<u8>,
}

/// One day of a plan.
#[derive(Debug, Clone, Copy)]
pub struct Stamp {
    /// The day.
    pub day: Day,
    /// Days before the last one.
    pub age: u64,
    /// Its first second, UTC.
    pub begin_utc_secs: i64,
}

impl Stamp {
    /// The day `age` days before `end`.
    pub fn of(end: Day, age: u64) -> Self {
        let day = days_before(end, age);
        Self {
            day,
            age,
            begin_utc_secs: day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp(),
        }
    }

    fn file(self, name: &str, bytes: Vec<u8>) -> File {
        File {
            day: self.day,
            name: name.to_owned(),
            bytes,
        }
    }
}

/// The whole mailbox, oldest day first.
pub fn generate(plan: &DemoPlan) -> impl Iterator<Item = io::Result<File>> + use<> {
    let plan = *plan;
    (0..u64::from(plan.days)).rev().flat_map(move |age| {
        match day(&plan, Stamp::of(plan.end, age)) {
            Ok(files) => files.into_iter().map(Ok).collect::<Vec<_>>(),
            Err(error) => vec![Err(error)],
        }
    })
}

/// A configuration file that knows the invented world's own senders; `data_dir` is where its data lies.
pub fn config_text(data_dir: &str) -> String {
    let quoted = data_dir.replace('\\', "\\\\").replace('"', "\\\"");
    include_str!("config.yml").replace("DATA_DIR", &format!("\"{quoted}\""))
}

fn day(plan: &DemoPlan, stamp: Stamp) -> io::Result<Vec<File>> {
    let story = Story::of(plan);
    let index = u64::from(plan.days) - 1 - stamp.age;
    let before = |day: u64| plan.reports * day / u64::from(plan.days);
    let wanted = before(index + 1) - before(index);
    let mut files = Vec::new();
    let mut add = |scene: &Scene<'_>, host: Option<u64>| -> io::Result<bool> {
        files.extend(daily(plan.seed, stamp, scene, host)?);
        Ok(files.len() as u64 >= wanted)
    };
    let scene = |domain, reporter: &'static Reporter| Scene {
        domain,
        reporter,
        story,
        // What a report tells of belongs to the middle of its period.
        age: stamp.age + (reporter.every_days - 1) / 2,
        weekday: weekday(stamp.day),
    };
    let named = REPORTERS
        .iter()
        .flat_map(|reporter| DOMAINS.iter().map(move |domain| (reporter, domain)));
    let mut is_full = wanted == 0;
    for (reporter, domain) in named {
        if !is_full {
            is_full = add(&scene(domain, reporter), None)?;
        }
    }
    // Small self-hosters fill the day up when more is wanted than the named reporters send. They take turns, so that
    // all have been seen after a few days.
    let domains = DOMAINS.len() as u64;
    let named = (REPORTERS.len() as u64 - 1) * domains;
    // On a weekend half of them have nothing to tell.
    let hosts = ((plan.reports / u64::from(plan.days)).saturating_sub(named) / 2 + 2).max(5);
    for filler in 0.. {
        if is_full {
            break;
        }
        let domain = &DOMAINS[((filler + index) % domains) as usize];
        let host = 1 + (filler / domains + index) % hosts;
        is_full = add(&scene(domain, &SMALL_HOST), Some(host))?;
    }
    let extras = extras::of_day(story, u64::from(plan.days), stamp, &files)?;
    files.extend(extras);
    Ok(files)
}

fn weekday(day: Day) -> u32 {
    chrono::Datelike::weekday(&day).num_days_from_monday()
}

/// The report of one reporter about one domain; nothing on a day on which none is sent.
fn daily(
    seed: u64,
    stamp: Stamp,
    scene: &Scene<'_>,
    host: Option<u64>,
) -> io::Result<Option<File>> {
    let (reporter, domain) = (scene.reporter, scene.domain);
    let is_silent = reporter.domain == world::QUIET_REPORTER
        && domain.name == DOMAINS[0].name
        && scene.story.is_quiet(stamp.age);
    if is_silent || !stamp.age.is_multiple_of(reporter.every_days) {
        return Ok(None);
    }
    let org_domain = match host {
        None => reporter.domain.to_owned(),
        Some(number) => format!("host{number}.example"),
    };
    let keys = [
        stamp.begin_utc_secs as u64,
        name_key(&org_domain),
        name_key(domain.name),
    ];
    let mut random = Random::of(seed, &keys);
    let rows = scene.rows(&mut random);
    if rows.is_empty() {
        return Ok(None);
    }
    let end = stamp.begin_utc_secs
        + if reporter.style == Style::Tabs {
            86_400
        } else {
            86_399
        };
    let head = Head {
        org_name: if host.is_none() {
            reporter.name
        } else {
            &org_domain
        },
        org_domain: &org_domain,
        report_id: &report_id(reporter.style, &mut random),
        begin_utc_secs: stamp.begin_utc_secs - (reporter.every_days as i64 - 1) * 86_400,
        end_utc_secs: end,
        domain: domain.name,
        policy: domain.policy[usize::from(scene.story.is_policy_changed(scene.age))],
    };
    let document = xml::report(reporter.style, &head, &rows);
    wrapped(
        stamp,
        reporter.wrapping,
        &head,
        domain,
        &document,
        random.next(),
    )
    .map(Some)
}

fn name_key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |key, byte| {
        (key ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn report_id(style: Style, random: &mut Random) -> String {
    match style {
        Style::PerEnvelope => format!("{:016x}{:016x}", random.next(), random.next()),
        Style::Tabs => format!(
            "{}.{}",
            random.between(1_000_000_000, 1_999_999_999),
            random.between(100_000, 999_999)
        ),
        _ => random
            .between(1_000_000_000_000_000_000, 9_999_999_999_999_999_999)
            .to_string(),
    }
}

fn wrapped(
    stamp: Stamp,
    wrapping: Wrapping,
    head: &Head<'_>,
    domain: &OwnDomain,
    document: &str,
    number: u64,
) -> io::Result<File> {
    let base = format!(
        "{}!{}!{}!{}",
        head.org_domain, head.domain, head.begin_utc_secs, head.end_utc_secs
    );
    let Some(parts) = parts(wrapping, &base, document.as_bytes())? else {
        let bytes = wrap::gzip(document.as_bytes(), Compression::default())?;
        return Ok(stamp.file(&format!("{base}.xml.gz"), bytes));
    };
    let subject = format!(
        "Report Domain: {} Submitter: {} Report-ID: {}",
        head.domain, head.org_domain, head.report_id
    );
    let sent = stamp.day.succ_opt().unwrap_or(stamp.day);
    let mail = Mail {
        from_domain: head.org_domain,
        to_domain: domain.name,
        subject: &subject,
        sent,
        number,
        parts,
    };
    Ok(stamp.file(&format!("{base}.eml"), mail.to_bytes()))
}

/// Parts of the mail; `None` where a bare file is saved.
fn parts(wrapping: Wrapping, base: &str, document: &[u8]) -> io::Result<Option<Vec<Part>>> {
    let gzip = || -> io::Result<Part> {
        let bytes = wrap::gzip(document, Compression::default())?;
        let name = format!("{base}.xml.gz");
        Ok(Part::attachment("application/gzip", &name, bytes))
    };
    let note = || {
        Part::text(
            "text/plain; charset=utf-8",
            "This is a DMARC aggregate report.\n",
        )
    };
    let preview = "<html><body><p>Preview of a report.</p></body></html>\n";
    Ok(Some(match wrapping {
        Wrapping::GzipFile => return Ok(None),
        Wrapping::ZipMail => {
            let bytes = wrap::zip(&format!("{base}.xml"), document)?;
            vec![Part::attachment(
                "application/zip",
                &format!("{base}.zip"),
                bytes,
            )]
        }
        Wrapping::GzipMail => vec![note(), gzip()?],
        Wrapping::PreviewMail => vec![Part::text("text/html; charset=utf-8", preview), gzip()?],
        Wrapping::XmlMail => {
            let name = format!("{base}.xml");
            vec![
                note(),
                Part::attachment("text/xml", &name, document.to_vec()),
            ]
        }
    }))
}
