//! What the archive promises, on real folders.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;
use sha2::{Digest, Sha256};
use tempfile::TempDir;

use super::*;

mod compact;
mod earlier;
mod prune;

fn mail(text: &str) -> Item {
    file_of(text.as_bytes().to_vec(), ItemKind::Mail)
}

fn file_of(bytes: Vec<u8>, kind: ItemKind) -> Item {
    Item {
        sha256: Sha256::digest(&bytes).into(),
        kind,
        content: Content::kept(bytes),
        provenance: Provenance {
            source: "file".into(),
            path: Some("a.eml".into()),
            ..Provenance::default()
        },
        header: MailHeader::default(),
        received_utc_secs: 1_700_000_000,
    }
}

fn mails(count: usize) -> Vec<Item> {
    (1..=count)
        .map(|number| mail(&format!("mail {number}")))
        .collect()
}

fn all(archive: &Archive) -> Vec<(ItemNo, Item)> {
    archive
        .read(0, 1 << 20)
        .unwrap()
        .flat_map(Result::unwrap)
        .collect()
}

fn numbered(items: &[Item]) -> Vec<(ItemNo, Item)> {
    (1..).zip(items.iter().cloned()).collect()
}

fn names(folder: &TempDir) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// An archive of the given segment sizes.
fn filled(sizes: &[usize]) -> (TempDir, Vec<Item>) {
    let folder = TempDir::new().unwrap();
    let items = mails(sizes.iter().sum());
    let mut archive = Archive::open(folder.path()).unwrap();
    let mut rest = items.as_slice();
    for size in sizes {
        let (segment, after) = rest.split_at(*size);
        archive.append(segment).unwrap();
        rest = after;
    }
    (folder, items)
}

fn segment(folder: &TempDir, first: ItemNo, last: ItemNo) -> PathBuf {
    folder.path().join(segments::file_name(first, last))
}

#[test]
fn what_was_appended_is_there_after_opening_again() {
    let (folder, items) = filled(&[3, 1, 2]);
    let archive = Archive::open(folder.path()).unwrap();
    assert_eq!(archive.position(), 6);
    assert_eq!(all(&archive), numbered(&items));
    assert_eq!(
        names(&folder),
        [
            "items-000000000001-000000000003.parquet",
            "items-000000000004-000000000004.parquet",
            "items-000000000005-000000000006.parquet"
        ]
    );
}

#[test]
fn nothing_appended_is_no_segment() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(&folder.path().join("new/archive")).unwrap();
    assert_eq!((archive.position(), archive.append(&[]).unwrap()), (0, 1));
    assert_eq!(all(&archive), []);
}

#[test]
fn reading_begins_behind_the_position_and_keeps_to_the_batch_size() {
    let (folder, items) = filled(&[3, 4]);
    let archive = Archive::open(folder.path()).unwrap();
    let weight_bytes = columns::weight_bytes(&items[0]);
    for (after, batch_bytes, expect) in [
        (0, 0, vec![1, 1, 1, 1, 1, 1, 1]),
        (0, weight_bytes * 2, vec![2, 2, 2, 1]),
        (2, weight_bytes * 4, vec![4, 1]),
        (3, usize::MAX, vec![4]),
        (7, usize::MAX, vec![]),
        (ItemNo::MAX, usize::MAX, vec![]),
    ] {
        let batches: Vec<_> = archive
            .read(after, batch_bytes)
            .unwrap()
            .map(Result::unwrap)
            .collect();
        assert_eq!(
            batches.iter().map(Vec::len).collect::<Vec<_>>(),
            expect,
            "{after} {batch_bytes}"
        );
        let numbers: Vec<ItemNo> = batches
            .iter()
            .flatten()
            .map(|(number, _)| *number)
            .collect();
        assert_eq!(numbers, (after.saturating_add(1)..=7).collect::<Vec<_>>());
    }
}

#[test]
fn content_is_found_in_any_order_and_absent_where_it_was_not_kept() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    let known = Item {
        content: Content::Known,
        ..mail("mail 1")
    };
    let dropped = Item {
        content: Content::Dropped {
            code: "not-a-report".into(),
            bytes: 7,
        },
        ..mail("plain")
    };
    archive.append(&[mail("mail 1"), known, dropped]).unwrap();
    archive.append(&[mail("mail 4"), mail("")]).unwrap();
    for (item_no, expect) in [
        (5, Some("")),
        (1, Some("mail 1")),
        (2, None),
        (4, Some("mail 4")),
        (3, None),
        (1, Some("mail 1")),
    ] {
        assert_eq!(
            archive.content(item_no).unwrap(),
            expect.map(|text| text.as_bytes().to_vec()),
            "{item_no}"
        );
    }
    for absent in [0, 6, ItemNo::MAX] {
        assert_eq!(
            archive.content(absent).unwrap_err().kind(),
            io::ErrorKind::NotFound
        );
    }
}

#[test]
fn large_items_are_spread_over_row_groups() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    let items: Vec<Item> = (0..7_u8)
        .map(|seed| file_of(vec![seed; 3 << 20], ItemKind::File))
        .collect();
    archive.append(&items).unwrap();
    let listing = segments::list(folder.path()).unwrap();
    let file = File::open(&listing.segments[0].path).unwrap();
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
    let groups: Vec<i64> = reader
        .metadata()
        .row_groups()
        .iter()
        .map(|group| group.num_rows())
        .collect();
    assert_eq!(groups, [2, 2, 2, 1]);
    assert_eq!(all(&archive), numbered(&items));
    for (item_no, item) in numbered(&items) {
        assert_eq!(
            Content::kept(archive.content(item_no).unwrap().unwrap()),
            item.content
        );
    }
}

#[test]
fn two_handles_number_on_from_each_other() {
    let folder = TempDir::new().unwrap();
    let appended: Vec<ItemNo> = std::thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|_| {
                let mut archive = Archive::open(folder.path()).unwrap();
                scope.spawn(move || {
                    (0..5)
                        .map(|_| archive.append(&mails(2)).unwrap())
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        writers
            .into_iter()
            .flat_map(|writer| writer.join().unwrap())
            .collect()
    });
    let mut firsts = appended;
    firsts.sort_unstable();
    assert_eq!(
        firsts,
        (0..20).map(|number| number * 2 + 1).collect::<Vec<_>>()
    );
    assert_eq!(Archive::open(folder.path()).unwrap().position(), 40);
}

#[test]
fn killed_append_leaves_nothing_behind_the_next_one() {
    let (folder, items) = filled(&[2]);
    let leftover = folder.path().join(format!(
        "{}{}",
        segments::file_name(3, 9),
        segments::TEMP_SUFFIX
    ));
    fs::write(&leftover, b"PAR1 half of a segment").unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    assert_eq!(all(&archive), numbered(&items));
    assert_eq!(archive.append(&mails(1)).unwrap(), 3);
    assert!(!leftover.exists());
}

#[test]
fn segment_that_was_renamed_before_the_crash_counts() {
    let (folder, _) = filled(&[2, 1]);
    let mut archive = Archive::open(folder.path()).unwrap();
    assert_eq!(archive.append(&mails(1)).unwrap(), 4);
}

#[test]
fn segment_that_could_not_be_written_leaves_the_archive_as_it_was() {
    let (folder, items) = filled(&[2]);
    fs::create_dir(segment(&folder, 3, 3).with_extension("parquet.tmp")).unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    archive.append(&mails(1)).unwrap_err();
    assert_eq!(all(&archive), numbered(&items));
}

#[test]
fn leftovers_of_a_compaction_are_ignored() {
    let (folder, items) = filled(&[2, 1, 3]);
    let (whole, _) = filled(&[6]);
    fs::copy(segment(&whole, 1, 6), segment(&folder, 1, 6)).unwrap();
    fs::remove_file(segment(&folder, 3, 3)).unwrap();
    let archive = Archive::open(folder.path()).unwrap();
    assert_eq!(all(&archive), numbered(&items));
}

#[test]
fn lost_or_stray_segments_are_named_with_the_way_out() {
    for (present, expect) in [
        (vec![(1, 2), (4, 5)], "items 3 to 3, which come before"),
        (vec![(2, 2)], "items 1 to 1, which come before"),
        (
            vec![(1, 3), (3, 4)],
            "items-000000000003-000000000004.parquet begins inside",
        ),
    ] {
        let folder = TempDir::new().unwrap();
        for (first, last) in present {
            fs::write(segment(&folder, first, last), b"").unwrap();
        }
        let message = Archive::open(folder.path()).err().unwrap().to_string();
        assert!(
            message.contains(expect) && message.contains("restore it from a backup"),
            "{message}"
        );
    }
    for stray in [
        "items-1-2.parquet",
        "other.parquet",
        "items-000000000002-000000000001.parquet",
    ] {
        let folder = TempDir::new().unwrap();
        fs::write(folder.path().join(stray), b"").unwrap();
        let message = Archive::open(folder.path()).err().unwrap().to_string();
        assert!(
            message.contains(stray) && message.contains("move it out"),
            "{message}"
        );
    }
}

#[test]
fn segment_that_does_not_hold_what_its_name_says_is_an_error() {
    let (other, _) = filled(&[3]);
    let damages: [&dyn Fn(&TempDir); 4] = [
        &|folder| fs::write(segment(folder, 3, 4), b"").unwrap(),
        &|folder| fs::write(segment(folder, 3, 4), vec![b'x'; 4000]).unwrap(),
        &|folder| {
            fs::copy(segment(&other, 1, 3), segment(folder, 3, 4)).unwrap();
        },
        &|folder| {
            fs::copy(segment(folder, 1, 2), segment(folder, 3, 4)).unwrap();
        },
    ];
    for (number, damage) in damages.iter().enumerate() {
        let (folder, items) = filled(&[2, 2, 1]);
        damage(&folder);
        let archive = Archive::open(folder.path()).unwrap();
        let mut batches = archive.read(0, 1).unwrap();
        for expect in &numbered(&items)[..2] {
            assert_eq!(
                &batches.next().unwrap().unwrap(),
                std::slice::from_ref(expect)
            );
        }
        let message = batches.next().unwrap().unwrap_err().to_string();
        assert!(
            message.contains("items-000000000003-000000000004.parquet cannot be read"),
            "{number}: {message}"
        );
        assert!(batches.next().is_none());
    }
}

#[test]
fn changed_bytes_of_an_item_are_an_error_not_another_report() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    archive
        .append(&[Item {
            sha256: [7; 32],
            ..mail("changed")
        }])
        .unwrap();
    let errors = [
        archive.content(1).unwrap_err(),
        archive.read(0, 1).unwrap().next().unwrap().unwrap_err(),
    ];
    for message in errors.map(|error| error.to_string()) {
        assert!(
            message.contains("do not have its hash") && message.contains("items-"),
            "{message}"
        );
    }
}

#[test]
fn columns_are_those_of_the_contract() {
    let named: Vec<String> = columns::schema()
        .fields()
        .iter()
        .map(|field| field.name().clone())
        .collect();
    for name in [
        "item_no",
        "sha256",
        "kind",
        "content",
        "bytes",
        "source",
        "inbox",
        "folder",
        "uidvalidity",
        "uid",
        "message_id",
        "mail_from",
        "subject",
        "mail_date_utc",
        "headers",
        "file_name",
        "received_utc",
    ] {
        assert!(named.iter().any(|column| column == name), "{name}");
    }
}

fn content() -> impl Strategy<Value = Content> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..300).prop_map(Content::kept),
        Just(Content::Known),
        (".{0,20}", 0..=i64::MAX as u64).prop_map(|(code, bytes)| Content::Dropped { code, bytes }),
    ]
}

fn text() -> impl Strategy<Value = Option<String>> {
    prop::option::of("\\PC{0,12}|[\\x00-\\x7f]{0,12}")
}

prop_compose! {
    fn provenance()(
        source in "[a-z]{0,5}", inbox in text(), folder in text(), uidvalidity in any::<Option<u32>>(),
        uid in any::<Option<u32>>(), account in text(), is_chosen in any::<bool>(), path in text(), member in text(),
    ) -> Provenance {
        Provenance { source, inbox, folder, uidvalidity, uid, account, is_chosen, path, member }
    }
}

prop_compose! {
    fn header()(
        message_id in text(), mail_from in text(), subject in text(), headers in text(),
        date_utc_secs in prop::option::of(-9_000_000_000_000..9_000_000_000_000_i64),
    ) -> MailHeader {
        MailHeader { message_id, mail_from, subject, date_utc_secs, headers }
    }
}

prop_compose! {
    fn item()(
        sha256 in any::<[u8; 32]>(), is_mail in any::<bool>(), content in content(), provenance in provenance(),
        header in header(), received_utc_secs in -9_000_000_000_000..9_000_000_000_000_i64,
    ) -> Item {
        let sha256 = if let Content::Kept(bytes) = &content { Sha256::digest(bytes.as_slice()).into() } else { sha256 };
        let kind = if is_mail { ItemKind::Mail } else { ItemKind::File };
        Item { sha256, kind, content, provenance, header, received_utc_secs }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_item_comes_back_as_it_was(items in prop::collection::vec(item(), 1..20), cut in 0..20_usize) {
        let folder = TempDir::new().unwrap();
        let mut archive = Archive::open(folder.path()).unwrap();
        let (before, after) = items.split_at(cut.min(items.len()));
        archive.append(before).unwrap();
        archive.append(after).unwrap();
        prop_assert_eq!(all(&Archive::open(folder.path()).unwrap()), numbered(&items));
    }

    #[test]
    fn rotten_segment_never_panics(at in 0.0..1.0_f64, xor in 1..=255_u8) {
        let (folder, _) = filled(&[5]);
        let path = segment(&folder, 1, 5);
        let mut bytes = fs::read(&path).unwrap();
        let at = (at * bytes.len() as f64) as usize;
        bytes[at] ^= xor;
        fs::write(&path, bytes).unwrap();
        let archive = Archive::open(folder.path()).unwrap();
        let read: io::Result<Vec<_>> = archive.read(0, 1 << 20).unwrap().collect();
        prop_assert!(read.map_or(true, |batches| batches.iter().map(Vec::len).sum::<usize>() == 5));
    }
}
