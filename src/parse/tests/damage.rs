//! Arbitrary and damaged documents: whatever the bytes are, there is an answer.

use proptest::prelude::*;

use super::*;

/// Answers or refuses; whatever the bytes are, it does not panic.
fn any_answer(bytes: &[u8]) {
    let mut records: Vec<Record> = Vec::new();
    match parse_bytes(
        bytes,
        Some("a!example.com!1!2.xml"),
        &Limits::default(),
        &mut records,
    ) {
        Ok(Report::Aggregate(head)) => assert_eq!(head.record_count, records.len() as u64),
        Ok(_) => {}
        Err(refusal) => assert!(!refusal.code.is_empty() && !refusal.message.is_empty()),
    }
}

proptest! {
    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
        any_answer(&bytes);
    }

    #[test]
    fn any_markup_gets_an_answer(text in "(<|>|/|&|;|!|--|\\[|\\]|\"|'|\\?|=| |feedback|record|row|dkim|spf|p|count|1|ä|\\x00){0,200}") {
        any_answer(format!("<feedback>{text}").as_bytes());
        any_answer(format!("{{\"policies\":{text}").as_bytes());
        any_answer(format!("Feedback-Type: auth-failure\n{text}").as_bytes());
    }

    #[test]
    fn any_damage_gets_an_answer(
        kind in 0_usize..3,
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..4), 1..6),
    ) {
        let xml = report(&format!("{METADATA}{POLICY}{RECORD}{RECORD}"));
        let sample = [xml.as_str(), crate::parse::tls::tests::REPORT, crate::parse::failure::tests::ARF][kind];
        let mut bytes = sample.as_bytes().to_vec();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            match how {
                0 if !bytes.is_empty() => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => bytes.insert(at, byte),
                _ if !bytes.is_empty() => { bytes.remove(at); }
                _ => {}
            }
        }
        any_answer(&bytes);
    }
}
