//! Failure reports (RFC 6591, RFC 9991): one document is composed of the report's fields and the header of the
//! reported message. Bodies of reported messages are strangers' mail and are never taken along.

use super::Part;
use super::decode::decode;
use super::entity::{Entity, Facts};

/// Longest header of a reported message that is taken along.
const REPORTED_HEADER_BYTES: usize = 64 << 10;

/// Whether a part holds the fields of a feedback report, by its type or by its first line.
pub(super) fn is_fields(facts: &Facts, part: &Entity<'_>) -> bool {
    facts.mime_type == "message/feedback-report"
        || (facts.encoding != "base64" && is_feedback_text(part.body))
        || (facts.encoding == "base64"
            && is_feedback_text(&decode(&part.body[..part.body.len().min(400)], "base64")))
}

/// Whether a text begins with feedback report fields.
pub(super) fn is_feedback_text(body: &[u8]) -> bool {
    body.trim_ascii_start()
        .get(..14)
        .is_some_and(|start| start.eq_ignore_ascii_case(b"feedback-type:"))
}

/// Composes the document of a `multipart/report`; `None` where the report is a complaint about spam, which is none of
/// ours.
pub(super) fn compose(
    path: &str,
    at: usize,
    kinds: &[Facts],
    children: &[Entity<'_>],
) -> Option<Part> {
    let fields = decode(children.get(at)?.body, &kinds.get(at)?.encoding);
    let mut bytes = fields_only(&fields)?;
    let reported = kinds
        .iter()
        .zip(children)
        .skip(at + 1)
        .find(|(kind, _)| is_reported(&kind.mime_type));
    if let Some((kind, child)) = reported {
        let message = decode(child.body, &kind.encoding);
        let header = Entity::of_message(&message).header;
        bytes.push(b'\n');
        bytes.extend_from_slice(&header[..header.len().min(REPORTED_HEADER_BYTES)]);
    }
    Some(Part {
        path: path.to_owned(),
        bytes,
        oddities: Vec::new(),
    })
}

fn is_reported(mime_type: &str) -> bool {
    matches!(
        mime_type,
        "message/rfc822"
            | "message/global"
            | "text/rfc822-headers"
            | "text/rfc822-header"
            | "message/rfc822-headers"
    )
}

/// The fields of a failure report, ended by one line end; `None` for another kind of feedback.
pub(super) fn fields_only(fields: &[u8]) -> Option<Vec<u8>> {
    let fields = fields.trim_ascii();
    let kind = fields.split(|&b| b == b'\n').find_map(|line| {
        let line = line.trim_ascii();
        line.get(..14)
            .filter(|name| name.eq_ignore_ascii_case(b"feedback-type:"))?;
        Some(line[14..].trim_ascii().to_ascii_lowercase())
    });
    let wanted =
        kind.is_none_or(|kind| kind.starts_with(b"auth-failure") || kind.starts_with(b"dmarc"));
    wanted.then(|| [fields, b"\n"].concat())
}

/// Exim and others report a failure in words: `Sender Domain: …`, `Sender IP Address: …`, then the header. They are
/// put into the fields of RFC 6591 and RFC 9991.
pub(super) fn from_plain_text(body: &[u8]) -> Option<Vec<u8>> {
    let head = String::from_utf8_lossy(&body[..body.len().min(REPORTED_HEADER_BYTES)]);
    let field = |name: &str| {
        let lines = head.lines().map(str::trim).take(60);
        lines
            .filter_map(|line| line.split_once(':'))
            .find(|(n, _)| n.eq_ignore_ascii_case(name))
            .map(|(_, v)| v.trim())
    };
    let (domain, source) = (field("Sender Domain")?, field("Sender IP Address")?);
    let (spf, dkim) = (field("SPF Alignment"), field("DKIM Alignment"));
    field("DMARC Results").or(spf).or(dkim)?;
    let failed: Vec<&str> = [("dkim", dkim), ("spf", spf)]
        .into_iter()
        .filter(|(_, v)| *v == Some("no"))
        .map(|(name, _)| name)
        .collect();
    let mut text = format!(
        "Feedback-Type: auth-failure\nVersion: 1\nAuth-Failure: dmarc\nReported-Domain: {domain}\nSource-IP: {source}\n"
    );
    if spf.is_some() || dkim.is_some() {
        let failed = if failed.is_empty() {
            "none".to_owned()
        } else {
            failed.join(", ")
        };
        text.push_str(&format!("Identity-Alignment: {failed}\n"));
    }
    if let Some(date) = field("Received date") {
        text.push_str(&format!("Arrival-Date: {date}\n"));
    }
    let mut bytes = text.into_bytes();
    bytes.push(b'\n');
    bytes.extend_from_slice(copied_header(head.as_bytes()));
    Some(bytes)
}

/// The copied header behind the line of dashes.
fn copied_header(text: &[u8]) -> &[u8] {
    let Some(dashes) = text.windows(7).position(|window| window == b"\n------") else {
        return &[];
    };
    let after = &text[dashes + 1..];
    Entity::of_message(&after[super::entity::line_length(after)..]).header
}
