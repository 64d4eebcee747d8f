//! Access tokens for XOAUTH2, from a refresh token (RFC 6749 section 6).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ImapError;
use super::error::shown;
use super::renewed::Renewed;
use crate::clock;
use crate::http;
use crate::model::inbox::OAuth2;
use crate::model::secret::Secret;
use crate::tls::Trust;

/// A token is asked for anew so long before it ends.
const MARGIN: Duration = Duration::from_secs(60);
/// Where the endpoint does not say how long a token is good for.
const USUAL_SECS: u64 = 300;
/// No token is taken to be good for longer.
const LONGEST_SECS: u64 = 24 * 3600;

/// Refresh tokens that are tried for one access token: the newest, what another process made of it meanwhile, and the one
/// of the configuration.
const TRIES: usize = 3;

/// Tokens that are still good, for everybody who has a copy of this.
#[derive(Clone, Default)]
pub struct Tokens {
    good: Arc<Mutex<Good>>,
    asking: Arc<Mutex<Asking>>,
    renewed: Renewed,
}

/// Who asks with a refresh token asks alone: it may be good for one use.
type Asking = BTreeMap<[String; 2], Arc<Mutex<()>>>;

/// By what they were asked for with: the endpoint and the refresh token.
type Good = BTreeMap<[String; 2], (Secret, Instant)>;

/// What the endpoint answers.
#[derive(serde::Deserialize)]
struct Answer {
    access_token: Option<String>,
    /// Seconds; some write them as text.
    expires_in: Option<serde_json::Value>,
    /// In the place of the one that was given.
    refresh_token: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// What was asked for.
struct Granted {
    access_token: String,
    expires_in_secs: u64,
}

impl Tokens {
    /// With renewed refresh tokens in a private folder.
    pub fn kept_in(folder: PathBuf) -> Self {
        Self {
            good: Arc::default(),
            asking: Arc::default(),
            renewed: Renewed::kept_in(folder),
        }
    }

    /// A token that is good for a while.
    pub(super) fn access_token(&self, oauth2: &OAuth2) -> Result<String, ImapError> {
        let refresh_token = oauth2.refresh_token.get()?;
        let key = [oauth2.token_url.clone(), refresh_token.expose().to_owned()];
        let asking = Arc::clone(lock(&self.asking).entry(key.clone()).or_default());
        let _alone = lock(&asking);
        let now = clock::instant();
        let known = lock(&self.good).get(&key).cloned();
        if let Some((token, _)) = known.filter(|(_, until)| *until > now) {
            return Ok(token.expose().to_owned());
        }
        let granted = self.ask_with_newest(oauth2, refresh_token)?;
        let until = now + good_for(granted.expires_in_secs);
        let token = granted.access_token;
        lock(&self.good).insert(key, (Secret::new(token.clone()), until));
        Ok(token)
    }

    /// Asks with the newest refresh token that is known, and with the configured one where that is not taken any more.
    fn ask_with_newest(&self, oauth2: &OAuth2, configured: &Secret) -> Result<Granted, ImapError> {
        let mut tried: Vec<Secret> = Vec::new();
        let mut first_refusal = None;
        while tried.len() < TRIES {
            let newest = self.newest(oauth2, configured);
            let next = [newest, configured.clone()];
            let Some(next) = next.into_iter().find(|one| !tried.contains(one)) else {
                break;
            };
            let answer = ask(oauth2, &next)?;
            if let Some(access_token) = answer.access_token {
                let is_newer = |new: &String| !new.trim().is_empty() && new != next.expose();
                if let Some(newer) = answer.refresh_token.filter(is_newer) {
                    self.keep(oauth2, configured, &newer);
                }
                return Ok(Granted {
                    access_token,
                    expires_in_secs: secs(answer.expires_in.as_ref()),
                });
            }
            let is_used_up = answer.error.as_deref() == Some("invalid_grant");
            let said = [answer.error, answer.error_description];
            let said: Vec<String> = said.into_iter().flatten().collect();
            let refusal = ImapError::Token(shown(&said.join(": ")));
            if !is_used_up {
                // To present an older one would make some providers withdraw them all.
                return Err(refusal);
            }
            first_refusal.get_or_insert(refusal);
            tried.push(next);
        }
        let nothing = || ImapError::Token("no refresh token is taken".to_owned());
        Err(first_refusal.unwrap_or_else(nothing))
    }

    fn newest(&self, oauth2: &OAuth2, configured: &Secret) -> Secret {
        let renewed = self.renewed.get(oauth2, configured);
        let renewed = renewed.unwrap_or_else(|error| {
            tracing::warn!("the configured refresh token is used: {error}");
            None
        });
        renewed.unwrap_or_else(|| configured.clone())
    }

    /// The access token is good whether this can be kept or not.
    fn keep(&self, oauth2: &OAuth2, configured: &Secret, token: &str) {
        if let Err(error) = self.renewed.keep(oauth2, configured, token) {
            tracing::error!(
                "the token endpoint gave a new refresh token, which cannot be kept: {error}"
            );
        }
    }

    /// Forgets the tokens of an endpoint where a login was refused: they may have been withdrawn.
    pub(super) fn forget(&self, oauth2: &OAuth2) {
        lock(&self.good).retain(|[token_url, _], _| *token_url != oauth2.token_url);
    }
}

/// What a panic left behind is as good as before.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn secs(said: Option<&serde_json::Value>) -> u64 {
    let number = said.and_then(|said| said.as_u64().or_else(|| said.as_str()?.parse().ok()));
    number.unwrap_or(USUAL_SECS)
}

/// How long a token is used; the endpoint may say anything.
fn good_for(secs: u64) -> Duration {
    Duration::from_secs(secs.min(LONGEST_SECS)).saturating_sub(MARGIN)
}

fn ask(oauth2: &OAuth2, refresh_token: &Secret) -> Result<Answer, ImapError> {
    let mut fields = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh_token.expose()),
        ("client_id", &oauth2.client_id),
    ];
    if let Some(secret) = &oauth2.client_secret {
        fields.push(("client_secret", secret.get()?.expose()));
    }
    if let Some(scope) = &oauth2.scope {
        fields.push(("scope", scope));
    }
    let failed = |error: &dyn std::fmt::Display| ImapError::Token(shown(&error.to_string()));
    let trust = Trust::new(None).map_err(|error| failed(&error))?;
    let reply =
        http::post_form(&trust, &oauth2.token_url, &fields).map_err(|error| failed(&error))?;
    match serde_json::from_slice(&reply.body) {
        Ok(answer) => Ok(answer),
        Err(_) => Err(ImapError::Token(format!(
            "the token endpoint answers with status {} and no JSON",
            reply.status
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_an_endpoint_says_of_its_token_is_a_time_that_comes() {
        for (secs, expect_secs) in [(0, 0), (59, 0), (3600, 3540), (u64::MAX, LONGEST_SECS - 60)] {
            assert_eq!(good_for(secs), Duration::from_secs(expect_secs), "{secs}");
        }
    }
}
