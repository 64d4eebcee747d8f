//! What comes over the wire, and is or is not an answer.

use std::net::IpAddr;

use super::message::{Asked, Reply};

const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(5, 45, 0, 1));

/// An answer to the question: flags, and records as they stand behind it.
fn reply(asked: &Asked, flags: [u8; 2], records: &[&[u8]]) -> Vec<u8> {
    let mut bytes = asked.bytes.clone();
    bytes[2] = flags[0];
    bytes[3] = flags[1];
    bytes[7] = u8::try_from(records.len()).unwrap();
    for record in records {
        bytes.extend_from_slice(record);
    }
    bytes
}

/// A record of the name that is asked for.
fn record(kind: u8, data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap().to_be_bytes();
    [&[0xc0, 12, 0, kind, 0, 1, 0, 0, 0, 60][..], &length, data].concat()
}

const ANSWER: [u8; 2] = [0x81, 0x80];

#[test]
fn only_an_answer_to_the_question_is_one() {
    let asked = Asked::names_of(ADDRESS).unwrap();
    let name = record(12, b"\x04Mail\x04test\x00");
    let good = reply(&asked, ANSWER, &[&name]);
    assert_eq!(
        asked.read(&good),
        Reply::Names(vec!["mail.test".to_owned()])
    );
    let mut other_id = good.clone();
    other_id[0] ^= 1;
    let mut other_name = good.clone();
    other_name[13] ^= 1;
    let mut other_kind = good.clone();
    let end_of_question = asked.bytes.len();
    other_kind[end_of_question - 3] ^= 1;
    for (what, bytes) in [
        ("nothing", Vec::new()),
        ("a few bytes", vec![0; 5]),
        ("the question itself", asked.bytes.clone()),
        ("another number", other_id),
        ("another name", other_name),
        ("another type", other_kind),
    ] {
        assert_eq!(asked.read(&bytes), Reply::Foreign, "{what}");
    }
}

#[test]
fn answers_say_what_is_there_what_is_not_and_what_nobody_knows() {
    let asked = Asked::names_of(ADDRESS).unwrap();
    let none = || Reply::Names(Vec::new());
    for (flags, expect) in [
        (ANSWER, none()),
        ([0x81, 0x83], none()),
        ([0x83, 0x80], Reply::Truncated),
        (
            [0x81, 0x82],
            Reply::Unable("it answered SERVFAIL".to_owned()),
        ),
        (
            [0x81, 0x85],
            Reply::Unable("it answered REFUSED".to_owned()),
        ),
    ] {
        assert_eq!(asked.read(&reply(&asked, flags, &[])), expect, "{flags:?}");
    }
    let asked = Asked::addresses_of("mail.test", ADDRESS).unwrap();
    let found = reply(
        &asked,
        ANSWER,
        &[&record(1, &[5, 45, 0, 1]), &record(28, &[0; 16])],
    );
    assert_eq!(asked.read(&found), Reply::Addresses(vec![ADDRESS]));
}

#[test]
fn no_bytes_bring_the_reader_down() {
    let asked = Asked::names_of(ADDRESS).unwrap();
    let alias = record(5, &[0xc0, 12]);
    let pointer = record(12, &[0xc0, 0xff]);
    let own = u16::try_from(asked.bytes.len() + 12).unwrap() | 0xc000;
    let circle = record(12, &own.to_be_bytes());
    for record in [alias, pointer, circle] {
        let whole = reply(&asked, ANSWER, &[record.as_slice(); 3]);
        for end in 0..=whole.len() {
            asked.read(&whole[..end]);
        }
        for at in 12..whole.len() {
            for byte in [0x00, 0x3f, 0xc0, 0xff] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                asked.read(&damaged);
            }
        }
    }
    let many = record(12, b"\x01a\x00");
    let many: Vec<&[u8]> = vec![&many; 250];
    match asked.read(&reply(&asked, ANSWER, &many)) {
        Reply::Names(names) => assert!(names.len() <= 64, "{}", names.len()),
        other => panic!("{other:?}"),
    }
}
