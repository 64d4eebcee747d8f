//! Days as Parquet files.

use super::*;

/// Reports of one day, of two domains in turn, with no record, one, some and many, some of them wide.
fn fill(store: &mut Store) {
    let mut documents = Vec::new();
    for number in 0..40_u8 {
        let counts = [0, 1, 7, 60];
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
            record_text_bytes: records.iter().map(|r| r.text_bytes() as u64).sum(),
            ..head(&format!("r{number}"), &records)
        };
        documents.push(aggregate(number.wrapping_mul(101), head, records));
    }
    commit(store, documents);
}

/// The files of the only day, or why they cannot be written.
fn write(store: &Store, folder: &Path, memory_limit_bytes: u64) -> anyhow::Result<[Vec<u8>; 2]> {
    let day = store.lake_days().unwrap().remove(0);
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
    let [day] = &store.lake_days().unwrap()[..] else {
        panic!("one day");
    };
    assert_eq!((day.reports.rows, day.records.rows), (40, 680));
    let at_once = write(&store, folder.path(), 1 << 30).unwrap();
    for memory_limit_bytes in [100_000, 1_000_000] {
        assert!(day.is_large(memory_limit_bytes));
        let in_parts = write(&store, folder.path(), memory_limit_bytes).unwrap();
        assert!(at_once == in_parts, "{memory_limit_bytes}");
    }
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
