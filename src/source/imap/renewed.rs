//! Refresh tokens that an endpoint gave in the place of the one before (RFC 6749 section 6). Those of Microsoft 365 end
//! 90 days after they were given, those of others with their first use: a mailbox that is to be read for years needs the
//! newest. They are kept in a private folder, one file for each token of the configuration.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::durable;
use crate::model::hex::hex;
use crate::model::inbox::OAuth2;
use crate::model::secret::Secret;

/// No token is longer.
const TOKEN_BYTES: u64 = 64 << 10;

/// The newest refresh tokens.
#[derive(Debug, Clone, Default)]
pub(super) struct Renewed {
    /// `None`: nothing is kept.
    folder: Option<PathBuf>,
}

impl Renewed {
    /// Kept in a folder, which is made when there is something to keep.
    pub(super) fn kept_in(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
        }
    }

    /// What grew out of the configured token; `None` where that was never renewed.
    pub(super) fn get(&self, oauth2: &OAuth2, configured: &Secret) -> io::Result<Option<Secret>> {
        let Some(path) = self.path(oauth2, configured) else {
            return Ok(None);
        };
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| {
            let mut bounded = file.take(TOKEN_BYTES);
            bounded.read_to_string(&mut text)
        });
        match read {
            Ok(_) => Ok(Some(Secret::new(text.trim()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(durable::named(&path, "reading", &error)),
        }
    }

    /// Keeps what the configured token became; durable on return.
    pub(super) fn keep(&self, oauth2: &OAuth2, configured: &Secret, token: &str) -> io::Result<()> {
        let Some(path) = self.path(oauth2, configured) else {
            return Ok(());
        };
        write(&path, token).map_err(|error| durable::named(&path, "writing", &error))
    }

    /// Another configured token is another file: one that a person has put in counts at once.
    fn path(&self, oauth2: &OAuth2, configured: &Secret) -> Option<PathBuf> {
        let mut hash = Sha256::new();
        for part in [
            oauth2.token_url.as_str(),
            &oauth2.client_id,
            configured.expose(),
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let name = format!("{}.token", &hex(&hash.finalize())[..32]);
        Some(self.folder.as_ref()?.join(name))
    }
}

/// All or nothing, and for nobody else to read.
fn write(path: &Path, token: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut private = fs::DirBuilder::new();
    private.recursive(true).mode(0o700).create(folder)?;
    // Another process may write the same file.
    let temp = path.with_extension(format!("{}.tmp", std::process::id()));
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&temp)?;
    file.write_all(token.as_bytes())?;
    file.sync_all()?;
    fs::rename(&temp, path)?;
    durable::sync_folder(folder)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::model::secret::FromEnvironment;

    fn oauth2() -> OAuth2 {
        OAuth2 {
            token_url: "https://login.example/token".to_owned(),
            client_id: "client".to_owned(),
            client_secret: None,
            refresh_token: FromEnvironment {
                variable: "TOKEN".to_owned(),
                secret: None,
            },
            scope: None,
        }
    }

    #[test]
    fn the_newest_token_counts_until_a_person_puts_in_another() {
        let folder = tempfile::tempdir().unwrap();
        let renewed = Renewed::kept_in(folder.path().join("tokens"));
        let (first, other) = (Secret::new("first"), Secret::new("other"));
        assert_eq!(renewed.get(&oauth2(), &first).unwrap(), None);
        for token in ["second", "third"] {
            renewed.keep(&oauth2(), &first, token).unwrap();
            let newest = renewed.get(&oauth2(), &first).unwrap();
            assert_eq!(newest, Some(Secret::new(token)));
        }
        assert_eq!(renewed.get(&oauth2(), &other).unwrap(), None);
        let files: Vec<_> = fs::read_dir(folder.path().join("tokens"))
            .unwrap()
            .map(|entry| entry.unwrap().metadata().unwrap().permissions().mode() & 0o777)
            .collect();
        assert_eq!(files, [0o600]);
    }
}
