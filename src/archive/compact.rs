//! Small segments of closed months are joined: a poll leaves one of a few items, and a year of polls thousands.

use std::fs::File;
use std::io;
use std::ops::Range;

use super::read::OpenSegment;
use super::rewrite::{Rewritten, remove, sizes};
use super::segments::{self, Listing, Segment};
use super::{Archive, lock};
use crate::model::day::month_begin_utc_secs;

/// A joined segment holds no more, by the sizes of those that it was joined from.
const JOINED_BYTES: u64 = 64 << 20;
/// A segment that is as large stays as it is.
const LARGE_BYTES: u64 = JOINED_BYTES / 2;

impl Archive {
    /// Joins neighbouring segments all of whose items were read in UTC months before that of `now_utc_secs`. What is
    /// joined grows by half at least, so that a segment is rewritten a few times in its life, whatever comes behind it. The
    /// same items come out, and a crash at any moment loses nothing.
    ///
    /// The caller holds the run lock; readers that listed the folder before find what takes the place of a segment.
    pub fn compact(&mut self, now_utc_secs: i64) -> io::Result<Rewritten> {
        let _lock = self.tidy()?;
        let segments = self.segments.clone();
        let mut done = Rewritten::default();
        for closed in closed(&segments, now_utc_secs)? {
            for range in plan(&sizes(closed)?) {
                done.add(&self.replace(&closed[range], &|_, item| item)?);
            }
        }
        Ok(done)
    }

    /// Takes the lock on the folder, lists it anew, and deletes what an append or a compaction that did not end left.
    pub(super) fn tidy(&mut self) -> io::Result<File> {
        let lock = lock(&self.folder)?;
        let Listing {
            segments,
            unfinished,
            covered,
        } = segments::list(&self.folder)?;
        super::remove_unfinished(&unfinished)?;
        for covered in &covered {
            let holder = segments
                .iter()
                .find(|s| (s.first..=s.last).contains(&covered.first));
            if let Some(holder) = holder {
                OpenSegment::open(holder)?;
            }
        }
        remove(&self.folder, &covered.iter().collect::<Vec<_>>())?;
        self.segments = segments;
        Ok(lock)
    }
}

/// Neighbours that hold no item of the present month.
fn closed(segments: &[Segment], now_utc_secs: i64) -> io::Result<Vec<&[Segment]>> {
    let mut all = Vec::new();
    let mut begin = 0;
    for (index, segment) in segments.iter().enumerate() {
        if !is_closed(segment, now_utc_secs)? {
            all.push(&segments[begin..index]);
            begin = index + 1;
        }
    }
    all.push(&segments[begin..]);
    Ok(all)
}

/// Whether all of its items were read before the month of `now_utc_secs`; reads the footer.
pub(super) fn is_closed(segment: &Segment, now_utc_secs: i64) -> io::Result<bool> {
    let last_utc_secs = OpenSegment::open(segment)?.last_received_secs()?;
    Ok(last_utc_secs < month_begin_utc_secs(now_utc_secs))
}

/// Which neighbours are joined, by the sizes of all.
fn plan(sizes_bytes: &[u64]) -> Vec<Range<usize>> {
    let mut joins = Vec::new();
    let (mut begin, mut total_bytes) = (0, 0);
    for (index, &bytes) in sizes_bytes.iter().enumerate() {
        let is_large = bytes >= LARGE_BYTES;
        if is_large || total_bytes + bytes > JOINED_BYTES {
            join(sizes_bytes, begin..index, &mut joins);
            (begin, total_bytes) = (index, 0);
        }
        if is_large {
            begin = index + 1;
        } else {
            total_bytes += bytes;
        }
    }
    join(sizes_bytes, begin..sizes_bytes.len(), &mut joins);
    joins
}

/// Joins a range, if it is at least half as large again as the largest in it; else what lies on either side of that one.
fn join(sizes_bytes: &[u64], range: Range<usize>, joins: &mut Vec<Range<usize>>) {
    let mut rest = vec![range];
    while let Some(range) = rest.pop() {
        let largest = range.clone().max_by_key(|index| sizes_bytes[*index]);
        let Some(largest) = largest.filter(|_| range.len() > 1) else {
            continue;
        };
        if sizes_bytes[largest] * 3 <= sizes_bytes[range.clone()].iter().sum::<u64>() * 2 {
            joins.push(range);
        } else {
            rest.extend([largest + 1..range.end, range.start..largest]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MB: u64 = 1 << 20;

    #[test]
    fn what_is_joined_grows_by_half_and_has_an_end() {
        for (sizes_mb, expect) in [
            (vec![], vec![]),
            (vec![1], vec![]),
            (vec![1, 1], vec![(0, 2)]),
            // A year's worth and a month.
            (vec![12, 1], vec![]),
            (vec![12, 1, 1, 1], vec![(1, 4)]),
            (vec![12, 6], vec![(0, 2)]),
            (vec![12, 5], vec![]),
            (vec![12, 5, 1], vec![(0, 3)]),
            (vec![1, 1, 12, 1, 1], vec![(0, 2), (3, 5)]),
            (vec![40, 1, 1], vec![(1, 3)]),
            (vec![1, 1, 32, 1, 1, 1], vec![(0, 2), (3, 6)]),
            (vec![20, 20, 20, 20, 20], vec![(0, 3), (3, 5)]),
            (vec![100, 100], vec![]),
        ] {
            let sizes_bytes: Vec<u64> = sizes_mb.iter().map(|mb| mb * MB).collect();
            let joins = plan(&sizes_bytes).into_iter();
            let joins: Vec<(usize, usize)> = joins.map(|range| (range.start, range.end)).collect();
            assert_eq!(joins, expect, "{sizes_mb:?}");
        }
    }

    #[test]
    fn ten_years_of_months_rewrite_little_and_leave_few() {
        let mut sizes_bytes: Vec<u64> = Vec::new();
        let mut rewritten_bytes = 0;
        for _ in 0..120 {
            sizes_bytes.extend([MB / 30; 30]);
            for range in plan(&sizes_bytes).into_iter().rev() {
                let joined = sizes_bytes[range.clone()].iter().sum();
                rewritten_bytes += joined;
                sizes_bytes.splice(range, [joined]);
            }
            assert!(plan(&sizes_bytes).is_empty(), "joined once more");
        }
        assert!(sizes_bytes.len() < 12, "{sizes_bytes:?}");
        assert!(rewritten_bytes < 120 * MB * 7, "{rewritten_bytes}");
    }
}
