//! What two reports with the same key are compared by: a hash of their parts as an unordered multiset.
//!
//! Each part is written in a canonical form and hashed; the hashes are added modulo 2^256, which does not depend on
//! the order and, unlike exclusive or, does not forget parts that come twice. The sum and the number of parts are
//! hashed once more.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use crate::model::aggregate::Record;
use crate::model::tls::TlsPolicy;

/// A running multiset hash. One buffer is used for all parts.
#[derive(Debug, Default)]
pub(super) struct Fingerprint {
    sum: [u64; 4],
    parts: u64,
    canonical: Vec<u8>,
}

impl Fingerprint {
    /// Adds a record. Its position and what was computed from other fields stay out.
    pub(super) fn add_record(&mut self, record: &Record) {
        let out = &mut self.canonical;
        out.clear();
        write_ip(out, record.source_ip);
        out.extend_from_slice(&record.messages.to_le_bytes());
        out.push(
            record
                .disposition
                .map_or(0, |disposition| 1 + disposition as u8),
        );
        out.push(u8::from(record.dkim_aligned) | u8::from(record.spf_aligned) << 1);
        for text in [
            &record.header_from,
            &record.envelope_from,
            &record.envelope_to,
        ] {
            write_option(out, text.as_deref());
        }
        write_len(out, record.reasons.len());
        for reason in &record.reasons {
            write_text(out, reason.kind);
            write_option(out, reason.comment.as_deref());
        }
        write_len(out, record.dkim.len());
        for dkim in &record.dkim {
            for text in [
                dkim.domain.as_deref(),
                dkim.selector.as_deref(),
                dkim.result,
                dkim.human_result.as_deref(),
            ] {
                write_option(out, text);
            }
        }
        write_len(out, record.spf.len());
        for spf in &record.spf {
            for text in [
                spf.domain.as_deref(),
                spf.scope,
                spf.result,
                spf.human_result.as_deref(),
            ] {
                write_option(out, text);
            }
        }
        self.add_canonical();
    }

    /// Adds a policy of a TLS report.
    pub(super) fn add_policy(&mut self, policy: &TlsPolicy) {
        let out = &mut self.canonical;
        out.clear();
        write_option(out, policy.policy_type.as_deref());
        write_text(out, &policy.domain);
        for list in [&policy.policy_strings, &policy.mx_hosts] {
            write_len(out, list.len());
            list.iter().for_each(|text| write_text(out, text));
        }
        out.extend_from_slice(&policy.successful_sessions.to_le_bytes());
        out.extend_from_slice(&policy.failed_sessions.to_le_bytes());
        write_len(out, policy.failures.len());
        for failure in &policy.failures {
            out.extend_from_slice(&failure.failed_sessions.to_le_bytes());
            for text in [
                &failure.result_type,
                &failure.sending_mta_ip,
                &failure.receiving_mx_hostname,
                &failure.receiving_mx_helo,
                &failure.receiving_ip,
                &failure.additional_information,
                &failure.failure_reason_code,
            ] {
                write_option(out, text.as_deref());
            }
        }
        self.add_canonical();
    }

    /// The hash of all that was added.
    pub(super) fn finish(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for word in self.sum {
            hash.update(word.to_le_bytes());
        }
        hash.update(self.parts.to_le_bytes());
        hash.finalize().into()
    }

    fn add_canonical(&mut self) {
        let digest = Sha256::digest(&self.canonical);
        let mut carry = false;
        for (word, bytes) in self.sum.iter_mut().zip(digest.chunks_exact(8)) {
            let mut addend = [0; 8];
            addend.copy_from_slice(bytes);
            let (sum, first) = word.overflowing_add(u64::from_le_bytes(addend));
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = first || second;
        }
        self.parts += 1;
    }
}

fn write_len(out: &mut Vec<u8>, len: usize) {
    out.extend_from_slice(&(len as u64).to_le_bytes());
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_len(out, text.len());
    out.extend_from_slice(text.as_bytes());
}

fn write_option(out: &mut Vec<u8>, text: Option<&str>) {
    match text {
        None => out.push(0),
        Some(text) => {
            out.push(1);
            write_text(out, text);
        }
    }
}

fn write_ip(out: &mut Vec<u8>, ip: Option<IpAddr>) {
    match ip {
        None => out.push(0),
        Some(IpAddr::V4(v4)) => {
            out.push(4);
            out.extend_from_slice(&v4.octets());
        }
        Some(IpAddr::V6(v6)) => {
            out.push(6);
            out.extend_from_slice(&v6.octets());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(messages: u64) -> Record {
        Record {
            messages,
            ..Record::default()
        }
    }

    fn of(counts: &[u64]) -> [u8; 32] {
        let mut fingerprint = Fingerprint::default();
        counts
            .iter()
            .for_each(|count| fingerprint.add_record(&record(*count)));
        fingerprint.finish()
    }

    #[test]
    fn order_of_records_does_not_matter_and_repetition_does() {
        assert_eq!(of(&[1, 2, 3]), of(&[3, 1, 2]));
        assert_ne!(of(&[1, 2, 3]), of(&[1, 2, 4]));
        assert_ne!(of(&[1]), of(&[1, 1, 1]));
        assert_ne!(of(&[]), of(&[1, 1]));
    }

    #[test]
    fn neighbouring_fields_cannot_be_mistaken_for_each_other() {
        let mut left = Fingerprint::default();
        left.add_record(&Record {
            header_from: Some("ab".into()),
            envelope_from: Some("c".into()),
            ..record(1)
        });
        let mut right = Fingerprint::default();
        right.add_record(&Record {
            header_from: Some("a".into()),
            envelope_from: Some("bc".into()),
            ..record(1)
        });
        assert_ne!(left.finish(), right.finish());
    }
}
