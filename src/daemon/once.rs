//! What the driver finds again and again is told of once, and so is its end.

use super::drive::Driver;
use super::plan::Looked;
use crate::job::disk::{self, Room};
use crate::job::visit::Visit;

impl Driver {
    /// Leaves alone what a server does not heed.
    pub(super) fn let_be(&mut self, index: usize, visit: &mut Visit) {
        let count = visit.let_be(self.left_of(index));
        let inbox = visit.name();
        if count == 0 {
            self.unheeded.remove(&index);
        } else if self.unheeded.insert(index) {
            tracing::warn!(
                inbox,
                "{count} messages were marked, moved or deleted, and are as they were: the server does not heed it, or \
                 somebody undid it; they are left alone until the next start"
            );
        }
    }

    /// A failure is told of once, and so is its end.
    pub(super) fn tell_of(&mut self, index: usize, looked: &Looked) {
        let inbox = &self.common.inboxes[index].name;
        match looked {
            Looked::Failed { error, .. } => {
                if self.told.insert(index, error.clone()).as_ref() != Some(error) {
                    tracing::warn!(inbox, "cannot be read: {error}");
                }
            }
            _ => {
                if self.told.remove(&index).is_some() {
                    tracing::info!(inbox, "can be read again");
                }
            }
        }
    }

    /// A disk that cannot be looked at has room, as far as anybody knows; that is said.
    pub(super) fn look_at_disk(&self) -> Room {
        let room = disk::room(&self.common.folders, self.common.min_free_bytes);
        let (room, error) = match room {
            Ok(room) => (room, None),
            Err(error) => {
                let room = Room {
                    shortage: None,
                    is_enough_to_tidy: true,
                };
                (room, Some(error.to_string()))
            }
        };
        self.status_mut(|status| {
            if status.disk_error != error {
                match &error {
                    Some(error) => tracing::warn!("how full the disk is cannot be told: {error}"),
                    None => tracing::info!("how full the disk is can be told again"),
                }
            }
            status.disk_error = error;
        });
        room
    }
}
