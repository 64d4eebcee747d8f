//! Any split of the same input, any crash on the way, gives what one run gives: the same site and lake, byte for byte,
//! and the same tables.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::process::Child;

use crate::product::{AS_OF, Mailbox, Product, names_in, until};

/// A few hundred files of every kind, and what the invented mailbox lacks: copies and a conflict that come much later
/// than what they are like.
fn mailbox() -> Mailbox {
    let mut mailbox = Mailbox::invented(200, 40);
    for index in [3, 70, 71] {
        let copy = mailbox.bytes(index);
        mailbox.add("late copy.eml", &copy);
    }
    let document = |count: u32| {
        format!(
            "<feedback><report_metadata><org_name>r.example</org_name><email>a@r.example</email><report_id>7</report_id>\
             <date_range><begin>1772409600</begin><end>1772755200</end></date_range></report_metadata>\
             <policy_published><domain>example.com</domain><p>none</p></policy_published>\
             <record><row><source_ip>192.0.2.9</source_ip><count>{count}</count><policy_evaluated>\
             <disposition>none</disposition><dkim>pass</dkim><spf>fail</spf></policy_evaluated></row>\
             <identifiers><header_from>example.com</header_from></identifiers><auth_results></auth_results></record></feedback>"
        )
    };
    mailbox.add("first of its key.xml", document(7).as_bytes());
    mailbox.add(
        "foreign.xml",
        document(7)
            .replace("example.com", "other.example")
            .as_bytes(),
    );
    mailbox.add("other records.xml", document(8).as_bytes());
    mailbox.add("respaced.xml", (document(7) + "\n").as_bytes());
    mailbox
}

#[test]
fn any_split_of_the_input_gives_the_same_site_lake_and_tables() {
    let mailbox = mailbox();
    let names = &mailbox.names;
    let whole = Product::new();
    let said = whole.ingest(&mailbox, names);
    assert_eq!(said.code, 1, "{}", said.err);
    let outcomes = whole.outcomes();
    for outcome in [
        "accepted",
        "duplicate",
        "conflict",
        "no-traffic",
        "not-a-report",
        "foreign",
        "refused",
    ] {
        assert!(outcomes.contains_key(outcome), "{outcome}: {outcomes:?}");
    }
    let kinds = "select count(*) as n, (select count(*) from tls_reports) as tls, \
                 (select count(*) from failure_reports) as failures \
                 from reports where date_diff('hour', begin_utc, end_utc) > 26";
    let kinds = &whole.query(&[kinds])[0];
    for kind in ["n", "tls", "failures"] {
        assert!(kinds[kind].as_u64().unwrap() > 0, "{kind}: {kinds}");
    }
    let last = names.len();
    for cuts in [
        vec![last - 2],
        vec![72, 73],
        vec![1, 60, 71, 150, last - 5, last - 1],
    ] {
        let split = Product::new();
        let ends = cuts.iter().copied().chain([last]);
        let begins = [0].into_iter().chain(cuts.iter().copied());
        for (begin, end) in begins.zip(ends) {
            split.ingest(&mailbox, &names[begin..end]);
        }
        assert_eq!(split.current().number, cuts.len() as u64 + 1);
        split.assert_same(&whole, &format!("split at {cuts:?}"));
    }
    let split = Product::new();
    split.ingest(&mailbox, &names[..100]);
    split.ingest(&mailbox, &names[100..]);
    let rebuilt = split.run(&["rebuild", "--as-of", AS_OF]);
    assert_eq!(
        (rebuilt.code, rebuilt.last_line()),
        (0, said.last_line()),
        "{}",
        rebuilt.err
    );
    split.assert_same(&whole, "after a rebuild");
    split.assert_verified("after a rebuild");
}

#[test]
fn a_day_that_advances_between_the_runs_changes_nothing_in_the_end() {
    let mailbox = mailbox();
    let names = &mailbox.names;
    let whole = Product::new();
    whole.ingest_as_of(&mailbox, names, "2026-03-25");
    let split = Product::new();
    let middle = names.len() / 2;
    for (some, as_of) in [
        (&names[..50], "2026-02-20"),
        (&names[50..middle], AS_OF),
        (&names[middle..], AS_OF),
    ] {
        split.ingest_as_of(&mailbox, some, as_of);
        assert_eq!(split.current().manifest.values.as_of.to_string(), as_of);
        split.assert_verified(as_of);
    }
    // Nothing new to read, and a later day.
    assert_eq!(split.poll_as_of("2026-03-25").code, 0);
    split.assert_same(&whole, "advanced");
    split.assert_verified("advanced");
}

#[test]
fn a_killed_run_is_finished_by_the_next_one() {
    let mailbox = mailbox();
    let whole = Product::new();
    whole.ingest(&mailbox, &mailbox.names);
    type Seen = fn(&Product) -> bool;
    let moments: [(&str, usize, Seen); 6] = [
        ("the archive's folder is there", 0, |product| {
            product.data().join("archive").exists()
        }),
        ("the working database is there", 0, |product| {
            product.data().join("work/sentinel.duckdb").exists()
        }),
        ("the next segment is durable", 70, |product| {
            segments(product) == 2
        }),
        ("the ledger has the run", 70, |product| {
            runs_in_ledger(product) == 2
        }),
        ("pages are drawn", 70, |product| {
            product
                .data()
                .join("public/releases/.staging/site")
                .exists()
        }),
        ("the generation has its number", 70, |product| {
            product.data().join("public/releases/2").exists()
        }),
    ];
    for (moment, begin, is_there) in moments {
        let product = Product::new();
        if begin > 0 {
            product.ingest(&mailbox, &mailbox.names[..begin]);
        }
        let run = product.start_ingest(&mailbox, &mailbox.names[begin..]);
        kill_when(run, || is_there(&product), moment);
        finish(&product, &mailbox);
        product.assert_same(&whole, moment);
    }
}

#[test]
fn a_killed_rebuild_leaves_what_was_and_can_be_begun_again() {
    let mailbox = mailbox();
    let product = Product::new();
    product.ingest(&mailbox, &mailbox.names);
    for path in ["work/rebuild.duckdb", "public/releases/.staging/site"] {
        let begun = product
            .command(&product.home(), &["rebuild", "--as-of", AS_OF])
            .spawn();
        kill_when(begun.unwrap(), || product.data().join(path).exists(), path);
        product.assert_verified(path);
        assert_eq!(product.ingest(&mailbox, &mailbox.names[..1]).code, 0);
        product.assert_verified(path);
    }
    let said = product.run(&["rebuild", "--as-of", AS_OF]);
    assert_eq!(said.code, 0, "{}", said.err);
    product.assert_verified("rebuilt in the end");
}

#[test]
fn the_whole_input_again_after_a_kill_counts_every_report_once() {
    let mailbox = mailbox();
    let whole = Product::new();
    whole.ingest(&mailbox, &mailbox.names);
    let product = Product::new();
    let run = product.start_ingest(&mailbox, &mailbox.names);
    kill_when(run, || segments(&product) == 1, "archived");
    product.ingest(&mailbox, &mailbox.names);
    let counted = "select id, domain, messages, passed, record_count from reports order by id";
    assert_eq!(product.query(&[counted]), whole.query(&[counted]));
    assert_eq!(
        product.query(&["from daily order by all"]),
        whole.query(&["from daily order by all"])
    );
    product.assert_verified("everything again");
}

/// Kills a run as soon as `is_time`.
fn kill_when(mut run: Child, mut is_time: impl FnMut() -> bool, moment: &str) {
    let is_seen = until(&mut is_time);
    run.kill().unwrap();
    run.wait().unwrap();
    assert!(is_seen, "never seen: {moment}");
}

/// Durable segments of the archive.
fn segments(product: &Product) -> usize {
    let names = names_in(&product.data().join("archive"));
    names
        .iter()
        .filter(|name| name.ends_with(".parquet"))
        .count()
}

fn runs_in_ledger(product: &Product) -> usize {
    let lines = fs::read_to_string(product.data().join("ledger/events.jsonl"));
    lines
        .unwrap_or_default()
        .matches("\"run-finished\"")
        .count()
}

/// Publishes what the archive holds, then takes in the rest.
fn finish(product: &Product, mailbox: &Mailbox) {
    let said = product.poll();
    assert!(said.code <= 1, "{}", said.err);
    let archived = product.current().manifest.values.archive_position as usize;
    if archived < mailbox.names.len() {
        product.ingest(mailbox, &mailbox.names[archived..]);
    }
}

#[test]
fn panels_of_the_user_show_the_same_after_any_split() {
    let mailbox = Mailbox::invented(40, 10);
    let with_panels = || {
        let product = Product::new();
        product.add_query(
            "panels/everything.sql",
            "-- everything: how many documents came in, whatever they are about. One row.\n\
             -- params: $domain VARCHAR\n\
             -- panel: page=domain title=\"Everything\" chart=figures order=99\n\
             select count(*) as documents, $domain as asked from documents\n",
        );
        product.add_query(
            "panels/others.sql",
            "-- others: how many other reports there are. One row.\n\
             -- params: $report VARCHAR\n\
             -- panel: page=report title=\"Others\" chart=figures order=99\n\
             select count(*) as others from reports where id <> $report\n",
        );
        product
    };
    let (whole, split) = (with_panels(), with_panels());
    let said = whole.ingest(&mailbox, &mailbox.names);
    assert!(said.code <= 1, "{}", said.err);
    let middle = mailbox.names.len() - 1;
    let copied = [&mailbox.names[middle..], &mailbox.names[..1]].concat();
    split.ingest(&mailbox, &mailbox.names[..middle]);
    split.ingest(&mailbox, &copied);
    whole.ingest(&mailbox, &mailbox.names[..1]);
    split.assert_verified("split");
    split.assert_same(&whole, "split");
}

/// Twenty runs over parts of the input, each killed at another moment, then one that is left alone.
#[cfg(feature = "long-tests")]
#[test]
fn long_twenty_kills_at_any_moment_lose_nothing_and_count_nothing_twice() {
    let mailbox = Mailbox::invented(1_200, 40);
    let whole = Product::new();
    let started = std::time::Instant::now();
    whole.ingest(&mailbox, &mailbox.names);
    // The longest that a run may go on: how long the last took that ended by itself.
    let mut longest = started.elapsed();
    let product = Product::new();
    let (mut begin, mut seed, mut killed) = (0, 0x9e37_79b9_7f4a_7c15_u64, 0);
    for round in 1..=20 {
        let end = mailbox.names.len() * round / 20;
        let mut run = product.start_ingest(&mailbox, &mailbox.names[begin..end]);
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let moment = longest * u32::try_from(seed >> 33).unwrap() / (u32::MAX >> 1);
        match run_for(&mut run, moment) {
            Some(took) => longest = took,
            None => killed += 1,
        }
        run.kill().unwrap();
        run.wait().unwrap();
        // What was not archived is read again by the next run.
        begin = archived(&product);
        assert!(begin <= end, "round {round}: {begin} of {end}");
    }
    assert!(killed > 10, "{killed} of 20 runs were killed");
    finish(&product, &mailbox);
    product.assert_same(&whole, "twenty kills");
    product.assert_verified("twenty kills");
}

/// Lets a run go on for a while; how long it took, where it ended by itself.
#[cfg(feature = "long-tests")]
fn run_for(run: &mut Child, while_: std::time::Duration) -> Option<std::time::Duration> {
    let started = std::time::Instant::now();
    until(|| started.elapsed() > while_ || run.try_wait().unwrap().is_some());
    run.try_wait().unwrap().map(|_| started.elapsed())
}

/// Items in the archive, by the names of its segments.
#[cfg(feature = "long-tests")]
fn archived(product: &Product) -> usize {
    let names = names_in(&product.data().join("archive"));
    let ends = names.iter().filter_map(|name| {
        name.strip_suffix(".parquet")?
            .rsplit('-')
            .next()?
            .parse()
            .ok()
    });
    ends.max().unwrap_or(0)
}
