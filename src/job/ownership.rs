//! Whether the data folder belongs to the one who runs the program: a volume of a container often does not.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use super::folders::Folders;

/// Says what is wrong with the data folder, and the command that mends it; `None` where nothing is. Makes the folder.
pub fn complaint(folders: &Folders) -> io::Result<Option<String>> {
    let data = folders.data();
    match fs::create_dir_all(data) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
        made => made?,
    }
    for folder in [
        data.to_owned(),
        folders.archive(),
        folders.ledger(),
        folders.tokens(),
        folders.work(),
        folders.public(),
    ] {
        let there = folder.ancestors().find(|path| path.exists());
        let there = there.unwrap_or(Path::new("."));
        match try_to_write(there) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return words(there, data).map(Some);
            }
            // A full disk or a read-only one is told of by who writes.
            _ => {}
        }
    }
    Ok(None)
}

fn try_to_write(folder: &Path) -> io::Result<()> {
    let probe = folder.join(format!(".sentinel-probe-{}", std::process::id()));
    File::create_new(&probe)?;
    fs::remove_file(probe)
}

fn words(folder: &Path, data: &Path) -> io::Result<String> {
    let owner = fs::metadata(folder)?.uid();
    let (uid, gid) = (
        rustix::process::getuid().as_raw(),
        rustix::process::getgid().as_raw(),
    );
    let (folder, data) = (folder.display(), data.display());
    Ok(format!(
        "{folder} cannot be written: it belongs to user {owner}, and this program runs as user {uid}. Mend it with `sudo \
         chown -R {uid}:{gid} {data}`; for a volume of Docker Compose: `docker compose run --rm --user root --cap-add \
         CHOWN --entrypoint chown dmarc-sentinel -R {uid}:{gid} {data}`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_folder_is_made_and_nothing_is_left_in_it() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        assert_eq!(complaint(&Folders::new(&data)).unwrap(), None);
        assert_eq!(fs::read_dir(data).unwrap().count(), 0);
    }

    #[test]
    fn the_words_name_both_users_and_the_command() {
        let folder = tempfile::tempdir().unwrap();
        let said = words(folder.path(), folder.path()).unwrap();
        let uid = rustix::process::getuid().as_raw();
        assert!(said.contains(&format!("chown -R {uid}:")), "{said}");
    }
}
