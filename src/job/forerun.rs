//! A source that is read in a thread of its own, ahead of whoever takes its items: the next ones come over the network
//! while those before them are hashed and archived.

use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::{Result, anyhow};

use super::collect::{Sink, Source};
use super::threads::spawn;
use crate::source::FoundItem;

/// Items that are handed over together at most.
const PARCEL_ITEMS: usize = 64;
/// Bytes of them, unless one is larger.
const PARCEL_BYTES: usize = 256 << 10;
/// Parcels that wait to be taken; another one is being filled, and one emptied.
const WAITING_PARCELS: usize = 1;

/// Items on their way, and whether the next one may be long in coming.
#[derive(Default)]
struct Parcel {
    items: Vec<FoundItem>,
    is_rest: bool,
}

/// Hands over all items of a source, in order, as [`Source::items`] does.
pub(super) fn items(source: &mut dyn Source, sink: &mut dyn Sink) -> Result<()> {
    thread::scope(|scope| {
        let (to_taker, parcels) = sync_channel(WAITING_PARCELS);
        let reading = spawn(scope, "fetch", move || {
            let mut packing = Packing {
                parcel: Parcel::default(),
                parcel_bytes: 0,
                to_taker,
            };
            let read = source.items(&mut packing);
            // Where nobody takes them, that is told of already.
            packing.send();
            read
        })?;
        for parcel in &parcels {
            let wants_more = parcel.items.into_iter().all(|item| sink.take(item));
            if !wants_more || (parcel.is_rest && !sink.rest()) {
                break;
            }
        }
        // The source notices by it that nobody wants more.
        drop(parcels);
        reading
            .join()
            .map_err(|_| anyhow!("reading the input stopped short"))?
    })
}

struct Packing {
    parcel: Parcel,
    parcel_bytes: usize,
    to_taker: SyncSender<Parcel>,
}

impl Packing {
    fn send(&mut self) -> bool {
        self.parcel_bytes = 0;
        let parcel = std::mem::take(&mut self.parcel);
        self.to_taker.send(parcel).is_ok()
    }
}

impl Sink for Packing {
    fn take(&mut self, found: FoundItem) -> bool {
        self.parcel_bytes += found.content.as_ref().map_or(found.head.len(), Vec::len);
        self.parcel.items.push(found);
        let is_full = self.parcel.items.len() >= PARCEL_ITEMS || self.parcel_bytes >= PARCEL_BYTES;
        !is_full || self.send()
    }

    fn rest(&mut self) -> bool {
        self.parcel.is_rest = true;
        self.send()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::item::{ItemKind, Provenance};

    const ITEMS: usize = 1000;

    fn item(number: usize) -> FoundItem {
        FoundItem {
            kind: ItemKind::Mail,
            provenance: Provenance::default(),
            content: Ok(number.to_string().into_bytes()),
            head: Vec::new(),
        }
    }

    /// Rests after every hundredth item; says how many were wanted.
    struct Numbers(usize);

    impl Source for Numbers {
        fn is_endless(&self) -> bool {
            true
        }

        fn items(&mut self, sink: &mut dyn Sink) -> Result<()> {
            for number in 1..=ITEMS {
                if !sink.take(item(number)) || (number.is_multiple_of(100) && !sink.rest()) {
                    return Ok(());
                }
                self.0 = number;
            }
            Err(anyhow!("the last one cannot be read"))
        }
    }

    #[derive(Default)]
    struct Taken {
        items: Vec<FoundItem>,
        rests_after: Vec<usize>,
        wanted: usize,
    }

    impl Sink for Taken {
        fn take(&mut self, found: FoundItem) -> bool {
            self.items.push(found);
            self.items.len() < self.wanted
        }

        fn rest(&mut self) -> bool {
            self.rests_after.push(self.items.len());
            true
        }
    }

    #[test]
    fn items_and_rests_come_in_order_and_so_does_the_error_behind_them() {
        let mut taken = Taken {
            wanted: ITEMS + 1,
            ..Taken::default()
        };
        let read = items(&mut Numbers(0), &mut taken);
        assert_eq!(read.unwrap_err().to_string(), "the last one cannot be read");
        let contents = taken.items.into_iter().map(|item| item.content.unwrap());
        assert!(contents.eq((1..=ITEMS).map(|number| number.to_string().into_bytes())));
        let rests: Vec<usize> = (100..=ITEMS).step_by(100).collect();
        assert_eq!(taken.rests_after, rests);
    }

    #[test]
    fn a_source_that_nobody_listens_to_ends_soon() {
        let mut taken = Taken {
            wanted: 10,
            ..Taken::default()
        };
        let mut source = Numbers(0);
        items(&mut source, &mut taken).unwrap();
        assert_eq!(taken.items.len(), 10);
        let most = PARCEL_ITEMS * (WAITING_PARCELS + 2);
        assert!(source.0 < most, "{} of {ITEMS}", source.0);
    }
}
