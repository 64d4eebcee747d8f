//! Access tokens for XOAUTH2, from a refresh token (RFC 6749 section 6).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::ImapError;
use super::error::shown;
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

/// Tokens that are still good, for everybody who has a copy of this.
#[derive(Clone, Default)]
pub struct Tokens(Arc<Mutex<Good>>);

/// By what they were asked for with: the endpoint and the refresh token.
type Good = BTreeMap<[String; 2], (Secret, Instant)>;

/// What the endpoint answers.
#[derive(serde::Deserialize)]
struct Answer {
    access_token: Option<String>,
    expires_in: Option<u64>,
    error: Option<String>,
    error_description: Option<String>,
}

impl Tokens {
    /// A token that is good for a while.
    pub(super) fn access_token(&self, oauth2: &OAuth2) -> Result<String, ImapError> {
        let refresh_token = oauth2.refresh_token.get()?;
        let key = [oauth2.token_url.clone(), refresh_token.expose().to_owned()];
        let now = clock::instant();
        let known = self
            .lock()
            .get(&key)
            .filter(|(_, until)| *until > now)
            .cloned();
        if let Some((token, _)) = known {
            return Ok(token.expose().to_owned());
        }
        let answer = ask(oauth2, refresh_token)?;
        let token = match answer {
            Answer {
                access_token: Some(token),
                ..
            } => token,
            refused => {
                let said = [refused.error, refused.error_description];
                let said: Vec<String> = said.into_iter().flatten().collect();
                return Err(ImapError::Token(shown(&said.join(": "))));
            }
        };
        let secs = answer.expires_in.unwrap_or(USUAL_SECS);
        let until = now + good_for(secs);
        self.lock().insert(key, (Secret::new(token.clone()), until));
        Ok(token)
    }

    /// Forgets the tokens of an endpoint where a login was refused: they may have been withdrawn.
    pub(super) fn forget(&self, oauth2: &OAuth2) {
        self.lock()
            .retain(|[token_url, _], _| *token_url != oauth2.token_url);
    }

    fn lock(&self) -> MutexGuard<'_, Good> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
