//! Whether what is published is what the archive and the ledger give.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::load::load;
use super::publish::{Extent, Publication, publish};
use super::retention;
use super::run::{Progress, Run, beside};
use crate::archive::Archive;
use crate::ledger::Ledger;
use crate::publish::{FileEntry, Generation, Publisher};
use crate::store::addresses::Shown;
use crate::store::working::Store;

/// What a verification found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Number of the generation.
    pub generation: u64,
    /// Items it stands on.
    pub items: u64,
    /// Files compared byte for byte.
    pub files: usize,
    /// What differs, a line each; empty when nothing does.
    pub differences: Vec<String>,
}

/// Builds the published generation again, from the same five values, in a folder of its own, and compares.
pub fn verify(run: &Run, progress: &mut dyn FnMut(Progress)) -> Result<Verified> {
    let publisher = Publisher::open(&run.folders.public());
    let live = publisher.current()?.context("nothing is published yet")?;
    let mut verified = Verified {
        generation: live.number,
        items: live.manifest.values.archive_position,
        files: live.manifest.files.len(),
        differences: Vec::new(),
    };
    let (values, store) = (&live.manifest.values, &run.store);
    for (what, had, has) in [
        ("program", &values.code_hash, &store.code_hash),
        (
            "configuration",
            &values.config_hash,
            &store.effective_hash(),
        ),
    ] {
        if had != has {
            verified.differences.push(format!(
                "it was made by another {what}: run `sentinel rebuild` first"
            ));
        }
    }
    if verified.differences.is_empty() {
        let scratch = run.folders.work().join("verify");
        clear(&scratch)?;
        let compared = again(run, &live, &scratch, progress);
        clear(&scratch)?;
        verified.differences = compared?;
    }
    Ok(verified)
}

fn again(
    run: &Run,
    live: &Generation,
    scratch: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<Vec<String>> {
    let values = live.manifest.values.clone();
    let archive = Archive::open(&run.folders.archive()).context("opening the archive")?;
    ensure!(
        archive.position() >= values.archive_position,
        "the archive ends at item {}, what is published stands on {} items",
        archive.position(),
        values.archive_position
    );
    let ledger = Ledger::open(&run.folders.ledger()).context("opening the ledger")?;
    let (entries, _) = ledger
        .read(Some(values.ledger_offset))
        .context("reading the ledger")?;
    let run = &retention::of(run, &entries);
    let config = beside(&run.store, &scratch.join("sentinel.duckdb"));
    let mut store = Store::open(config.clone())?;
    load(&archive, &mut store, values.archive_position, progress)?;
    let publication = Publication {
        publisher: &Publisher::open(&scratch.join("public")),
        entries: &entries,
        values,
        draw: run.draw,
        now_utc_secs: run.started_utc_secs,
        extent: Extent::Everything,
        shown: Shown::default(),
        watch: run.watch,
    };
    let made = publish(store, publication)?.context("the rebuilt generation was not published")?;
    let mut differences = file_differences(live, &made)?;
    differences.extend(table_differences(live, Store::open(config)?)?);
    Ok(differences)
}

/// The manifest's hashes are compared with those of the rebuilt files, and the live files with their manifest.
fn file_differences(live: &Generation, made: &Generation) -> Result<Vec<String>> {
    let (had, has) = (&live.manifest.files, &made.manifest.files);
    let mut differences = Vec::new();
    for (path, entry) in had {
        match has.get(path) {
            None => differences.push(format!("{path}: published, and a rebuild does not give it")),
            Some(other) if other != entry => {
                differences.push(format!("{path}: a rebuild gives other bytes"))
            }
            Some(_) if !is_intact(live, path, entry) => {
                differences.push(format!("{path}: changed on disk"))
            }
            Some(_) => {}
        }
    }
    let missing = |files: &BTreeMap<String, FileEntry>, path: &String| !files.contains_key(path);
    differences.extend(
        has.keys()
            .filter(|path| missing(had, path))
            .map(|path| format!("{path}: not published")),
    );
    Ok(differences)
}

fn is_intact(live: &Generation, path: &str, entry: &FileEntry) -> bool {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    let read = fs::File::open(live.folder.join(path))
        .and_then(|mut file| std::io::copy(&mut file, &mut hash));
    let hex: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    read.is_ok() && hex == entry.sha256
}

fn table_differences(live: &Generation, store: Store) -> Result<Vec<String>> {
    let Some(published) = live.database() else {
        return Ok(vec!["the database is not published".into()]);
    };
    store.attach(&published)?;
    let differences = store.differences()?;
    store.detach()?;
    store.close()?;
    Ok(differences)
}

fn clear(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}
