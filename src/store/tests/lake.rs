//! Days as Parquet files.

use super::super::lake::LakeDay;
use super::*;

/// Reports of one day, of two domains in turn, with no record, one, some and many, some of them wide.
fn fill(store: &mut Store) {
    let mut documents = Vec::new();
    for number in 0..40_u8 {
        let counts = if number == 3 {
            [5_000; 4]
        } else {
            [0, 1, 7, 60]
        };
        let comment = "x".repeat(usize::from(number % 5) * 400);
        let records: Vec<Record> = (1..=counts[usize::from(number) % 4])
            .map(|messages| Record {
                reasons: vec![reason("other", &comment)],
                ..record("192.0.2.1", messages, true, false)
            })
            .collect();
        let domains = ["example.com", "example.org"];
        let head = AggregateHead {
            domain: domains[usize::from(number) % 2].into(),
            report_id: format!("r{number}"),
            ..wide_head(&records)
        };
        documents.push(aggregate(number.wrapping_mul(101), head, records));
    }
    commit(store, documents);
}

/// A head that says how wide its records are.
fn wide_head(records: &[Record]) -> AggregateHead {
    let mut head = head("r", records);
    for (record_no, record) in (1..).zip(records) {
        head.note_record(record_no, record.text_bytes());
    }
    head
}

fn only_day(store: &Store) -> LakeDay {
    let days = store.lake_days().unwrap();
    assert_eq!(days.len(), 1);
    store.lake_extents(&[days[0].0]).unwrap().remove(0)
}

/// The files of the only day, or why they cannot be written.
fn write(store: &Store, folder: &Path, memory_limit_bytes: u64) -> anyhow::Result<[Vec<u8>; 2]> {
    let day = only_day(store);
    let files = day.paths().map(|path| folder.join(path));
    for file in &files {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    }
    day.write(store.connection(), folder, memory_limit_bytes)?;
    Ok(files.map(|file| std::fs::read(file).unwrap()))
}

#[test]
fn a_day_that_is_sorted_in_parts_has_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    fill(&mut store);
    let day = only_day(&store);
    assert_eq!((day.reports.rows, day.records.rows), (40, 5_620));
    let at_once = write(&store, folder.path(), 1 << 30).unwrap();
    for memory_limit_bytes in [100_000, 1_000_000, 10_000_000] {
        assert!(day.is_large(memory_limit_bytes));
        let in_parts = write(&store, folder.path(), memory_limit_bytes).unwrap();
        assert!(at_once == in_parts, "{memory_limit_bytes}");
    }
}

#[test]
fn a_few_wide_records_among_many_are_as_wide_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    let comment = "x".repeat(4_000);
    let records: Vec<Record> = (0..50_000)
        .map(|number| Record {
            reasons: (0..if number < 2_000 { 4 } else { 0 })
                .map(|_| reason("other", &comment))
                .collect(),
            ..record("192.0.2.1", 1, true, false)
        })
        .collect();
    commit(&mut store, vec![aggregate(1, wide_head(&records), records)]);
    let extent = only_day(&store).records;
    assert!(extent.row_text_bytes > 15_000, "{extent:?}");
    assert!(extent.text_bytes > 32_000_000, "{extent:?}");
}

#[test]
fn rows_that_are_not_what_their_reports_say_are_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(config(folder.path())).unwrap();
    fill(&mut store);
    store
        .connection()
        .execute_batch("delete from records where record_no = 7")
        .unwrap();
    let error = write(&store, folder.path(), 100_000).unwrap_err();
    assert!(format!("{error:#}").contains("were sorted"), "{error:#}");
}
