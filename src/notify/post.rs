//! Notices -> wire.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use lettre::Address;

use super::fate::{Delivery, Retry, SendError};
use super::smtp::{Refused, Session};
use super::{mail, telegram, webhook};
use crate::model::channel::{Channel, MailWay, Way};
use crate::model::notice::Notice;

/// By channel and key: addresses that have the notice.
type Had = BTreeMap<(String, String), BTreeSet<String>>;

/// Messages that some recipients have and others do not; of more, some come twice.
const MOST_PARTIAL: usize = 100;

/// Sends notices, and remembers who has one that others are still to get.
#[derive(Debug, Default)]
pub struct Post {
    had: Mutex<Had>,
}

impl Post {
    /// Sends a notice once. After a partial success the next call is for the others alone.
    pub fn send(&self, channel: &Channel, notice: &Notice) -> Result<Delivery, SendError> {
        match &channel.way {
            Way::Mail(way) => self.send_mail(&channel.name, way, notice),
            Way::Telegram(way) => telegram::send(way, notice),
            Way::Webhook(way) => webhook::send(way, notice),
        }
    }

    fn had(&self) -> MutexGuard<'_, Had> {
        self.had.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send_mail(
        &self,
        channel: &str,
        way: &MailWay,
        notice: &Notice,
    ) -> Result<Delivery, SendError> {
        let message = mail::message(way, notice)?;
        let from = mail::address(&way.from)?.email;
        let place = (channel.to_owned(), notice.key().to_owned());
        let before = self.had().get(&place).cloned().unwrap_or_default();
        let to: Vec<Address> = way
            .to
            .iter()
            .filter(|to| !before.contains(&to.address))
            .map(|to| mail::address(to).map(|address| address.email))
            .collect::<Result<_, _>>()?;
        if to.is_empty() {
            // The configuration changed meanwhile: whoever is left has it.
            self.had().remove(&place);
            return Ok(delivered(way, 0));
        }
        let mut session = Session::open(way)?;
        let refused = session.deliver(&from, &to, &message)?;
        session.quit();
        if refused.is_empty() {
            self.had().remove(&place);
            return Ok(delivered(way, to.len()));
        }
        let is_refused = |at: usize| refused.iter().any(|refused| refused.recipient == at);
        let have = to
            .iter()
            .enumerate()
            .filter(|(at, _)| !is_refused(*at))
            .map(|(_, address)| address.to_string());
        let all: BTreeSet<String> = before.into_iter().chain(have).collect();
        let is_partial = !all.is_empty();
        if is_partial {
            let mut had = self.had();
            had.insert(place, all);
            if had.len() > MOST_PARTIAL {
                had.pop_first();
            }
        }
        Err(rejection(way, &refused, is_partial))
    }
}

/// Whether a channel would work, without sending anything.
pub fn reach(channel: &Channel) -> Result<String, SendError> {
    match &channel.way {
        Way::Mail(way) => {
            mail::address(&way.from)?;
            for to in &way.to {
                mail::address(to)?;
            }
            Session::open(way)?.quit();
            Ok(format!("{}:{} takes mail", way.host, way.port))
        }
        Way::Telegram(way) => telegram::reach(way).map(|()| "the bot is known".to_owned()),
        Way::Webhook(way) => webhook::reach(way).map(|()| "the address answers".to_owned()),
    }
}

fn delivered(way: &MailWay, recipients: usize) -> Delivery {
    let noun = if recipients == 1 {
        "recipient"
    } else {
        "recipients"
    };
    Delivery {
        words: format!("taken by {} for {recipients} {noun}", way.host),
    }
}

fn rejection(way: &MailWay, refused: &[Refused], is_partial: bool) -> SendError {
    let is_for_now = refused.iter().any(|refused| refused.is_for_now);
    let said = refused.first().map_or("", |refused| refused.words.as_str());
    let words = format!(
        "{} does not take {} of {} recipients: {said}",
        way.host,
        refused.len(),
        way.to.len()
    );
    SendError {
        is_partial,
        ..SendError::new(
            words,
            if is_for_now {
                Retry::Soon
            } else {
                Retry::NeedsPerson
            },
        )
    }
}
