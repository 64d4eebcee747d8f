//! What `sentinel check` says of the channels that people are told through: whether they can be reached now.

use std::thread;

use super::Findings;
use crate::config::Config;
use crate::model::channel::Channel;
use crate::notify::{SendError, reach};

impl Findings {
    /// Connects to every channel, side by side; sends nothing.
    pub(super) fn look_at_channels(&mut self, config: &Config) {
        let channels = &config.notify.channels;
        if channels.is_empty() {
            return self
                .facts
                .push("channels: nobody is told of alerts".to_owned());
        }
        for (channel, reached) in channels.iter().zip(reach_all(channels)) {
            let (name, kind) = (&channel.name, channel.way.as_str());
            match reached {
                Ok(words) => self
                    .facts
                    .push(format!("channel \"{name}\" ({kind}): {words}")),
                Err(error) => self.add_problem(format!("channel \"{name}\" ({kind}): {error}")),
            }
        }
    }
}

fn reach_all(channels: &[Channel]) -> Vec<Result<String, SendError>> {
    thread::scope(|scope| {
        let looks: Vec<_> = channels
            .iter()
            .map(|channel| thread::Builder::new().spawn_scoped(scope, || reach(channel)))
            .collect();
        looks
            .into_iter()
            .map(|look| {
                let look = look.map_err(|error| SendError::soon(error.to_string()))?;
                look.join()
                    .unwrap_or_else(|_| Err(SendError::soon("the look ended early")))
            })
            .collect()
    })
}
