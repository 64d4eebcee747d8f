//! The `Authorization` header -> may look, or why not. Compares digests in constant time.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hyper::header::{AUTHORIZATION, HeaderMap};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::settings::StartError;

/// Credentials longer than this are wrong without looking: bounds the work of a stranger's request.
const MAX_CREDENTIALS_BYTES: usize = 4096;

/// Some clients leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The digest of something only its owner knows; equal digests of fixed length leak neither length nor prefix.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl Secret {
    /// Keeps the digest alone.
    pub fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }

    fn matches(&self, given: &[u8]) -> Choice {
        Self::of(given).0.ct_eq(&self.0)
    }
}

/// Who may look at the dashboard.
#[derive(Clone)]
pub enum Auth {
    /// Everybody who reaches the address: loopback only ([`super::check_start`]).
    Open,
    /// One user.
    Basic {
        /// User name.
        user: Secret,
        /// Password.
        password: Secret,
    },
}

impl Auth {
    /// From the credentials of the environment; an empty password is no password.
    pub fn basic(credentials: Credentials<'_>) -> Result<Self, StartError> {
        let Credentials {
            user,
            password,
            user_variable,
            password_variable,
        } = credentials;
        if password.is_empty() {
            return Err(StartError::NoPassword(password_variable.into()));
        }
        if user.is_empty() || user.contains(':') {
            return Err(StartError::UserName(user_variable.into()));
        }
        Ok(Self::Basic {
            user: Secret::of(user.as_bytes()),
            password: Secret::of(password.as_bytes()),
        })
    }
}

/// User name and password, and where they were looked for (for messages); empty where not set.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    /// User name.
    pub user: &'a str,
    /// Password.
    pub password: &'a str,
    /// Environment variable of the user name.
    pub user_variable: &'a str,
    /// Environment variable of the password.
    pub password_variable: &'a str,
}

/// What a path asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    /// Nothing.
    Public,
    /// The dashboard's credentials.
    Dashboard,
    /// The homepage token, or the dashboard's credentials.
    Homepage,
}

/// The outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// May look.
    Allowed,
    /// Nothing was presented: asked for, not counted as a failure.
    Missing,
    /// What was presented is wrong.
    Wrong,
}

/// Judges the credentials in `headers` at `door`.
pub(crate) fn judge(
    auth: &Auth,
    token: Option<&Secret>,
    door: Door,
    headers: &HeaderMap,
) -> Verdict {
    let needs_token = door == Door::Homepage && token.is_some();
    match auth {
        _ if door == Door::Public => return Verdict::Allowed,
        Auth::Open if !needs_token => return Verdict::Allowed,
        _ => {}
    }
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (given.next(), given.next()) else {
        // Two headers are one too many: which of them a proxy looked at is unknown.
        return if headers.contains_key(AUTHORIZATION) {
            Verdict::Wrong
        } else {
            Verdict::Missing
        };
    };
    let allowed = is_right(auth, token.filter(|_| needs_token), value.as_bytes());
    if allowed {
        Verdict::Allowed
    } else {
        Verdict::Wrong
    }
}

/// Whether the request presents credentials at all.
pub(crate) fn presents_credentials(headers: &HeaderMap) -> bool {
    headers.contains_key(AUTHORIZATION)
}

fn is_right(auth: &Auth, token: Option<&Secret>, value: &[u8]) -> bool {
    if value.len() > MAX_CREDENTIALS_BYTES {
        return false;
    }
    let Some(space) = value.iter().position(|byte| *byte == b' ') else {
        return false;
    };
    let (scheme, rest) = value.split_at(space);
    let rest = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return token.is_some_and(|token| token.matches(rest).into());
    }
    scheme.eq_ignore_ascii_case(b"basic") && is_right_basic(auth, rest)
}

fn is_right_basic(auth: &Auth, encoded: &[u8]) -> bool {
    let Auth::Basic { user, password } = auth else {
        return false;
    };
    let Ok(pair) = BASE64.decode(encoded) else {
        return false;
    };
    let Some(colon) = pair.iter().position(|byte| *byte == b':') else {
        return false;
    };
    // `&` of both choices: a right name alone takes as long as a wrong one.
    (user.matches(&pair[..colon]) & password.matches(&pair[colon + 1..])).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(AUTHORIZATION, value.parse().unwrap());
        }
        map
    }

    fn basic(pair: &str) -> String {
        format!(
            "Basic {}",
            base64::engine::general_purpose::STANDARD.encode(pair)
        )
    }

    #[test]
    fn each_door_takes_its_own_credentials_only() {
        let auth = super::tests::auth("admin", "p:ss wörd").unwrap();
        let token = Secret::of(b"t0ken");
        let right = basic("admin:p:ss wörd");
        use Door::{Dashboard, Homepage, Public};
        use Verdict::{Allowed, Missing, Wrong};
        for (door, values, expect) in [
            (Public, vec![], Allowed),
            (Dashboard, vec![], Missing),
            (Homepage, vec![], Missing),
            (Dashboard, vec![right.as_str()], Allowed),
            (Homepage, vec![right.as_str()], Allowed),
            (Homepage, vec!["Bearer t0ken"], Allowed),
            (Homepage, vec!["bearer   t0ken "], Allowed),
            (Dashboard, vec!["Bearer t0ken"], Wrong),
            (Homepage, vec!["Bearer t0ke"], Wrong),
            (Homepage, vec!["Bearer"], Wrong),
            (Dashboard, vec![right.as_str(), right.as_str()], Wrong),
            (Dashboard, vec!["Basic"], Wrong),
            (Dashboard, vec!["Basic !!!"], Wrong),
            (Dashboard, vec!["Digest x"], Wrong),
            (Dashboard, vec![basic("admin").as_str()], Wrong),
            (Dashboard, vec![basic("admin:").as_str()], Wrong),
            (Dashboard, vec![basic("Admin:p:ss wörd").as_str()], Wrong),
            (Dashboard, vec![basic("admin:p:ss wörd ").as_str()], Wrong),
            (Dashboard, vec![right.trim_end_matches('=')], Allowed),
            (
                Dashboard,
                vec![right.replace("Basic", "bAsIc").as_str()],
                Allowed,
            ),
        ] {
            assert_eq!(
                judge(&auth, Some(&token), door, &headers(&values)),
                expect,
                "{door:?} {values:?}"
            );
        }
    }

    #[test]
    fn without_a_token_bearer_opens_nothing() {
        let auth = super::tests::auth("admin", "secret").unwrap();
        for value in ["Bearer ", "Bearer x", "Bearer secret"] {
            assert_eq!(
                judge(&auth, None, Door::Homepage, &headers(&[value])),
                Verdict::Wrong,
                "{value}"
            );
        }
    }

    #[test]
    fn an_open_dashboard_still_asks_for_a_configured_token() {
        let token = Secret::of(b"t0ken");
        assert_eq!(
            judge(&Auth::Open, Some(&token), Door::Dashboard, &headers(&[])),
            Verdict::Allowed
        );
        assert_eq!(
            judge(&Auth::Open, Some(&token), Door::Homepage, &headers(&[])),
            Verdict::Missing
        );
        assert_eq!(
            judge(&Auth::Open, None, Door::Homepage, &headers(&[])),
            Verdict::Allowed
        );
    }

    #[test]
    fn oversized_credentials_are_wrong() {
        let auth = super::tests::auth("admin", "secret").unwrap();
        let long = basic(&format!("admin:{}", "x".repeat(10_000)));
        assert_eq!(
            judge(&auth, None, Door::Dashboard, &headers(&[&long])),
            Verdict::Wrong
        );
    }

    fn auth(user: &str, password: &str) -> Result<Auth, StartError> {
        Auth::basic(Credentials {
            user,
            password,
            user_variable: "USER",
            password_variable: "PASS",
        })
    }

    #[test]
    fn an_empty_password_is_no_password() {
        assert_eq!(
            auth("admin", "").err(),
            Some(StartError::NoPassword("PASS".into()))
        );
        assert_eq!(
            auth("", "x").err(),
            Some(StartError::UserName("USER".into()))
        );
        assert_eq!(
            auth("a:b", "x").err(),
            Some(StartError::UserName("USER".into()))
        );
    }
}
