//! Looks at the bytes of one leaf: a report perhaps, something that cannot be read, or nothing.

use super::Part;
use super::decode::{base64, is_base64};
use super::entity::{Facts, line_length};
use super::failure;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;
use crate::unpack::{container, leading_blank};

/// How far into a text its root element is looked for.
const ROOT_WITHIN_BYTES: usize = 64 << 10;

/// How a run of base64 that holds a report begins: gzip, zip, `<?xml`, `<feedback`, `{"`, a byte order mark.
const BASE64_STARTS: [&[u8]; 6] = [
    b"H4sI",
    b"UEsDB",
    b"PD94bW",
    b"PGZlZWRiYWNr",
    b"eyJ",
    b"77u/PD94",
];

/// What a leaf comes to. `signed`: it stands in a `multipart/signed`, where a signature is no content.
pub(super) fn judge(
    path: &str,
    facts: &Facts,
    body: Vec<u8>,
    signed: bool,
    limits: &Limits,
) -> Option<Result<Part, (String, Refusal)>> {
    let refused = |code, message: &str| Some(Err((path.to_owned(), Refusal::new(code, message))));
    if let Some((code, message)) = unreadable(facts, &body, signed) {
        return refused(code, message);
    }
    let found = report_bytes(facts, body);
    match found {
        Some(bytes) if bytes.len() as u64 > limits.part_bytes => {
            let message = format!(
                "the attachment exceeds {} bytes (limits.part_bytes)",
                limits.part_bytes
            );
            refused("limit-part-bytes", &message)
        }
        Some(bytes) => Some(Ok(Part {
            path: path.to_owned(),
            bytes,
            oddities: Vec::new(),
        })),
        None if claims_compression(facts) => refused(
            "attachment-unreadable",
            "the attachment is declared as gzip or zip and is neither",
        ),
        None => None,
    }
}

/// Kinds of content that are known and cannot be read, each with its code.
fn unreadable(facts: &Facts, body: &[u8], signed: bool) -> Option<(&'static str, &'static str)> {
    let trimmed = body.trim_ascii();
    if trimmed.eq_ignore_ascii_case(b"unused") || (trimmed.is_empty() && claims_report(facts)) {
        return Some(("empty-report", "the reporter sent an empty report"));
    }
    if body.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1])
        && is_outlook_message(body)
    {
        return Some((
            "msg-unsupported",
            "an Outlook .msg file; forward the mail as .eml instead",
        ));
    }
    if body.starts_with(&[0x78, 0x9f, 0x3e, 0x22]) {
        return Some((
            "tnef-unsupported",
            "a winmail.dat (TNEF); have the reports sent as plain mail",
        ));
    }
    if !signed && !facts.mime_type.ends_with("pkcs7-signature") && is_pkcs7(body) {
        return Some((
            "smime-opaque",
            "an S/MIME message that cannot be read without its key",
        ));
    }
    None
}

/// The bytes that may be a report: the leaf itself, a report inside of a text, or a run of base64.
fn report_bytes(facts: &Facts, body: Vec<u8>) -> Option<Vec<u8>> {
    if container(&body).is_some() {
        return Some(body);
    }
    let head: Vec<u8> = body
        .iter()
        .take(ROOT_WITHIN_BYTES)
        .copied()
        .filter(|&b| b != 0)
        .collect();
    let start = head
        .strip_prefix(&[0xff, 0xfe])
        .or(head.strip_prefix(&[0xfe, 0xff]))
        .unwrap_or(&head);
    match start.get(leading_blank(start)) {
        Some(b'<') if names_feedback(start) => return Some(body),
        Some(b'{') => return Some(body),
        Some(b'<') if facts.mime_type != "text/html" && !is_markup(start) => return Some(body),
        Some(b'<') => return None,
        _ => {}
    }
    if failure::is_feedback_text(&body) {
        return failure::fields_only(&body);
    }
    failure::from_plain_text(&body)
        .or_else(|| embedded_xml(&body))
        .or_else(|| base64_run(&body))
}

/// Whether an element called `feedback`, of any namespace prefix, is in the text.
fn names_feedback(head: &[u8]) -> bool {
    head.windows(9)
        .any(|w| (w[0] == b'<' || w[0] == b':') && w[1..].eq_ignore_ascii_case(b"feedback"))
}

/// Whether the text is HTML or SVG by its first elements.
fn is_markup(head: &[u8]) -> bool {
    let head = head[..head.len().min(2048)].to_ascii_lowercase();
    [
        b"<html".as_slice(),
        b"<svg",
        b"<!doctype html",
        b"<body",
        b"<div",
        b"<p>",
        b"<head",
        b"<table",
        b"<meta",
    ]
    .iter()
    .any(|mark| head.windows(mark.len()).any(|window| window == *mark))
}

/// XML of a report that begins a line inside of a text.
fn embedded_xml(body: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    let mut declaration = None;
    while at < body.len() {
        let line = &body[at..at + line_length(&body[at..])];
        let text = line.trim_ascii_start();
        if text.starts_with(b"<?xml") {
            declaration = Some(at);
        }
        if text.starts_with(b"<") && names_feedback(&text[..text.len().min(200)]) {
            return Some(body[declaration.unwrap_or(at)..].to_vec());
        }
        at += line.len();
    }
    None
}

/// The first run of base64 lines whose content is a report by its first bytes.
fn base64_run(body: &[u8]) -> Option<Vec<u8>> {
    let mut at = 0;
    while at < body.len() {
        let line = &body[at..at + line_length(&body[at..])];
        let text = line.trim_ascii();
        if BASE64_STARTS.iter().any(|start| text.starts_with(start))
            && text.iter().all(|&b| is_base64(b))
        {
            let run = run_length(&body[at..]);
            return Some(base64(&body[at..at + run]));
        }
        at += line.len();
    }
    None
}

/// Length of the lines that are base64 and nothing else.
fn run_length(body: &[u8]) -> usize {
    let mut at = 0;
    while at < body.len() {
        let line = &body[at..at + line_length(&body[at..])];
        let text = line.trim_ascii();
        if text.is_empty() || text.starts_with(b"--") || !text.iter().all(|&b| is_base64(b)) {
            break;
        }
        at += line.len();
    }
    at
}

/// Whether a leaf claims to be gzip or zip; one that does is never passed over.
pub(super) fn claims_compression(facts: &Facts) -> bool {
    let name = facts
        .file_name
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    ["gzip", "/zip", "x-zip", "zip-compressed"]
        .iter()
        .any(|kind| facts.mime_type.contains(kind))
        || name.ends_with(".gz")
        || name.ends_with(".zip")
}

fn claims_report(facts: &Facts) -> bool {
    let name = facts
        .file_name
        .as_deref()
        .unwrap_or_default()
        .to_ascii_lowercase();
    claims_compression(facts)
        || facts.mime_type.ends_with("/xml")
        || name.ends_with(".xml")
        || name.ends_with(".json")
}

/// Compound files hold Word documents too; the streams of a message have names of their own.
fn is_outlook_message(body: &[u8]) -> bool {
    let mark: Vec<u8> = "__substg1.0_"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    body.windows(mark.len()).any(|window| window == mark)
}

/// DER that begins with the object identifier of PKCS #7 data (signed, enveloped, …).
fn is_pkcs7(body: &[u8]) -> bool {
    const IDENTIFIER: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07];
    body.first() == Some(&0x30)
        && body
            .iter()
            .take(24)
            .copied()
            .collect::<Vec<_>>()
            .windows(8)
            .any(|w| w == IDENTIFIER)
}
