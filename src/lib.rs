//! # DMARC Sentinel
//!
//! Fetches DMARC report mails, keeps them for good, turns them into numbers with SQL files, and publishes a static
//! dashboard, JSON and a database file that anyone can query.
//!
//! ## The rooms, in the order in which data flows
//!
//! ```text
//! source -> archive -> mail -> unpack -> parse -> store -> query -> alert -> render -> publish -> serve
//! ```
//!
//! | room | in | out |
//! |---|---|---|
//! | [`source`] | a path or a mailbox | items: bytes and where they came from |
//! | [`archive`] | items | durable Parquet segments, read back from a position |
//! | [`ledger`] | events | appended lines, folded into a view |
//! | [`mail`] | the bytes of a mail | its header and parts |
//! | [`unpack`] | the bytes of a part or file | documents, every read bounded |
//! | [`parse`] | a document | a report and the oddities forgiven, or a refusal with a code |
//! | [`store`] | reports | rows of the working database, one transaction a batch |
//! | [`query`] | `queries/**/*.sql` | a checked catalogue, and typed rows |
//! | [`alert`] | rules, and the days on which they found something | alerts: how they stand, what to do |
//! | [`render`] | rows | pages and JSON |
//! | [`publish`] | files of a generation | one rename |
//! | [`notify`] | alerts, digests, what the ledger says was told | mail, Telegram, webhooks; the ledger |
//! | [`serve`] | a generation | HTTP |
//! | [`job`] | the steps above | a run, a rebuild, a verification, the upkeep of the archive |
//! | [`daemon`] | mailboxes, a clock | runs at their time; what [`serve`] shows of them comes through [`cli`] |
//! | [`demo`] | a seed | an invented mailbox of reports |
//!
//! [`model`] holds the shared words, [`config`] the settings, [`clock`] the only call of now, [`durable`] what it takes
//! for a file to outlive a power failure, [`addresses`] what others say of a sending address: an address -> the
//! name of its host (DNS), its network (files); [`tls`] whom connections trust, [`http`] the requests that the program sends,
//! [`cli`] the commands.
//!
//! ## Invariants
//!
//! - The archive and the ledger are the only truth. Everything under `work/` and `public/` can be made anew from them.
//! - The archive loses bytes in one way alone: those of reports that are older than the configured retention, after the
//!   ledger knows the cut-off and what they said first, and after what is published stands on them no more. Its segments
//!   are joined, never edited: what takes the place of a segment is durable and compared before that one goes.
//! - Any split of the same input into runs gives the same tables, lake and site as one rebuild.
//! - A rule that fails, strays or does not end stops neither the other rules nor the publication: it has no alerts until
//!   it can be asked, and everybody is told.
//! - Reading never fails: a document ends as a report or as a refusal with a code, and one bad document leaves the
//!   others alone.
//! - `parse`, `unpack` and `mail` do no I/O beyond the bytes they are given (and an unlinked temporary file for a
//!   document that is too large for memory), and know neither SQL nor HTTP.
//! - A message is marked, moved or deleted on its server only when its item is durable and loaded; the position in a
//!   mailbox is read from the archive.
//! - One room opens the working database: [`store`]. One room uses an async runtime: [`serve`]; the daemon is threads.
//! - Nobody is asked about an address within a run: what look-ups found is in the ledger before anything goes by it.
//! - Nothing but [`clock`] asks for the time, nothing but [`cli`] prints.

pub mod addresses;
pub mod alert;
pub mod archive;
pub mod cli;
pub mod clock;
pub mod config;
pub mod daemon;
pub mod demo;
pub mod durable;
pub mod http;
pub mod job;
pub mod ledger;
pub mod mail;
pub mod model;
pub mod notify;
pub mod parse;
pub mod publish;
pub mod query;
pub mod render;
pub mod serve;
pub mod source;
pub mod store;
pub mod tls;
pub mod unpack;
