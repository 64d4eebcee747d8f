//! What the store knows of reports that are gone.

use std::sync::Arc;

use super::*;
use crate::model::day::Day;
use crate::model::retention::{FirstSight, Loud, Retention, SightKind};
use crate::store::decide::day_of_report;

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

#[test]
fn a_failure_report_has_the_day_of_its_mail_where_it_says_none_and_else_none_at_all() {
    let failure = |arrival_utc_secs| {
        let failure = FailureReport {
            arrival_utc_secs,
            ..FailureReport::default()
        };
        Report::Failure(failure.into())
    };
    for (arrival, mail_date, expect) in [
        (Some(MIDNIGHT), Some(0), Some("2023-11-14")),
        (None, Some(MIDNIGHT + DAY_SECS), Some("2023-11-15")),
        (None, None, None),
    ] {
        let found = day_of_report(&failure(arrival), mail_date);
        assert_eq!(found, expect.map(day));
        assert_eq!(
            Retention::expires(day("2023-11-15"), found),
            expect == Some("2023-11-14")
        );
    }
}

#[test]
fn a_database_of_another_cut_off_is_made_anew_and_knows_what_was_seen_first() {
    let folder = tempfile::tempdir().unwrap();
    let sights = |text: &str| {
        let sight = |kind: SightKind| FirstSight {
            kind,
            domain: "example.com".into(),
            subject: "192.0.2.1".into(),
            day: day(text),
        };
        SightKind::ALL.map(sight).to_vec()
    };
    let with = |text: &str| StoreConfig {
        retention: Some(Arc::new(Retention {
            expired_before: day(text),
            first_seen: sights(text),
        })),
        ..config(folder.path())
    };
    let rows = |store: &Store| -> i64 {
        let sql = "select count(*) from sources";
        store
            .connection()
            .query_row(sql, [], |row| row.get(0))
            .unwrap()
    };
    let add = "insert into sources select s, 'example.com', date '2023-01-01' + 31 * i, date '2024-01-01', i,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0 from (values ('192.0.2.1', 0), ('192.0.2.2', 1), ('192.0.2.3', 11)) t (s, i)";
    let loud = Loud {
        days: 7,
        messages: 10,
    };
    let store = Store::open(with("2023-10-01")).unwrap();
    store.connection().execute_batch(add).unwrap();
    let (found, is_cut) = store.first_sights(day("2023-11-01"), loud).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|sight| (sight.subject.as_str(), sight.day))
        .collect();
    assert_eq!(
        (found, is_cut),
        (vec![("192.0.2.2", day("2023-02-01"))], false)
    );
    store.close().unwrap();
    let store = Store::open(with("2023-10-01")).unwrap();
    assert_eq!(rows(&store), 3);
    store.close().unwrap();
    for other in [with("2023-11-01"), config(folder.path())] {
        let store = Store::open(other).unwrap();
        assert_eq!(rows(&store), 0);
        store.connection().execute_batch(add).unwrap();
        store.close().unwrap();
    }
}
