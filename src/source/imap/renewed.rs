//! Refresh tokens that an endpoint gave in the place of the one before (RFC 6749 section 6). Those of Microsoft 365 end
//! 90 days after they were given, those of others with their first use: a mailbox that is to be read for years needs the
//! newest. They are kept in a private folder, one file for each token of the configuration.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

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
    /// Those that could not be written yet, by their files: the ones before them may be good for nothing any more.
    unwritten: Arc<Mutex<BTreeMap<PathBuf, Secret>>>,
}

impl Renewed {
    /// Kept in a folder, which is made when there is something to keep.
    pub(super) fn kept_in(folder: PathBuf) -> Self {
        Self {
            folder: Some(folder),
            unwritten: Arc::default(),
        }
    }

    /// What grew out of the configured token; `None` where that was never renewed.
    pub(super) fn get(&self, oauth2: &OAuth2, configured: &Secret) -> io::Result<Option<Secret>> {
        let Some(path) = self.path(oauth2, configured) else {
            return Ok(None);
        };
        let unwritten = self.unwritten().get(&path).cloned();
        if let Some(token) = unwritten {
            if write(&path, token.expose()).is_ok() {
                self.unwritten().remove(&path);
            }
            return Ok(Some(token));
        }
        let mut text = String::new();
        let read = File::open(&path).and_then(|file| {
            let mut bounded = file.take(TOKEN_BYTES);
            bounded.read_to_string(&mut text)
        });
        match read {
            Ok(_) => Ok(Some(text.trim()).filter(|t| !t.is_empty()).map(Secret::new)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(durable::named(&path, "reading", &error)),
        }
    }

    /// Keeps what the configured token became; durable on return. After an error it is known as long as the program runs,
    /// and written as soon as that works.
    pub(super) fn keep(&self, oauth2: &OAuth2, configured: &Secret, token: &str) -> io::Result<()> {
        let Some(path) = self.path(oauth2, configured) else {
            return Ok(());
        };
        let written = write(&path, token);
        match &written {
            Ok(()) => self.unwritten().remove(&path),
            Err(_) => self.unwritten().insert(path.clone(), Secret::new(token)),
        };
        written.map_err(|error| durable::named(&path, "writing", &error))
    }

    fn unwritten(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Secret>> {
        self.unwritten
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
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
    let data = folder.parent().unwrap_or(Path::new("."));
    durable::create_folder(data)?;
    match fs::DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => durable::sync_folder(data)?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    // With a name of its own, because another process may write the same token.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(token.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
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

    #[test]
    fn a_token_that_cannot_be_written_is_known_and_written_later() {
        let data = tempfile::tempdir().unwrap();
        let folder = data.path().join("tokens");
        fs::write(&folder, "no folder").unwrap();
        let first = Secret::new("first");
        let renewed = Renewed::kept_in(folder.clone());
        assert!(renewed.keep(&oauth2(), &first, "second").is_err());
        let second = Some(Secret::new("second"));
        assert_eq!(renewed.get(&oauth2(), &first).unwrap(), second);
        fs::remove_file(&folder).unwrap();
        assert_eq!(renewed.get(&oauth2(), &first).unwrap(), second);
        let another = Renewed::kept_in(folder);
        assert_eq!(another.get(&oauth2(), &first).unwrap(), second);
    }
}
