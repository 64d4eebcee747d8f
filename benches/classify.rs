//! How long it takes to find sender, carrier, category and cause of ten million records on two threads.
//!
//! The records are made by SQL: thousands of domains, hundreds of thousands of addresses, tens of thousands of
//! combinations of what passes. The lists of results are left empty, because the classification does not open them.

use std::path::PathBuf;
use std::time::Instant;

use sentinel::model::limits::Limits;
use sentinel::model::sender::KnownSender;
use sentinel::model::service::{EMBEDDED, read};
use sentinel::query::{Catalogue, empty_database};
use sentinel::store::models::{CLASSIFICATION, STAGES};
use sentinel::store::senders;
use sentinel::store::settings::{StoreConfig, approved, by_name};

const RECORDS: u64 = 10_000_000;
const AIM_SECS: f64 = 5.0;
const ROUNDS: usize = 3;

const REPORTS: &str = "
    insert into stage_reports
    select i, md5(i::varchar), date '2026-01-01' + (i % 60)::integer, 'customer-' || (i * 7919 % 3000) || '.example',
        timestamp '2026-01-01', timestamp '2026-01-02', ['none', 'quarantine', 'reject'][1 + i % 3], null, 100, false
    from range(RECORDS // 12 + 1) t(i)";

/// What passes: nothing, the domain's own key, a service, a stranger, several of them.
const KINDS: &str = "
    create or replace temp table kinds as
    with services as (
        select list(value order by value) filter (mechanism = 'dkim') as dkim,
            list(value order by value) filter (mechanism = 'spf') as spf
        from (select mechanism, replace(value, '#', '7') as value from stage_evidence)
    )
    select k, (hash(k) >> 2)::bigint | 1 as evidence_key, case k // 3000 % 5
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
    select i // 12, i % 12 + 1, ip, unhex('00000000000000000000ffff' || printf('%08x', a)), 1 + i % 17,
        ['none', 'quarantine', 'reject'][1 + i % 3], k // 3000 % 5 < 2, k // 3000 % 5 = 0, k // 3000 % 5 in (0, 1, 3), k <> 7,
        i % 23 = 0, i % 41 = 0, false,
        case when i % 4 = 3 then 0 else evidence_key end,
        -- as beside the parser, once in each chunk
        case when i % 4 <> 3 and i % 2048 < 700 then evidence end,
        'customer-' || (i // 12 * 7919 % 3000) || '.example', null, null, [], [], []
    from (
        select i, k, 167_772_160 + (k * 7 + hash(i) % 50) % 400_000 as a, '10.' || (a // 65536 % 256) || '.' || (a // 256 % 256)
            || '.' || (a % 256) as ip
        from (select i, i // 12 * 7919 % 3000 + 3000 * (hash(i) % 20)::bigint as k from range(RECORDS) t(i))
    )
    join kinds using (k)";

fn main() -> anyhow::Result<()> {
    let config = config()?;
    let database =
        empty_database(&Catalogue::load(None).map_err(|found| anyhow::anyhow!("{found:?}"))?)?;
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
    let mut best = f64::MAX;
    for _ in 0..ROUNDS {
        let mut total = 0.0;
        for (name, statement) in CLASSIFICATION {
            let began = Instant::now();
            database.execute_batch(statement)?;
            let took = began.elapsed().as_secs_f64();
            println!("  {name:<20} {took:>6.2} s");
            total += took;
        }
        println!("  {:<20} {total:>6.2} s  (aim {AIM_SECS})", "together");
        best = best.min(total);
        for table in ["addresses", "matches", "scopes", "senders", "classified"] {
            let count: i64 =
                database.query_row(&format!("select count(*) from stage_{table}"), [], |row| {
                    row.get(0)
                })?;
            println!("  rows of stage_{table:<12} {count}");
            database.execute_batch(&format!("truncate stage_{table}"))?;
        }
    }
    println!(
        "best {best:.2} s, {:.0} records a second",
        RECORDS as f64 / best
    );
    Ok(())
}

/// Twenty networks, senders and approvals of many domains beside the services.
fn config() -> anyhow::Result<StoreConfig> {
    let mut known = Vec::new();
    for number in 0..500 {
        known.push(KnownSender {
            domain: format!("customer-{number}.example"),
            name: format!("relay-{}", number % 20),
            cidrs: vec![format!("10.{}.{}.0/24", number % 7, number % 20).parse()?],
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
