//! Segments of closed months are joined: the same items, whatever the moment of a crash, and little work.

use super::*;

/// 2023-11-14T22:13:20Z, when [`mail`]s are read.
const READ_UTC_SECS: i64 = 1_700_000_000;
/// 2023-12-01T00:00:00Z
const NEXT_MONTH_UTC_SECS: i64 = 1_701_388_800;

fn read_at(item: Item, received_utc_secs: i64) -> Item {
    Item {
        received_utc_secs,
        ..item
    }
}

fn copied(from: &TempDir, names: &[String]) -> TempDir {
    let to = TempDir::new().unwrap();
    for name in names {
        fs::copy(from.path().join(name), to.path().join(name)).unwrap();
    }
    to
}

fn bytes_of(folder: &TempDir) -> Vec<(String, Vec<u8>)> {
    let read = |name: String| {
        let bytes = fs::read(folder.path().join(&name)).unwrap();
        (name, bytes)
    };
    names(folder).into_iter().map(read).collect()
}

#[test]
fn small_segments_of_closed_months_become_what_one_append_gives() {
    let (folder, items) = filled(&[1, 2, 1, 3]);
    let mut archive = Archive::open(folder.path()).unwrap();
    let before = archive.compact(NEXT_MONTH_UTC_SECS - 1).unwrap();
    assert_eq!((before, names(&folder).len()), (Rewritten::default(), 4));
    let done = archive.compact(NEXT_MONTH_UTC_SECS).unwrap();
    assert_eq!((done.segments_before, done.segments_after), (4, 1));
    assert!(done.bytes_after < done.bytes_before, "{done:?}");
    let (whole, _) = filled(&[7]);
    assert_eq!(bytes_of(&folder), bytes_of(&whole));
    for archive in [&archive, &Archive::open(folder.path()).unwrap()] {
        assert_eq!((archive.position(), all(archive)), (7, numbered(&items)));
    }
    assert_eq!(archive.append(&mails(1)).unwrap(), 8);
    let more = archive.compact(NEXT_MONTH_UTC_SECS).unwrap();
    assert_eq!((more.segments_before, more.segments_after), (2, 1));
    let again = archive.compact(NEXT_MONTH_UTC_SECS).unwrap();
    assert_eq!(again, Rewritten::default(), "one is left alone");
}

#[test]
fn a_segment_with_an_item_of_the_present_month_is_left_for_later() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    for (number, received_utc_secs) in [
        READ_UTC_SECS,
        READ_UTC_SECS - 90 * 86_400,
        READ_UTC_SECS,
        NEXT_MONTH_UTC_SECS,
        READ_UTC_SECS,
        READ_UTC_SECS,
    ]
    .into_iter()
    .enumerate()
    {
        let item = read_at(mail(&number.to_string()), received_utc_secs);
        archive.append(&[item]).unwrap();
    }
    archive.compact(NEXT_MONTH_UTC_SECS + 86_400).unwrap();
    let expect = [(1, 3), (4, 4), (5, 6)].map(|(first, last)| segments::file_name(first, last));
    assert_eq!(names(&folder), expect);
    archive.compact(NEXT_MONTH_UTC_SECS + 31 * 86_400).unwrap();
    assert_eq!(names(&folder), [segments::file_name(1, 6)]);
}

#[test]
fn a_compaction_that_died_at_any_moment_loses_nothing_and_is_finished_by_the_next() {
    let (old, items) = filled(&[2, 1, 1]);
    let (whole, _) = filled(&[4]);
    let joined = segments::file_name(1, 4);
    let unfinished = format!("{joined}{}", segments::TEMP_SUFFIX);
    for (moment, left, is_renamed) in [
        ("written", 0..3, false),
        ("renamed", 0..3, true),
        ("one deleted", 1..3, true),
        ("two deleted", 2..3, true),
        ("all deleted", 3..3, true),
    ] {
        let folder = copied(&old, &names(&old)[left]);
        let name = if is_renamed { &joined } else { &unfinished };
        fs::copy(whole.path().join(&joined), folder.path().join(name)).unwrap();
        let mut archive = Archive::open(folder.path()).unwrap();
        assert_eq!(all(&archive), numbered(&items), "{moment}");
        archive.compact(NEXT_MONTH_UTC_SECS).unwrap();
        assert_eq!(bytes_of(&folder), bytes_of(&whole), "{moment}");
        assert_eq!(archive.append(&mails(1)).unwrap(), 5, "{moment}");
    }
}

#[test]
fn segments_are_deleted_only_where_the_one_that_holds_them_can_be_read() {
    let (folder, items) = filled(&[2, 1, 1]);
    let had = names(&folder);
    fs::write(segment(&folder, 1, 4), b"PAR1 not a segment").unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    let error = archive.compact(NEXT_MONTH_UTC_SECS).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
    fs::remove_file(segment(&folder, 1, 4)).unwrap();
    assert_eq!(names(&folder), had);
    assert_eq!(
        all(&Archive::open(folder.path()).unwrap()),
        numbered(&items)
    );
}

#[test]
fn rotten_bytes_are_never_joined() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    let rotten = Item {
        sha256: [7; 32],
        ..mail("changed")
    };
    for item in [mail("a"), rotten, mail("b")] {
        archive.append(&[item]).unwrap();
    }
    let had = bytes_of(&folder);
    let error = archive.compact(NEXT_MONTH_UTC_SECS).unwrap_err();
    assert!(error.to_string().contains("its hash"), "{error}");
    assert_eq!(bytes_of(&folder), had);
}

#[test]
fn readers_that_listed_the_folder_before_find_every_item() {
    let (folder, items) = filled(&[2, 1, 3]);
    let before = Archive::open(folder.path()).unwrap();
    let mut reading = before.read(0, 1).unwrap();
    let first = reading.next().unwrap().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    archive.compact(NEXT_MONTH_UTC_SECS).unwrap();
    archive.append(&mails(2)).unwrap();
    archive.compact(NEXT_MONTH_UTC_SECS).unwrap();
    let rest = reading.flat_map(Result::unwrap);
    let read: Vec<_> = first.into_iter().chain(rest).collect();
    assert_eq!(read, numbered(&items), "those that were there");
    for (item_no, item) in numbered(&items) {
        assert_eq!(before.sha256(item_no).unwrap(), Some(item.sha256));
        let content = before.content(item_no).unwrap().unwrap();
        assert_eq!(Content::kept(content), item.content);
    }
    assert_eq!(before.read(4, 1 << 20).unwrap().count(), 1);
}

#[test]
fn readers_beside_a_compaction_miss_nothing() {
    let folder = TempDir::new().unwrap();
    let is_over = std::sync::atomic::AtomicBool::new(false);
    let order = std::sync::atomic::Ordering::SeqCst;
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut rounds = 0;
            while !is_over.load(order) || rounds == 0 {
                let archive = Archive::open(folder.path()).unwrap();
                let read = all(&archive);
                assert_eq!(read.len() as u64, archive.position());
                assert!(
                    (1..)
                        .zip(&read)
                        .all(|(expect, (item_no, _))| expect == *item_no)
                );
                rounds += 1;
            }
        });
        let mut archive = Archive::open(folder.path()).unwrap();
        for _ in 0..12 {
            for item in mails(12) {
                archive.append(&[item]).unwrap();
            }
            archive.compact(NEXT_MONTH_UTC_SECS).unwrap();
        }
        is_over.store(true, order);
        reader.join().unwrap();
    });
    assert_eq!(all(&Archive::open(folder.path()).unwrap()).len(), 144);
}

#[test]
fn months_of_polls_are_joined_once_and_then_left_alone() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    let mut items = Vec::new();
    let mut rewritten = 0;
    for month in 0..6 {
        let now_utc_secs = READ_UTC_SECS + month * 31 * 86_400;
        for poll in 0..20 {
            let item = read_at(mail(&format!("{month} {poll}")), now_utc_secs + poll);
            archive.append(std::slice::from_ref(&item)).unwrap();
            items.push(item);
        }
        rewritten += archive.compact(now_utc_secs).unwrap().segments_before;
        let again = archive.compact(now_utc_secs).unwrap();
        assert_eq!(again, Rewritten::default(), "month {month}");
    }
    assert_eq!(all(&archive), numbered(&items));
    assert!(rewritten <= 100 + 5, "{rewritten}");
    assert!(names(&folder).len() <= 20 + 4, "{:?}", names(&folder));
}

#[test]
fn when_items_were_read_is_in_the_footer_as_it_is_in_the_rows() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    let seconds = [READ_UTC_SECS, READ_UTC_SECS + 7, -5];
    archive
        .append(&seconds.map(|secs| read_at(mail("a"), secs)))
        .unwrap();
    let open = read::OpenSegment::open(&archive.segments[0]).unwrap();
    let expect = Some((READ_UTC_SECS + 7) * 1_000_000);
    assert_eq!(open.last_received_in_footer_us(0), expect);
    assert_eq!(open.last_received_in_rows_us(0).unwrap(), expect);
    assert_eq!(open.last_received_secs().unwrap(), READ_UTC_SECS + 7);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_items_in_any_segments_come_out_as_they_were(
        items in prop::collection::vec(item(), 1..24), cuts in prop::collection::vec(1..6_usize, 24),
    ) {
        let folder = TempDir::new().unwrap();
        let mut archive = Archive::open(folder.path()).unwrap();
        let mut rest = items.as_slice();
        for cut in cuts {
            let (segment, after) = rest.split_at(cut.min(rest.len()));
            archive.append(segment).unwrap();
            rest = after;
        }
        archive.append(rest).unwrap();
        archive.compact(i64::MAX).unwrap();
        prop_assert_eq!(all(&archive), numbered(&items));
        prop_assert_eq!(all(&Archive::open(folder.path()).unwrap()), numbered(&items));
    }
}
