//! Plain data and newtypes that every room shares; no I/O, no clock, no SQL.
//!
//! Names follow RFC 7489, RFC 9990 (aggregate), RFC 6591 and RFC 9991 (failure) and RFC 8460 (TLS).

pub mod address;
pub mod aggregate;
pub mod alert;
pub mod channel;
pub mod day;
pub mod domain;
pub mod failure;
pub mod hex;
pub mod inbox;
pub mod item;
pub mod limits;
pub mod notice;
pub mod outcome;
pub mod retention;
pub mod rule_fault;
pub mod secret;
pub mod sender;
pub mod service;
pub mod standing;
pub mod text;
pub mod tls;
pub mod words;
