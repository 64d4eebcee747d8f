//! Members of a local archive, each an item of its own.

use std::io::{self, BufRead, BufReader, Read, Seek};

use super::archive::{self, Member};
use super::budget::Budget;
use super::gzip::Gzip;
use super::sniff::{Container, container};
use super::spool::Buffer;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;

/// How a local file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// Its entries are items.
    Zip,
    /// Its entries are items.
    Tar,
    /// As `Tar`, compressed.
    TarGz,
}

/// Bytes that show a tar.
const TAR_HEAD_BYTES: usize = 512;

/// The name (`None` for the archive itself) and the bytes of a member, or why they were not read and their size as
/// far as it is known. The answer says whether to go on.
pub type FoundMember<'f> =
    &'f mut dyn FnMut(Option<String>, Result<Vec<u8>, (Refusal, u64)>) -> bool;

/// Whether a local file, which begins with `head`, is an archive of items. A single `.gz` is an item itself.
pub fn packing(head: &[u8], limits: &Limits) -> Option<Packing> {
    match container(head)? {
        (Container::Zip, 0) => Some(Packing::Zip),
        (Container::Tar, _) => Some(Packing::Tar),
        (Container::Gzip, _) if declares_no_tar(head) => None,
        (Container::Gzip, skipped) => {
            let budget = Budget::of_items(limits);
            let mut inner = Vec::with_capacity(TAR_HEAD_BYTES);
            // A cut or damaged beginning is the reader's business, not an answer to this question.
            let _ = Gzip::new(&head[skipped..], &budget)
                .take(TAR_HEAD_BYTES as u64)
                .read_to_end(&mut inner);
            matches!(container(&inner), Some((Container::Tar, _))).then_some(Packing::TarGz)
        }
        (Container::Zip, _) => None,
    }
}

/// Whether the last bytes say, as the end of a gzip file does (RFC 1952 ISIZE), that what is compressed has a size that
/// no tar has. Most reports are seen to be none by that. Only a small file is believed: what was cut or goes on behind
/// its end, and the beginning of a larger file, end in bytes that may be any number.
fn declares_no_tar(bytes: &[u8]) -> bool {
    const MOST_BYTES: usize = 60 << 10;
    const MOST_RATIO: usize = 64;
    if bytes.len() > MOST_BYTES {
        return false;
    }
    let declared = bytes
        .last_chunk::<4>()
        .map_or(0, |last| u32::from_le_bytes(*last) as usize);
    let is_size = declared > bytes.len() / 2 && declared <= bytes.len() * MOST_RATIO;
    is_size && !declared.is_multiple_of(TAR_HEAD_BYTES)
}

/// Reads the members of an archive one after the other; nothing is kept of those before.
pub fn members(
    packing: Packing,
    mut source: impl Read + Seek,
    limits: &Limits,
    found: FoundMember<'_>,
) -> io::Result<()> {
    let budget = Budget::of_items(limits);
    let size = source.seek(io::SeekFrom::End(0))?;
    source.rewind()?;
    let mut buffered = BufReader::with_capacity(64 << 10, source);
    let mut visit = |member: Member<'_>| hand_over(member, &budget, found);
    match packing {
        Packing::Zip => archive::zip(buffered, size, &budget, &mut visit),
        Packing::Tar => archive::tar(&mut buffered, &budget, &mut visit),
        Packing::TarGz => tar_gz(buffered, &budget, &mut visit),
    }
    Ok(())
}

fn tar_gz(source: impl BufRead, budget: &Budget, visit: archive::Visit<'_>) {
    let mut plain = BufReader::with_capacity(64 << 10, Gzip::new(source, budget));
    archive::tar(&mut plain, budget, visit);
}

fn hand_over(member: Member<'_>, budget: &Budget, found: FoundMember<'_>) -> bool {
    let (reader, hint) = match member.content {
        Ok(content) => content,
        Err(refusal) => return found(member.name, Err((refusal, 0))),
    };
    let limit = budget.limits.item_bytes;
    let mut buffer = Buffer::new(usize::try_from(hint).unwrap_or(usize::MAX));
    let until = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_add(1);
    match buffer.fill(reader, until) {
        Ok(true) => found(member.name, Ok(buffer.into_vec())),
        Ok(false) => {
            let message = format!("the member exceeds {limit} bytes (limits.item_bytes)");
            found(
                member.name,
                Err((Refusal::new("limit-item-bytes", message), hint)),
            )
        }
        Err(error) => {
            let refusal = budget.refusal(&error, "unpack-failed");
            found(member.name, Err((refusal, hint)))
        }
    }
}
