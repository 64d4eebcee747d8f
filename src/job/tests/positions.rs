//! How far a mailbox is: by what the archive says of every message, and of whose it is.

use sha2::Digest as _;

use super::super::positions::{Archived, Place, Positions};
use super::*;
use crate::archive::{Content, Item};
use crate::model::item::{ItemKind, MailHeader, Provenance};

/// A message as it was fetched: its number, the account, whether it was chosen by its day.
type Fetched = (u32, Option<&'static str>, bool);

fn item((uid, account, is_chosen): Fetched) -> Item {
    Item {
        sha256: [0; 32],
        kind: ItemKind::Mail,
        content: Content::Dropped {
            code: "expired".into(),
            bytes: 7,
        },
        provenance: Provenance {
            source: "imap".into(),
            inbox: Some("a".into()),
            folder: Some("F".into()),
            uidvalidity: Some(1),
            uid: Some(uid),
            account: account.map(str::to_owned),
            is_chosen,
            ..Provenance::default()
        },
        header: MailHeader::default(),
        received_utc_secs: NOW_UTC_SECS,
    }
}

fn place() -> Place {
    Place {
        inbox: "a".into(),
        folder: "F".into(),
        uidvalidity: 1,
    }
}

fn archive_of(folder: &Path, runs: &[&[Fetched]]) -> Archive {
    let mut archive = Archive::open(folder).unwrap();
    for run in runs {
        let items: Vec<Item> = run.iter().copied().map(item).collect();
        archive.append(&items).unwrap();
    }
    archive
}

#[test]
fn what_was_chosen_by_day_does_not_move_a_pass_on() {
    let (a, no, by_day) = (Some("u@a"), false, true);
    for (fetched, passed, past, next) in [
        (vec![], 0, vec![], 1),
        (vec![(3, a, no), (4, a, no)], 4, vec![1, 2, 3, 4], 5),
        (vec![(3, a, by_day), (4, a, by_day)], 0, vec![3, 4], 1),
        (
            vec![(1, a, no), (2, a, by_day), (3, a, by_day)],
            1,
            vec![1, 2, 3],
            4,
        ),
        // A pass, or a backlog without days, took what was left out.
        (
            vec![(3, a, by_day), (1, a, no), (2, a, no)],
            2,
            vec![1, 2, 3],
            4,
        ),
        (
            vec![(3, a, by_day), (5, a, by_day), (4, a, no)],
            4,
            vec![1, 2, 3, 4, 5],
            6,
        ),
        // Fetched again, as it came without its bytes.
        (vec![(5, a, no), (2, a, by_day)], 5, vec![1, 2, 3, 4, 5], 6),
        (
            vec![(2, a, by_day), (3, a, by_day), (2, a, no)],
            2,
            vec![1, 2, 3],
            4,
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive_of(folder.path(), &[&fetched]);
        let front = Positions::read(&archive).unwrap().front(&place(), "u@a");
        let is_past: Vec<u32> = (1..9).filter(|uid| front.is_past(*uid)).collect();
        assert_eq!(
            (front.passed(), front.next()),
            (passed, Some(next)),
            "{fetched:?}"
        );
        assert_eq!(is_past, past, "{fetched:?}");
    }
}

#[test]
fn messages_of_another_account_say_nothing_of_those_of_this_one() {
    let (a, b, no) = (Some("u@a"), Some("u@b"), false);
    for (fetched, of_a, of_b, first_of_b) in [
        // Before accounts were noted, an inbox was what it was.
        (vec![(1, None, no), (2, None, no)], 2, 2, 1),
        (vec![(1, None, no), (2, a, no)], 2, 0, 3),
        (vec![(5, a, no), (1, b, no), (2, b, no)], 0, 2, 2),
        (vec![(5, None, no), (6, a, no), (1, b, no)], 0, 1, 3),
        (vec![(5, a, no), (1, b, no), (2, a, no)], 2, 0, 4),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let archive = archive_of(folder.path(), &[&fetched]);
        let positions = Positions::read(&archive).unwrap();
        let passed = |account| positions.front(&place(), account).passed();
        assert_eq!((passed("u@a"), passed("u@b")), (of_a, of_b), "{fetched:?}");
        let first = positions.front(&place(), "u@b").first_item();
        assert_eq!(first, first_of_b, "{fetched:?}");
        for (account, highest) in [("u@a", of_a), ("u@b", of_b)] {
            let archived = Archived::of(&archive, &place(), account).unwrap();
            let last = (1..9).rev().find(|uid| archived.has(*uid, false));
            assert_eq!(last.unwrap_or(0), highest, "{fetched:?} {account}");
        }
    }
}

#[test]
fn what_is_done_with_a_message_goes_by_the_mail_of_its_own_account() {
    let world = World::new(1);
    let mut archive = Archive::open(&world.folders().archive()).unwrap();
    let mut old = item((1, Some("u@a"), false));
    let report = b"From: a@b.example\r\n\r\n<feedback/>".to_vec();
    old.sha256 = sha2::Sha256::digest(&report).into();
    old.content = Content::kept(report);
    let mut new = item((1, Some("u@b"), false));
    new.content = Content::Dropped {
        code: "not-a-report".into(),
        bytes: 7,
    };
    archive.append(&[old, new]).unwrap();
    world.ingest(&[]);
    let store = Store::open(world.config()).unwrap();
    let is_kept = |first_item| {
        let endings = store.mail_endings("a", "F", 1, first_item, &[1]).unwrap();
        endings[0].is_kept
    };
    let front = Positions::read(&archive).unwrap().front(&place(), "u@b");
    assert!(
        is_kept(1),
        "deleted on the server, the new one would be lost"
    );
    assert!(!is_kept(front.first_item()));
}

#[test]
fn a_mail_whose_bytes_the_archive_has_lost_is_not_one_that_it_keeps() {
    let world = World::new(1);
    let mut archive = Archive::open(&world.folders().archive()).unwrap();
    let mut lost = item((1, Some("u@a"), false));
    lost.content = Content::Known;
    archive.append(&[lost]).unwrap();
    world.ingest(&[]);
    let store = Store::open(world.config()).unwrap();
    let endings = store.mail_endings("a", "F", 1, 0, &[1]).unwrap();
    assert!(endings[0].has_refusal && !endings[0].is_kept, "{endings:?}");
}

#[test]
fn reading_that_failed_half_way_counts_no_message_twice() {
    let folder = tempfile::tempdir().unwrap();
    let of = |uids: [u32; 2]| uids.map(|uid| (uid, Some("u@a"), false));
    let archive = archive_of(folder.path(), &[&of([1, 2]), &of([3, 4]), &of([5, 6])]);
    let second = folder
        .path()
        .join("items-000000000003-000000000004.parquet");
    let whole = fs::read(&second).unwrap();
    let mut positions = Positions::default();
    fs::write(&second, "rotten").unwrap();
    for _ in 0..3 {
        assert!(positions.update(&archive).is_err());
    }
    fs::write(&second, whole).unwrap();
    positions.update(&archive).unwrap();
    let (_, reached) = positions.of_inbox("a").next().unwrap();
    assert_eq!((reached.messages, reached.uid), (6, 6));
}
