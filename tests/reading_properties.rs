//! No bytes whatever may make reading panic, run away or stay silent. The bodies are those of the fuzz targets.

#![allow(clippy::unwrap_used)]

#[path = "../fuzz/src/bodies.rs"]
mod bodies;

use std::io::Write;

use proptest::prelude::*;

/// Pieces of real mails, containers and reports, so that random bytes get past the first check.
const PIECES: [&[u8]; 24] = [
    b"From: a@example.com\r\n",
    b"Content-Type: multipart/mixed; boundary=b\r\n",
    b"Content-Type: message/rfc822\r\n",
    b"Content-Type: message/feedback-report\r\n",
    b"Content-Transfer-Encoding: base64\r\n",
    b"Content-Transfer-Encoding: quoted-printable\r\n",
    b"\r\n",
    b"--b\r\n",
    b"--b--\r\n",
    b"Feedback-Type: auth-failure\r\n",
    b"H4sIAAAAAAAA",
    b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03",
    b"PK\x03\x04\x14\x00\x00\x00\x08\x00",
    b"PK\x01\x02",
    b"PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00",
    b"<?xml version=\"1.0\" encoding=\"windows-1252\"?>",
    b"<feedback><report_metadata><org_name>x</org_name></report_metadata>",
    b"<record><row><source_ip>192.0.2.1</source_ip><count>",
    b"</count></row></record>",
    b"</feedback>",
    b"<!DOCTYPE x [<!ENTITY a \"b\">]>",
    b"{\"policies\":[{\"summary\":{",
    b"}}]}",
    b"=\xff&amp;&#1;\x00\xfe",
];

fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => (0..PIECES.len()).prop_map(|at| PIECES[at].to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn mail_is_bounded_for_any_bytes(bytes in pieces()) {
        bodies::mail(&bytes);
    }

    #[test]
    fn unpacking_is_bounded_for_any_bytes(bytes in pieces(), cut in 0_usize..200) {
        bodies::unpacked(&bytes);
        let packed = gzipped(&bytes);
        bodies::unpacked(&packed[..packed.len().saturating_sub(cut)]);
    }

    #[test]
    fn every_item_ends_for_any_bytes(bytes in pieces()) {
        bodies::item(&bytes);
        bodies::item(&gzipped(&bytes));
    }
}
