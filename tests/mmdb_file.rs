//! Writes files in MMDB form: a tree of bits, the data that it leads to, and what the file says of itself.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::IpAddr;

use ipnet::IpNet;
use serde_json::{Value as Json, json};

/// Bytes of a file with these networks and what is said of each. A network must not lie within another.
pub fn mmdb(kind: &str, networks: &[(&str, Json)]) -> Vec<u8> {
    let mut tree: Vec<[Leads; 2]> = vec![[Leads::Nowhere; 2]];
    let mut data = Vec::new();
    for (network, said) in networks {
        let network: IpNet = network.parse().unwrap();
        let (bits, length) = match network.network() {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), network.prefix_len() + 96),
            IpAddr::V6(v6) => (v6.to_bits(), network.prefix_len()),
        };
        let mut node = 0;
        for depth in 0..length {
            let side = (bits >> (127 - depth)) as usize & 1;
            if depth + 1 == length {
                tree[node][side] = Leads::Data(data.len());
                break;
            }
            node = match tree[node][side] {
                Leads::Node(next) => next,
                _ => {
                    tree.push([Leads::Nowhere; 2]);
                    let next = tree.len() - 1;
                    tree[node][side] = Leads::Node(next);
                    next
                }
            };
        }
        write(&mut data, said);
    }
    let mut file = Vec::new();
    for leads in tree.iter().flatten() {
        let value = match leads {
            Leads::Nowhere => tree.len(),
            Leads::Node(node) => *node,
            Leads::Data(at) => tree.len() + 16 + at,
        };
        file.extend_from_slice(&u32::try_from(value).unwrap().to_be_bytes()[1..]);
    }
    file.extend_from_slice(&[0; 16]);
    file.extend_from_slice(&data);
    file.extend_from_slice(b"\xab\xcd\xefMaxMind.com");
    head(&mut file, 7, 9);
    for (name, number) in [
        ("binary_format_major_version", 2),
        ("binary_format_minor_version", 0),
        ("ip_version", 6),
        ("record_size", 24_u16),
    ] {
        write(&mut file, &json!(name));
        head(&mut file, 5, 2);
        file.extend_from_slice(&number.to_be_bytes());
    }
    write(&mut file, &json!("build_epoch"));
    file.extend_from_slice(&[8, 9 - 7]);
    file.extend_from_slice(&1_767_225_600_u64.to_be_bytes());
    for (name, value) in [
        ("node_count", json!(tree.len())),
        ("database_type", json!(kind)),
        ("description", json!({})),
        ("languages", json!([])),
    ] {
        write(&mut file, &json!(name));
        write(&mut file, &value);
    }
    file
}

#[derive(Clone, Copy)]
enum Leads {
    Nowhere,
    Node(usize),
    Data(usize),
}

fn write(out: &mut Vec<u8>, value: &Json) {
    match value {
        Json::String(text) => {
            head(out, 2, text.len());
            out.extend_from_slice(text.as_bytes());
        }
        Json::Number(number) => {
            let number = u32::try_from(number.as_u64().unwrap()).unwrap();
            head(out, 6, 4);
            out.extend_from_slice(&number.to_be_bytes());
        }
        Json::Object(fields) => {
            head(out, 7, fields.len());
            for (name, value) in fields {
                write(out, &json!(name));
                write(out, value);
            }
        }
        Json::Array(items) => {
            // A type beyond the first seven stands in a second byte.
            out.extend_from_slice(&[u8::try_from(items.len()).unwrap(), 11 - 7]);
            items.iter().for_each(|item| write(out, item));
        }
        other => panic!("{other} has no form here"),
    }
}

fn head(out: &mut Vec<u8>, kind: u8, size: usize) {
    if size < 29 {
        out.push(kind << 5 | u8::try_from(size).unwrap());
    } else {
        out.extend_from_slice(&[kind << 5 | 29, u8::try_from(size - 29).unwrap()]);
    }
}
