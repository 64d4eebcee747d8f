//! Bytes that nobody needs any more go, and nothing else.

use super::*;

/// 2023-12-01T00:00:00Z, the month after [`mail`]s are read.
const NEXT_MONTH_UTC_SECS: i64 = 1_701_388_800;

fn pruned(item: &Item, code: &str) -> Item {
    let Content::Kept(kept) = &item.content else {
        return item.clone();
    };
    Item {
        content: Content::Dropped {
            code: code.into(),
            bytes: kept.len() as u64,
        },
        ..item.clone()
    }
}

#[test]
fn the_bytes_of_the_named_items_go_and_their_hash_and_size_stay() {
    let (folder, items) = filled(&[2, 3, 1, 2]);
    let mut archive = Archive::open(folder.path()).unwrap();
    let had = names(&folder);
    assert!(archive.content(2).unwrap().is_some(), "and is remembered");
    let ranges = [2..=3, 5..=5, 9..=12];
    let early = archive.prune(NEXT_MONTH_UTC_SECS - 1, &ranges, "expired");
    assert_eq!(early.unwrap(), Rewritten::default(), "the present month");
    let done = archive
        .prune(NEXT_MONTH_UTC_SECS, &ranges, "expired")
        .unwrap();
    let expect = (2, 2, 3, 3 * "mail 1".len() as u64);
    let told = (
        done.segments_before,
        done.segments_after,
        done.pruned_items,
        done.pruned_bytes,
    );
    assert_eq!((told, names(&folder)), (expect, had));
    let expect: Vec<_> = numbered(&items)
        .into_iter()
        .map(|(item_no, item)| match item_no {
            2 | 3 | 5 => (item_no, pruned(&item, "expired")),
            _ => (item_no, item),
        })
        .collect();
    assert_eq!(all(&archive), expect);
    assert_eq!(archive.content(2).unwrap(), None);
    let again = archive
        .prune(NEXT_MONTH_UTC_SECS, &ranges, "expired")
        .unwrap();
    assert_eq!(again, Rewritten::default(), "there is nothing to let go");
    archive.compact(NEXT_MONTH_UTC_SECS).unwrap();
    assert_eq!(all(&Archive::open(folder.path()).unwrap()), expect);
}

#[test]
fn what_has_no_bytes_of_its_own_stays_as_it_is() {
    let folder = TempDir::new().unwrap();
    let mut archive = Archive::open(folder.path()).unwrap();
    let known = Item {
        content: Content::Known,
        ..mail("a")
    };
    let dropped = pruned(&mail("b"), "not-a-report");
    let items = [known, dropped];
    archive.append(&items).unwrap();
    let done = archive
        .prune(NEXT_MONTH_UTC_SECS, &[1..=2], "expired")
        .unwrap();
    assert_eq!(
        (done, all(&archive)),
        (Rewritten::default(), numbered(&items))
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn only_the_named_items_change(
        items in prop::collection::vec(item(), 1..20), first in 1..20_u64, more in 0..20_u64, cut in 0..20_usize,
    ) {
        let folder = TempDir::new().unwrap();
        let mut archive = Archive::open(folder.path()).unwrap();
        let items: Vec<Item> =
            items.into_iter().map(|item| Item { received_utc_secs: 1_700_000_000, ..item }).collect();
        let (before, after) = items.split_at(cut.min(items.len()));
        archive.append(before).unwrap();
        archive.append(after).unwrap();
        archive.prune(i64::MAX, &[first..=first + more], "expired").unwrap();
        let expect: Vec<_> = numbered(&items).into_iter().map(|(item_no, item)| {
            let is_meant = (first..=first + more).contains(&item_no);
            (item_no, if is_meant { pruned(&item, "expired") } else { item })
        }).collect();
        prop_assert_eq!(all(&Archive::open(folder.path()).unwrap()), expect);
    }
}
