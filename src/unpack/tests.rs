//! Every way of packing a report, and every way of packing a bomb; all made here, none kept in the repository.

use std::io::{Cursor, Write};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use super::*;
use crate::model::limits::Limits;

const REPORT: &[u8] = b"<?xml version=\"1.0\"?>\n<feedback><report_metadata/></feedback>\n";

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        if name.ends_with('/') {
            writer
                .add_directory(*name, SimpleFileOptions::default())
                .unwrap();
        } else {
            writer
                .start_file(*name, SimpleFileOptions::default())
                .unwrap();
            writer.write_all(bytes).unwrap();
        }
    }
    writer.finish().unwrap().into_inner()
}

fn tar_of(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, bytes) in entries {
        let mut header = tar::Header::new_ustar();
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(bytes.len() as u64);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

/// `path:` and the length of a document, or `path:` and the code of a refusal.
fn all_with(bytes: &[u8], limits: &Limits) -> Vec<String> {
    let mut budget = Budget::new(limits, limits.mail_entries);
    let mut all = Vec::new();
    unpack("", bytes, &mut budget, &mut |found| {
        all.push(match found {
            Ok(document) => {
                let mut bytes = Vec::new();
                document.open().unwrap().read_to_end(&mut bytes).unwrap();
                format!("{}:{}", document.path, bytes.len())
            }
            Err((path, refusal)) => format!("{path}:{}", refusal.code),
        });
    });
    all
}

fn all(bytes: &[u8]) -> Vec<String> {
    all_with(bytes, &Limits::default())
}

#[test]
fn one_report_is_found_however_it_is_packed() {
    let whole = REPORT.len();
    let with_crlf = [gz(REPORT), b"\r\n".to_vec()].concat();
    let after_bom = [b"\xef\xbb\xbf \r\n".to_vec(), gz(REPORT)].concat();
    let members = [gz(&REPORT[..20]), gz(&REPORT[20..])].concat();
    let cut_trailer = {
        let packed = gz(REPORT);
        packed[..packed.len() - 8].to_vec()
    };
    for (what, bytes, path) in [
        ("bare", REPORT.to_vec(), ""),
        ("gzip", gz(REPORT), ""),
        ("gzip and CRLF", with_crlf, ""),
        ("white space and gzip", after_bom, ""),
        ("gzip of two members", members, ""),
        ("gzip without trailer", cut_trailer, ""),
        ("gzip of gzip", gz(&gz(REPORT)), ""),
        ("gzip of zip", gz(&zip_of(&[("a.xml", REPORT)])), "a.xml"),
        (
            "zip of gzip",
            zip_of(&[("a.xml.gz", &gz(REPORT))]),
            "a.xml.gz",
        ),
        (
            "zip with a folder",
            zip_of(&[("in/", b""), ("in/a.xml", REPORT)]),
            "in/a.xml",
        ),
        ("tar", tar_of(&[("a.xml", REPORT)]), "a.xml"),
        ("tar.gz", gz(&tar_of(&[("a.xml", REPORT)])), "a.xml"),
    ] {
        assert_eq!(all(&bytes), [format!("{path}:{whole}")], "{what}");
    }
}

#[test]
fn all_entries_of_a_zip_are_visited_readme_first() {
    let packed = zip_of(&[
        ("readme.txt", b"hello"),
        ("a.xml", REPORT),
        ("logo.png", b"\x89PNG"),
        ("b.xml", REPORT),
    ]);
    let whole = REPORT.len();
    let expect = [
        "readme.txt:5".to_owned(),
        format!("a.xml:{whole}"),
        "logo.png:4".to_owned(),
        format!("b.xml:{whole}"),
    ];
    assert_eq!(all(&packed), expect);
}

#[test]
fn member_that_leads_out_is_refused_alone() {
    let whole = REPORT.len();
    let zipped = zip_of(&[
        ("../up.xml", REPORT),
        ("/abs.xml", REPORT),
        ("a.xml", REPORT),
    ]);
    assert_eq!(
        all(&zipped),
        [
            "../up.xml:zip-path".to_owned(),
            "/abs.xml:zip-path".to_owned(),
            format!("a.xml:{whole}")
        ]
    );
    let tarred = tar_of(&[("../up.xml", REPORT), ("a.xml", REPORT)]);
    assert_eq!(
        all(&tarred),
        ["../up.xml:tar-path".to_owned(), format!("a.xml:{whole}")]
    );
}

#[test]
fn cut_and_corrupt_gzip_have_codes_of_their_own() {
    let long: Vec<u8> = (0..50_000_u32)
        .flat_map(|n| (n.wrapping_mul(2_654_435_761)).to_le_bytes())
        .collect();
    let packed = gz(&long);
    assert_eq!(all(&packed[..packed.len() / 2]), [":gzip-truncated"]);
    assert_eq!(all(&packed[..5]), [":gzip-truncated"]);
    let mut corrupt = packed.clone();
    let crc = packed.len() - 6;
    corrupt[crc] ^= 0xff;
    assert_eq!(all(&corrupt), [":gzip-corrupt"]);
    assert_eq!(
        all(b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03not deflate at all"),
        [":gzip-corrupt"]
    );
}

#[test]
fn what_was_cut_and_is_whole_nevertheless_is_flagged() {
    let sound = gz(REPORT);
    let cut = &sound[..sound.len() - 8];
    let of_two = zip_of(&[("a.xml.gz", cut), ("b.xml.gz", &sound)]);
    let of_tar = gz(&tar_of(&[("a.xml", REPORT)]));
    for (what, bytes, expect) in [
        ("sound", sound.as_slice(), vec![vec![]]),
        ("no trailer", cut, vec![vec!["gzip-trailer-cut"]]),
        (
            "half a trailer",
            &sound[..sound.len() - 3],
            vec![vec!["gzip-trailer-cut"]],
        ),
        (
            "no end of the data",
            &sound[..sound.len() - 9],
            vec![vec!["gzip-cut"]],
        ),
        (
            "inside of another",
            &gz(cut),
            vec![vec!["gzip-trailer-cut"]],
        ),
        (
            "around another",
            &gz(&sound)[..gz(&sound).len() - 8],
            vec![vec!["gzip-trailer-cut"]],
        ),
        (
            "the first of two",
            &of_two,
            vec![vec!["gzip-trailer-cut"], vec![]],
        ),
        (
            "around a tar, whose documents are whole",
            &of_tar[..of_tar.len() - 8],
            vec![vec![]],
        ),
    ] {
        let mut budget = Budget::new(&Limits::default(), 100);
        let mut codes = Vec::new();
        unpack("", bytes, &mut budget, &mut |found| {
            let oddities = found.unwrap().oddities;
            codes.push(
                oddities
                    .iter()
                    .map(|oddity| oddity.code)
                    .collect::<Vec<_>>(),
            );
        });
        assert_eq!(codes, expect, "{what}");
    }
}

#[test]
fn broken_zip_is_refused_with_its_code() {
    let packed = zip_of(&[("a.xml", REPORT)]);
    assert_eq!(all(&packed[..packed.len() - 10]), [":zip-corrupt"]);
    let mut damaged = packed.clone();
    damaged[40] ^= 0xff;
    assert_eq!(all(&damaged), ["a.xml:zip-corrupt"]);
    let mut encrypted = packed;
    let central = encrypted
        .windows(4)
        .position(|w| w == b"PK\x01\x02")
        .unwrap();
    encrypted[6] |= 1;
    encrypted[central + 8] |= 1;
    assert_eq!(all(&encrypted), ["a.xml:zip-encrypted"]);
}

#[test]
fn cut_tar_is_no_short_document() {
    let packed = tar_of(&[("a.xml", &[b'x'; 2000])]);
    assert_eq!(all(&packed[..1500]), ["a.xml:tar-corrupt"]);
    let compressed = gz(&packed);
    assert_eq!(
        all(&compressed[..compressed.len() - 12])
            .last()
            .unwrap()
            .rsplit(':')
            .next(),
        Some("gzip-truncated")
    );
}

#[test]
fn nesting_is_bounded_where_the_limit_says() {
    let three = gz(&gz(&gz(REPORT)));
    assert_eq!(all(&three), [format!(":{}", REPORT.len())]);
    assert_eq!(all(&gz(&three)), [":limit-nesting"]);
}

#[test]
fn documents_and_items_are_bounded() {
    let limits = Limits {
        document_bytes: 100,
        total_bytes: 250,
        ..Limits::default()
    };
    let zipped = zip_of(&[
        ("a", &[b'x'; 100]),
        ("b", &[b'x'; 101]),
        ("c", &[b'x'; 100]),
        ("d", b"x"),
    ]);
    assert_eq!(
        all_with(&zipped, &limits),
        ["a:100", "b:limit-document-bytes", "c:limit-total-bytes"]
    );
    assert_eq!(all_with(&[b'x'; 101], &limits), [":limit-document-bytes"]);
}

#[test]
fn entries_are_counted_before_the_first_is_read() {
    let limits = Limits {
        mail_entries: 2,
        ..Limits::default()
    };
    let three = [("a", b"x".as_slice()), ("b", b"x"), ("c", b"x")];
    assert_eq!(all_with(&zip_of(&three), &limits), [":limit-entries"]);
    assert_eq!(all_with(&zip_of(&three[..2]), &limits), ["a:1", "b:1"]);
    assert_eq!(
        all_with(&tar_of(&three), &limits),
        ["a:1", "b:1", ":limit-entries"]
    );
}

#[test]
fn ratio_counts_only_above_its_threshold() {
    let limits = Limits {
        ratio: 10,
        ratio_from_bytes: 5000,
        ..Limits::default()
    };
    assert_eq!(all_with(&gz(&[b' '; 5000]), &limits), [":5000"]);
    assert_eq!(all_with(&gz(&[b' '; 5001]), &limits), [":limit-ratio"]);
    assert_eq!(
        all_with(&zip_of(&[("a", &[b' '; 5001])]), &limits),
        ["a:limit-ratio"]
    );
}

/// `count` bytes of one value, compressed without holding them.
fn bomb(count: usize) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let slice = vec![b'a'; 1 << 20];
    for _ in 0..count >> 20 {
        encoder.write_all(&slice).unwrap();
    }
    encoder.finish().unwrap()
}

#[test]
fn bombs_are_refused_after_a_bounded_read() {
    let started = Instant::now();
    let long_line = bomb(100 << 20);
    assert_eq!(all(&long_line), [":limit-ratio"]);
    assert_eq!(all(&gz(&long_line)), [":limit-ratio"]);
    let limits = Limits {
        ratio: 1_000_000,
        ..Limits::default()
    };
    assert_eq!(all_with(&long_line, &limits), [":limit-document-bytes"]);
    assert!(started.elapsed() < Duration::from_secs(120));
}

#[test]
fn large_document_is_spooled_and_hashed_as_a_small_one() {
    let limits = Limits {
        ratio: 1_000_000,
        ..Limits::default()
    };
    let mut budget = Budget::new(&limits, 10);
    let packed = bomb(17 << 20);
    let mut found = Vec::new();
    unpack("", &packed, &mut budget, &mut |document| {
        found.push(document.unwrap())
    });
    assert!(matches!(found[0].content, Content::Spooled(_)));
    let mut bytes = Vec::new();
    found[0].open().unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), 17 << 20);
    assert_eq!(
        found[0].sha256,
        spool::in_memory(String::new(), bytes).sha256
    );
}

#[test]
fn zip_that_declares_a_million_entries_is_refused_at_once() {
    let mut zipped = zip_of(&[("a.xml", REPORT)]);
    let central = zipped.windows(4).position(|w| w == b"PK\x01\x02").unwrap();
    let end = zipped.windows(4).position(|w| w == b"PK\x05\x06").unwrap();
    let header = zipped[central..end].to_vec();
    let count = 60_000_u16;
    let tail = zipped.split_off(end);
    for _ in 1..count {
        zipped.extend_from_slice(&header);
    }
    let size = u32::try_from(zipped.len() - central).unwrap();
    zipped.extend_from_slice(&tail[..8]);
    zipped.extend_from_slice(&count.to_le_bytes());
    zipped.extend_from_slice(&count.to_le_bytes());
    zipped.extend_from_slice(&size.to_le_bytes());
    zipped.extend_from_slice(&tail[16..]);
    assert_eq!(all(&zipped), [":limit-entries"]);
}

#[test]
fn local_archives_give_their_members_as_they_are() {
    let limits = Limits {
        item_bytes: 200,
        ..Limits::default()
    };
    let inner = gz(REPORT);
    let entries: [(&str, &[u8]); 3] = [("a.xml.gz", &inner), ("../b", b"x"), ("big", &[b'x'; 201])];
    for (expect, bytes) in [
        (Packing::Zip, zip_of(&entries)),
        (Packing::Tar, tar_of(&entries)),
        (Packing::TarGz, gz(&tar_of(&entries))),
    ] {
        assert_eq!(packing(&bytes, &limits), Some(expect));
        let mut seen = Vec::new();
        members(
            expect,
            Cursor::new(&bytes),
            &limits,
            &mut |name, content| {
                seen.push((name.unwrap(), content.map_err(|(refusal, _)| refusal.code)));
                true
            },
        )
        .unwrap();
        assert_eq!(seen[0], ("a.xml.gz".to_owned(), Ok(inner.clone())));
        assert!(seen[1].1.is_err());
        assert_eq!(seen[2], ("big".to_owned(), Err("limit-item-bytes")));
    }
    assert_eq!(
        packing(&gz(REPORT), &limits),
        None,
        "a single gzip file is an item itself"
    );
}

#[test]
fn a_compressed_tar_is_one_however_its_file_ends() {
    let entries: [(&str, &[u8]); 1] = [("a.eml", b"x")];
    let whole = gz(&tar_of(&entries));
    let joined = [whole.clone(), gz(b"")].concat();
    let cut = whole[..whole.len() - 3].to_vec();
    let followed = [whole.as_slice(), b"and more"].concat();
    let padded = [whole.as_slice(), &[0; 100]].concat();
    // These end in bytes that may be taken for a size.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder
        .write_all(&tar_of(&[("a.eml", &[1; 200_000])]))
        .unwrap();
    let large = encoder.finish().unwrap();
    let beginning = large[..64 << 10].to_vec();
    let line_behind = [large.as_slice(), b"\r\n"].concat();
    for (what, bytes) in [
        ("its beginning", beginning),
        ("an empty line behind", line_behind),
        ("whole", whole),
        ("joined", joined),
        ("cut", cut),
        ("followed", followed),
        ("padded", padded),
    ] {
        let seen = packing(&bytes, &Limits::default());
        assert_eq!(seen, Some(Packing::TarGz), "{what}");
    }
}

#[test]
fn what_was_forgiven_of_a_container_is_not_said_of_the_next_document() {
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 8].to_vec();
    let of_tar = cut(gz(&tar_of(&[("a.xml", REPORT)])));
    let of_zip = cut(gz(&zip_of(&[("a.xml", REPORT)])));
    for (what, bytes) in [
        ("tar", zip_of(&[("a.tar.gz", &of_tar), ("b.xml", REPORT)])),
        ("zip", zip_of(&[("a.zip.gz", &of_zip), ("b.xml", REPORT)])),
        ("zip alone", of_zip.clone()),
    ] {
        let mut budget = Budget::new(&Limits::default(), 100);
        unpack("", &bytes, &mut budget, &mut |found| {
            assert_eq!(found.unwrap().oddities, [], "{what}");
        });
    }
}
