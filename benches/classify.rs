//! How long it takes to find sender, carrier, category and cause of ten million records on two threads, and to ask every
//! rule about all of them.
//!
//! The records are made by SQL: thousands of domains, hundreds of thousands of addresses, tens of thousands of
//! combinations of what passes. The lists of results are left empty, because the classification does not open them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use duckdb::Connection;
use sentinel::alert::Rules;
use sentinel::model::limits::Limits;
use sentinel::model::sender::KnownSender;
use sentinel::model::service::{EMBEDDED, read};
use sentinel::query::{Catalogue, Value, create_tables, run_around};
use sentinel::store::models::{CLASSIFICATION, MODELS, STAGES};
use sentinel::store::senders;
use sentinel::store::settings::{StoreConfig, approved, by_name};

const RECORDS: u64 = 10_000_000;
const AIM_SECS: f64 = 5.0;
const ROUNDS: usize = 3;

const REPORTS: &str = "
    insert into stage_reports
    select i, md5(i::varchar), date '2026-01-01' + (i // 3000 % 60)::integer as day, 'customer-' || (i * 7919 % 3000) || '.example',
        day::timestamp, day + interval 1 day, ['none', 'quarantine', 'reject'][1 + i % 3], null, 100, false
    from range(RECORDS // 12 + 1) t(i)";

/// What passes: the domain's own key, a service with the customer's key or, for one domain in ten, without, a stranger, a
/// host. Seven records in ten pass DMARC, most of what fails is a message or two, one stranger in fifty is loud.
const KINDS: &str = "
    create or replace temp table kinds as
    with services as (
        select list(value order by value) filter (mechanism = 'dkim') as dkim,
            list(value order by value) filter (mechanism = 'spf') as spf
        from (select mechanism, replace(value, '#', '7') as value from stage_evidence)
    )
    select k, 
        [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, if(k % 10 = 0, 2, 4), 3, 3, 4, 4, 4][1 + k // 3000] as shape,
        (hash(k) >> 2)::bigint | 1 as evidence_key, case shape
            when 0 then 'dkim customer-' || (k % 3000) || '.example' || chr(10) || 'selector key' || (k % 11)
                || chr(10) || 'spf customer-' || (k % 3000) || '.example'
            when 1 then 'dkim customer-' || (k % 3000) || '.example' || chr(10) || 'dkim m' || (k % 97) || '.'
                || dkim[1 + k % len(dkim)] || chr(10) || 'selector k' || (k % 4) || chr(10)
                || 'spf b' || (k % 997) || '.' || spf[1 + k % len(spf)]
            when 2 then 'spf o' || (k % 1009) || '.' || spf[1 + k % len(spf)]
            when 3 then 'dkim stranger-' || k || '.example' || chr(10) || 'spf a.b.stranger-' || k || '.example'
            else 'spf host-' || k || '.provider-' || (k % 5003) || '.example'
        end as evidence
    from range(60_000) t(k), services";

const RECORD_ROWS: &str = "
    insert into stage_records
    select i // 12, i % 12 + 1, ip, a, unhex('00000000000000000000ffff' || printf('%08x', a)),
        case when shape < 2 then 1 + i % 97 else 1 + i % 2 + if(a % 50 = 0, 20, 0) end,
        ['none', 'quarantine', 'reject'][1 + i % 3], shape < 2, shape = 0, passes and shape in (0, 1, 3), passes,
        i % 23 = 0, i % 41 = 0, false, case when passes then evidence_key else 0 end,
        -- as beside the parser, once in each chunk
        case when passes and i % 2048 < 700 then evidence end,
        'customer-' || (i // 12 * 7919 % 3000) || '.example', null, null, [], [], []
    from (
        select *, shape < 2 or i % 4 <> 3 as passes,
            167_772_160 + (k * 7 + hash(i) // 20 % if(shape = 0, 2, 50)) % 400_000 as a,
            '10.' || (a // 65536 % 256) || '.' || (a // 256 % 256) || '.' || (a % 256) as ip
        from (select i, i // 12 * 7919 % 3000 + 3000 * (hash(i) % 20)::bigint as k from range(RECORDS) t(i))
        join kinds using (k)
    )";

/// What the rules read beside records; the days are as the loader makes them.
const REPORT_ROWS: &str = "
    insert into reports by name
    select report as id, report as sha256, 'Reporter' as org_name, 'reporter-' || load_key % 97 || '.example' as org_domain,
        report as report_id, begin_utc, end_utc, day, domain, 'r' as adkim, 'r' as aspf, p, sp, pct, testing,
        [] as errors, 'rfc7489' as schema, 12 as record_count, 300 as messages, 250 as passed,
        report as records_sha256, 100 as text_bytes, [100] as record_text_bytes, [] as oddities, load_key as item_no
    from stage_reports";

fn main() -> anyhow::Result<()> {
    let config = config()?;
    let folder = tempfile::tempdir()?;
    let catalogue = Catalogue::load(None).map_err(|found| anyhow::anyhow!("{found:?}"))?;
    let database = Connection::open(folder.path().join("bench.duckdb"))?;
    create_tables(&database, &catalogue)?;
    database.execute_batch("set threads = 2; set preserve_insertion_order = false")?;
    senders::note(&database, &config)?;
    senders::stage(&database, &config)?;
    for stage in STAGES {
        database.execute_batch(stage)?;
    }
    let began = Instant::now();
    for statement in [REPORTS, KINDS, RECORD_ROWS] {
        database.execute_batch(&statement.replace("RECORDS", &RECORDS.to_string()))?;
    }
    println!(
        "{RECORDS} records, {} senders, 2 threads; made in {:.1} s",
        config.known_senders.len() + config.services.len(),
        began.elapsed().as_secs_f64()
    );
    let classified_secs = best(|| classify(&database))?;
    classify(&database)?;
    let began = Instant::now();
    for (name, statement) in MODELS {
        database
            .execute_batch(statement)
            .with_context(|| format!("running {name}"))?;
    }
    database.execute_batch(REPORT_ROWS)?;
    database.execute_batch("checkpoint")?;
    println!(
        "rows and roll-ups written in {:.1} s",
        began.elapsed().as_secs_f64()
    );
    let rules = Rules::new(&catalogue, &BTreeMap::new(), 30)
        .map_err(|found| anyhow::anyhow!("{found:?}"))?;
    let judged_secs = best(|| judge(&database, &rules))?;
    let together_secs = classified_secs + judged_secs;
    println!(
        "classified {classified_secs:.2} s + judged {judged_secs:.2} s = {together_secs:.2} s (aim {AIM_SECS})"
    );
    Ok(())
}

fn best(mut measure: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    let mut best_secs = f64::MAX;
    for _ in 0..ROUNDS {
        best_secs = best_secs.min(measure()?);
    }
    Ok(best_secs)
}

fn classify(database: &Connection) -> anyhow::Result<f64> {
    for table in ["addresses", "matches", "scopes", "senders", "classified"] {
        database.execute_batch(&format!("truncate stage_{table}"))?;
    }
    let mut total_secs = 0.0;
    for (name, statement) in CLASSIFICATION {
        let began = Instant::now();
        database.execute_batch(statement)?;
        total_secs += told(name, began);
    }
    println!("  {:<24} {total_secs:>6.2} s", "together");
    Ok(total_secs)
}

/// Asks every rule about all days of all domains, as after a change of the rules.
fn judge(database: &Connection, rules: &Rules) -> anyhow::Result<f64> {
    let mut statement = database.prepare("select distinct domain from reports order by domain")?;
    let domains = statement
        .query_map([], |row| row.get(0).map(Value::Text))?
        .collect::<duckdb::Result<Vec<Value>>>()?;
    let mut total_secs = 0.0;
    for rule in &rules.rules {
        let mut params = rule.params.clone();
        for (name, day) in [
            ("as_of", "2026-03-02"),
            ("since", "1970-01-01"),
            ("until", "2026-03-03"),
        ] {
            params.insert(name.to_owned(), Value::Text(day.to_owned()));
        }
        params.insert("domains".to_owned(), Value::List(domains.clone()));
        let began = Instant::now();
        let before = "create or replace temp table answer as ";
        run_around(database, &rule.query, &params, before, "")?;
        total_secs += told(&rule.query.name, began);
    }
    println!("  {:<24} {total_secs:>6.2} s", "together");
    Ok(total_secs)
}

fn told(name: &str, began: Instant) -> f64 {
    let took_secs = began.elapsed().as_secs_f64();
    println!("  {name:<24} {took_secs:>6.2} s");
    took_secs
}

/// Twenty networks, senders and approvals of many domains beside the services.
fn config() -> anyhow::Result<StoreConfig> {
    let mut known = Vec::new();
    for number in 0..500 {
        known.push(KnownSender {
            domain: format!("customer-{number}.example"),
            name: format!("relay-{}", number % 20),
            cidrs: vec![format!("10.{}.{}.0/28", number % 7, number % 20).parse()?],
            dkim_domains: vec![format!("relay-{}.example", number % 20)],
            services: vec!["sendgrid".to_owned(), "google-workspace".to_owned()],
            ..KnownSender::default()
        });
    }
    let services = read(EMBEDDED).map_err(|faults| anyhow::anyhow!("{faults:?}"))?;
    Ok(StoreConfig {
        path: PathBuf::new(),
        memory_limit_bytes: 0,
        threads: 2,
        code_hash: String::new(),
        config_hash: String::new(),
        load_hash: String::new(),
        domains: None,
        known_senders: by_name(&known),
        services: approved(&services, &known),
        limits: Limits::default(),
        retention_months: None,
        retention: None,
        elsewhere: Default::default(),
    })
}
