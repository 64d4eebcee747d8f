//! Single values: text, numbers, sizes, durations, addresses. Each either yields a value or notes one problem.

use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;

use super::LogLevel;
use super::tree::{Node, Reader, Value};
use crate::model::domain;

impl Reader<'_> {
    /// Text that is not empty; a whole number counts as text.
    pub fn text(&mut self, path: &str, node: &Node) -> Option<String> {
        let text = match &node.value {
            Value::Text(text) => text.trim().to_owned(),
            Value::Int(number) => number.to_string(),
            other => return self.expected(path, node, "text", other.noun()),
        };
        if text.is_empty() {
            self.expected(path, node, "text", "empty")
        } else {
            Some(text)
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, path: &str, node: &Node) -> Option<bool> {
        match &node.value {
            Value::Bool(yes) => Some(*yes),
            other => self.expected(path, node, "true or false", other.noun()),
        }
    }

    /// A whole number from `least` on.
    pub fn count(&mut self, path: &str, node: &Node, least: u64) -> Option<u64> {
        let wanted = format!("a whole number from {least} on");
        match &node.value {
            Value::Int(number) => {
                let read = u64::try_from(*number).ok().filter(|n| *n >= least);
                read.or_else(|| self.expected(path, node, &wanted, &number.to_string()))
            }
            other => self.expected(path, node, &wanted, other.noun()),
        }
    }

    /// As [`Reader::count`], at most what a `u32` holds.
    pub fn count_u32(&mut self, path: &str, node: &Node, least: u64) -> Option<u32> {
        let number = self.count(path, node, least)?;
        let read = u32::try_from(number).ok();
        read.or_else(|| self.expected(path, node, "a number up to 4294967295", &number.to_string()))
    }

    /// Bytes: `25 MiB`, `500 kB`, `4096`.
    pub fn size_bytes(&mut self, path: &str, node: &Node) -> Option<u64> {
        let text = self.text(path, node)?;
        let read = size_of(&text).filter(|bytes| *bytes > 0);
        read.or_else(|| {
            self.expected(
                path,
                node,
                "a size such as \"25 MiB\"",
                &format!("\"{text}\""),
            )
        })
    }

    /// Seconds: `15m`, `30s`, `2h`, `1 day`, `90`.
    pub fn duration_secs(&mut self, path: &str, node: &Node) -> Option<u64> {
        let text = self.text(path, node)?;
        let read = seconds_of(&text).filter(|secs| *secs > 0);
        read.or_else(|| {
            self.expected(
                path,
                node,
                "a duration such as \"15m\"",
                &format!("\"{text}\""),
            )
        })
    }

    /// A domain name, normalised.
    pub fn domain(&mut self, path: &str, node: &Node) -> Option<String> {
        let text = self.text(path, node)?;
        let name = self.domain_name(path, node.line, &text)?;
        Some(name)
    }

    /// As [`Reader::domain`], of text that is a key.
    pub fn domain_name(&mut self, path: &str, line: usize, text: &str) -> Option<String> {
        let name = domain::normalise(text);
        if domain::is_host_name(&name) && name.parse::<IpAddr>().is_err() {
            return Some(name);
        }
        self.note(line, path, format!("\"{text}\" is not a domain name"));
        None
    }

    /// `192.0.2.0/24`, `2001:db8::/32`, or one address.
    pub fn network(&mut self, path: &str, node: &Node) -> Option<IpNet> {
        let text = self.text(path, node)?;
        let read = text
            .parse::<IpNet>()
            .or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        match read {
            Ok(net) if net.trunc() == net => Some(net),
            Ok(net) => self.expected(
                path,
                node,
                &format!("a network such as {}", net.trunc()),
                &format!("\"{text}\""),
            ),
            Err(_) => self.expected(
                path,
                node,
                "an address or a network such as 192.0.2.0/24",
                &format!("\"{text}\""),
            ),
        }
    }

    /// `127.0.0.1:8000`, `[::1]:8000`.
    pub fn socket(&mut self, path: &str, node: &Node) -> Option<SocketAddr> {
        let text = self.text(path, node)?;
        let read = text.parse().ok();
        read.or_else(|| {
            self.expected(
                path,
                node,
                "an address such as 127.0.0.1:8000",
                &format!("\"{text}\""),
            )
        })
    }

    /// `error` to `trace`.
    pub fn log_level(&mut self, path: &str, node: &Node) -> Option<LogLevel> {
        let text = self.text(path, node)?;
        Some(match text.as_str() {
            "error" => LogLevel::Error,
            "warn" => LogLevel::Warn,
            "info" => LogLevel::Info,
            "debug" => LogLevel::Debug,
            "trace" => LogLevel::Trace,
            other => {
                return self.expected(
                    path,
                    node,
                    "error, warn, info, debug or trace",
                    &format!("\"{other}\""),
                );
            }
        })
    }

    /// Notes what was expected and returns nothing.
    pub fn expected<T>(&mut self, path: &str, node: &Node, wanted: &str, got: &str) -> Option<T> {
        self.note(node.line, path, format!("expected {wanted}, got {got}"));
        None
    }
}

/// Number and unit: `25 MiB` is `("25", "mib")`.
fn split_unit(text: &str) -> Option<(u64, String)> {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '_')
        .unwrap_or(text.len());
    let (digits, unit) = text.split_at(end);
    Some((
        digits.replace('_', "").parse().ok()?,
        unit.trim().to_ascii_lowercase(),
    ))
}

fn size_of(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let factor: u64 = match unit.as_str() {
        "" | "b" | "byte" | "bytes" => 1,
        "kb" => 1_000,
        "mb" => 1_000_000,
        "gb" => 1_000_000_000,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        "g" | "gib" => 1 << 30,
        _ => return None,
    };
    number.checked_mul(factor)
}

fn seconds_of(text: &str) -> Option<u64> {
    let (number, unit) = split_unit(text)?;
    let factor: u64 = match unit.as_str() {
        "" | "s" | "sec" | "second" | "seconds" => 1,
        "m" | "min" | "minute" | "minutes" => 60,
        "h" | "hour" | "hours" => 3_600,
        "d" | "day" | "days" => 86_400,
        _ => return None,
    };
    number.checked_mul(factor)
}
