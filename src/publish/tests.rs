//! What publishing promises, on real folders.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use tempfile::TempDir;

use super::*;

const NOON: i64 = 1_700_000_000;

fn values(archive_position: u64) -> Values {
    Values {
        expired_before: None,
        archive_position,
        alert_seq: 0,
        hosts_hash: String::new(),
        ledger_offset: 10 * archive_position,
        as_of: "2024-05-01".parse().unwrap(),
        config_hash: "c".into(),
        code_hash: "d".into(),
    }
}

/// Publishes `files` on top of what is published.
fn publish(
    publisher: &Publisher,
    files: &[(&str, &str)],
    number: u64,
    now_utc_secs: i64,
) -> Generation {
    let mut staging = publisher
        .stage(publisher.current().unwrap().as_ref())
        .unwrap();
    files
        .iter()
        .for_each(|(path, text)| staging.write(path, text.as_bytes()).unwrap());
    staging.publish(values(number), now_utc_secs).unwrap()
}

fn releases(publisher: &Publisher) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(publisher.releases())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn inode(generation: &Generation, path: &str) -> u64 {
    fs::metadata(generation.file(path).unwrap().path)
        .unwrap()
        .ino()
}

fn new() -> (TempDir, Publisher) {
    let folder = TempDir::new().unwrap();
    let publisher = Publisher::open(&folder.path().join("public"));
    (folder, publisher)
}

#[test]
fn nothing_is_published_at_first() {
    let (_folder, publisher) = new();
    assert_eq!(publisher.current_target().unwrap(), None);
    assert_eq!(publisher.current().unwrap(), None);
}

#[test]
fn published_generation_is_what_was_staged() {
    let (_folder, publisher) = new();
    let mut staging = publisher.stage(None).unwrap();
    staging.write("site/b/index.html", b"b").unwrap();
    staging.write("site/a.html", b"a").unwrap();
    fs::create_dir_all(staging.folder().join("lake/day=2024-05-01")).unwrap();
    fs::write(
        staging.folder().join("lake/day=2024-05-01/data.parquet"),
        b"rows",
    )
    .unwrap();
    staging.adopt("lake/day=2024-05-01/data.parquet").unwrap();
    fs::write(staging.folder().join("sentinel.duckdb"), b"database").unwrap();
    assert_eq!(staging.adopt_database().unwrap(), 8);
    let published = staging.publish(values(7), NOON).unwrap();

    let current = publisher.current().unwrap().unwrap();
    assert_eq!(current, published);
    assert_eq!(
        (
            current.number,
            &current.manifest.values,
            current.manifest.database_bytes
        ),
        (1, &values(7), Some(8))
    );
    let paths: Vec<&str> = current.manifest.files.keys().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "lake/day=2024-05-01/data.parquet",
            "site/a.html",
            "site/b/index.html"
        ]
    );
    let file = current.file("site/a.html").unwrap();
    assert_eq!(fs::read(&file.path).unwrap(), b"a");
    assert_eq!(
        (file.sha256, file.bytes),
        (
            "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb",
            1
        )
    );
    assert_eq!(fs::read(current.database().unwrap()).unwrap(), b"database");
    for absent in [
        "manifest.json",
        "sentinel.duckdb",
        "site/c.html",
        "",
        "site",
        "../1/site/a.html",
    ] {
        assert_eq!(current.file(absent), None, "{absent}");
    }
}

#[test]
fn everything_published_is_read_only() {
    let (_folder, publisher) = new();
    let mut staging = publisher.stage(None).unwrap();
    staging.write("a", b"a").unwrap();
    fs::write(staging.folder().join("b"), b"b").unwrap();
    staging.adopt("b").unwrap();
    fs::write(staging.folder().join("sentinel.duckdb"), b"database").unwrap();
    staging.adopt_database().unwrap();
    let generation = staging.publish(values(1), NOON).unwrap();
    for name in ["a", "b", "sentinel.duckdb", "manifest.json"] {
        let mode = fs::metadata(generation.folder.join(name))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o444, "{name}");
    }
}

#[test]
fn manifest_is_the_same_for_the_same_generation() {
    let texts = [NOON, NOON + 99].map(|now_utc_secs| {
        let (_folder, publisher) = new();
        let generation = publish(&publisher, &[("b", "2"), ("a", "1")], 1, now_utc_secs);
        fs::read_to_string(generation.folder.join("manifest.json")).unwrap()
    });
    assert_eq!(texts[0], texts[1]);
}

#[test]
fn unchanged_files_are_linked_however_they_come() {
    let (_folder, publisher) = new();
    let files = [
        ("written", "w"),
        ("changed", "old"),
        ("kept", "k"),
        ("below/x", "x"),
        ("below/y/z", "z"),
        ("belowish", "b"),
    ];
    let first = publish(&publisher, &files, 1, NOON);
    let mut staging = publisher.stage(Some(&first)).unwrap();
    staging.write("written", b"w").unwrap();
    staging.write("changed", b"new").unwrap();
    assert!(staging.keep("kept").unwrap());
    assert!(!staging.keep("unknown").unwrap());
    fs::create_dir_all(staging.folder().join("below/y")).unwrap();
    fs::write(staging.folder().join("below/y/z"), b"z").unwrap();
    staging.adopt("below/y/z").unwrap();
    assert_eq!(staging.keep_below("below").unwrap(), 1);
    let second = staging.publish(values(2), NOON).unwrap();
    for linked in ["written", "kept", "below/x", "below/y/z"] {
        assert_eq!(inode(&first, linked), inode(&second, linked), "{linked}");
        assert_eq!(
            first.file(linked).unwrap().sha256,
            second.file(linked).unwrap().sha256
        );
    }
    assert_eq!(
        fs::read(first.file("changed").unwrap().path).unwrap(),
        b"old"
    );
    assert_eq!(
        fs::read(second.file("changed").unwrap().path).unwrap(),
        b"new"
    );
    assert_eq!(second.file("belowish"), None);
}

#[test]
fn lost_file_of_the_base_is_written_anew_and_never_kept_in_silence() {
    let (_folder, publisher) = new();
    let first = publish(&publisher, &[("a", "1"), ("b", "2")], 1, NOON);
    fs::remove_file(first.folder.join("a")).unwrap();
    fs::remove_file(first.folder.join("b")).unwrap();
    let mut staging = publisher.stage(Some(&first)).unwrap();
    staging.write("a", b"1").unwrap();
    assert_eq!(fs::read(staging.folder().join("a")).unwrap(), b"1");
    assert!(
        staging
            .keep("b")
            .unwrap_err()
            .to_string()
            .contains("copying")
    );
}

#[test]
fn paths_that_leave_the_folder_or_repeat_are_refused() {
    let (_folder, publisher) = new();
    let mut staging = publisher.stage(None).unwrap();
    staging.write("a/b", b"").unwrap();
    let long = "x".repeat(300);
    for path in [
        "",
        "/a",
        "a//b",
        "../a",
        "a/..",
        "./a",
        "a/./b",
        "a\\b",
        "a\0",
        "a\n",
        "a/b",
        "manifest.json",
        "sentinel.duckdb",
        &long,
    ] {
        assert_eq!(
            staging.write(path, b"").unwrap_err().kind(),
            io::ErrorKind::InvalidInput,
            "{path:?}"
        );
    }
}

#[test]
fn database_that_was_not_closed_is_refused() {
    let (_folder, publisher) = new();
    let mut staging = publisher.stage(None).unwrap();
    fs::write(staging.folder().join("sentinel.duckdb"), b"database").unwrap();
    fs::write(staging.folder().join("sentinel.duckdb.wal"), b"").unwrap();
    assert!(
        staging
            .adopt_database()
            .unwrap_err()
            .to_string()
            .contains("not closed")
    );
}

#[test]
fn same_files_from_the_same_values_are_nothing_new() {
    let (_folder, publisher) = new();
    let base = publish(&publisher, &[("a", "1")], 1, NOON);
    let other_day = Values {
        as_of: "2024-05-02".parse().unwrap(),
        ..values(1)
    };
    let grown = Values {
        ledger_offset: 999,
        ..values(1)
    };
    let other_code = Values {
        code_hash: "e".into(),
        ..values(1)
    };
    for (text, values, expect) in [
        ("1", values(1), true),
        ("1", grown, true),
        ("2", values(1), false),
        ("1", values(2), false),
        ("1", other_day, false),
        ("1", other_code, false),
    ] {
        let mut staging = publisher.stage(Some(&base)).unwrap();
        staging.write("a", text.as_bytes()).unwrap();
        assert_eq!(
            staging.is_same_as_base(&values),
            expect,
            "{text} {values:?}"
        );
    }
    assert!(!publisher.stage(None).unwrap().is_same_as_base(&values(1)));
}

#[test]
fn leftovers_of_a_crash_are_removed_and_harm_nobody() {
    let (_folder, publisher) = new();
    let first = publish(&publisher, &[("a", "1")], 1, NOON);
    publisher.stage(None).unwrap().write("half", b"").unwrap();
    fs::create_dir_all(publisher.releases().join(".removed-9/site")).unwrap();
    symlink("releases/99", publisher.folder.join(TEMP_LINK)).unwrap();
    assert_eq!(publisher.current().unwrap().unwrap(), first);
    let second = publish(&publisher, &[("a", "2")], 2, NOON);
    assert_eq!(
        (second.number, releases(&publisher)),
        (2, vec!["1".to_owned(), "2".to_owned()])
    );
    assert!(fs::symlink_metadata(publisher.folder.join(TEMP_LINK)).is_err());
}

#[test]
fn generation_named_but_not_flipped_before_the_crash_is_passed_over() {
    let (_folder, publisher) = new();
    let first = publish(&publisher, &[("a", "1")], 1, NOON);
    publish(&publisher, &[("a", "2")], 2, NOON);
    fs::remove_file(publisher.folder.join(LINK)).unwrap();
    symlink("releases/1", publisher.folder.join(LINK)).unwrap();
    assert_eq!(publisher.current().unwrap().unwrap(), first);
    assert_eq!(publish(&publisher, &[("a", "3")], 3, NOON).number, 3);
}

#[test]
fn damaged_generation_is_an_error_that_names_it() {
    let (_folder, publisher) = new();
    let generation = publish(&publisher, &[("a", "1")], 1, NOON);
    let path = generation.folder.join("manifest.json");
    let good = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(
        publisher
            .current()
            .unwrap_err()
            .to_string()
            .contains("manifest.json")
    );
    for (from, to, expect) in [
        ("\"format\": 1", "\"format\": 2", "format 2"),
        ("\"generation\": 1", "\"generation\": 4", "generation 4"),
        ("\"a\":", "\"../a\":", "bad entry \"../a\""),
        ("6b86b273", "6B86B273", "bad entry \"a\""),
        ("{", "", "damaged"),
    ] {
        fs::write(&path, good.replacen(from, to, 1)).unwrap();
        let message = publisher.current().unwrap_err().to_string();
        assert!(
            message.contains(expect) && message.contains("manifest.json"),
            "{message}"
        );
    }
    fs::remove_file(publisher.folder.join(LINK)).unwrap();
    symlink("../elsewhere", publisher.folder.join(LINK)).unwrap();
    assert!(
        publisher
            .current_target()
            .unwrap_err()
            .to_string()
            .contains("no generation")
    );
}

#[test]
fn three_generations_stay_and_each_an_hour_after_it_was_replaced() {
    let hour = 3600;
    for (times, expect) in [
        (vec![0, 1, 2, 3, 4], "1 2 3 4 5"),
        (vec![0, hour, 2 * hour], "1 2 3"),
        (vec![0, hour, 2 * hour, 3 * hour], "2 3 4"),
        (vec![0, 1, 2, hour], "1 2 3 4"),
        (vec![0, 1, 2, hour + 1], "2 3 4"),
        (vec![0, 10 * hour, 10 * hour + 1, 10 * hour + 2], "1 2 3 4"),
        (vec![0, 1, 2, 3, 4, 5, 9 * hour], "5 6 7"),
        (vec![9 * hour, 1, 2, 3], "1 2 3 4"),
    ] {
        let (_folder, publisher) = new();
        for (number, secs) in (1..).zip(&times) {
            publish(&publisher, &[("a", "1")], number, NOON + secs);
        }
        assert_eq!(releases(&publisher).join(" "), expect, "{times:?}");
    }
}

#[test]
fn old_generation_without_a_manifest_does_not_stop_a_publication() {
    let (_folder, publisher) = new();
    for number in 1..=4 {
        publish(&publisher, &[("a", "1")], number, NOON);
    }
    fs::remove_file(publisher.release(2).join("manifest.json")).unwrap();
    publish(&publisher, &[("a", "1")], 5, NOON + 36_000);
    assert_eq!(releases(&publisher).join(" "), "1 3 4 5");
}

#[test]
fn reader_of_an_old_generation_is_not_disturbed() {
    let (_folder, publisher) = new();
    let old = publish(&publisher, &[("a", "old")], 1, NOON);
    for number in 2..=6 {
        publish(&publisher, &[("a", &number.to_string())], number, NOON + 60);
    }
    assert_eq!(fs::read(old.file("a").unwrap().path).unwrap(), b"old");
    assert_eq!(publisher.current_target().unwrap(), Some(6));
}

#[test]
fn reader_sees_whole_generations_while_fifty_are_published() {
    let (_folder, publisher) = new();
    publish(&publisher, &[("a", "1"), ("b", "1")], 1, NOON);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 2..=51 {
                let text = number.to_string();
                publish(&publisher, &[("a", &text), ("b", &text)], number, NOON);
            }
        });
        let mut last = 0;
        while last < 51 {
            let is_over = writer.is_finished();
            let current = publisher.current().unwrap().unwrap();
            let [a, b] = ["a", "b"]
                .map(|path| fs::read_to_string(current.file(path).unwrap().path).unwrap());
            assert!(
                current.number >= last && a == b && a == current.number.to_string(),
                "{last} {a} {b}"
            );
            last = current.number;
            assert!(last == 51 || !is_over, "the writer ended at {last}");
        }
    });
}
