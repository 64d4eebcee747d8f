//! Waiting for the server to tell of new mail (RFC 2177).

use std::time::Duration;

use imap::extensions::idle::WaitOutcome;
use imap::types::UnsolicitedResponse;

use super::{ImapError, Session};

/// What a server may say while it is waited for.
const NEWS_BYTES: u64 = 1 << 20;

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// The number of messages changed.
    Mail,
    /// Nothing happened for the whole time.
    None,
}

impl Session {
    /// Waits for news of the open folder, `wait` at most. Servers end connections that are silent for half an hour, and
    /// routers sooner: the caller waits again and again.
    pub fn wait_for_news(&mut self, wait: Duration) -> Result<News, ImapError> {
        let outcome = self.command("wait for new mail", NEWS_BYTES, |imap| {
            let mut handle = imap.idle();
            handle.timeout(wait).keepalive(false);
            handle.wait_while(|response| {
                let is_news = matches!(
                    response,
                    UnsolicitedResponse::Exists(_)
                        | UnsolicitedResponse::Recent(_)
                        | UnsolicitedResponse::Bye { .. }
                );
                !is_news
            })
        })?;
        Ok(match outcome {
            WaitOutcome::MailboxChanged => News::Mail,
            WaitOutcome::TimedOut => News::None,
        })
    }
}
