//! The configuration hash: one of the five values that a generation is a function of.

use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Config;
use crate::model::hex::hex;

impl Config {
    /// SHA-256, in hexadecimal digits, over the parts that shape a generation: domains, known senders, services,
    /// limits, site, base path and address, and the user's own query files. Addresses, secrets and schedules are left out.
    pub fn hash(&self) -> io::Result<String> {
        let mut hash = Sha256::new();
        let mut field = |name: &str, value: &str| {
            hash.update(format!("{name} {}\n", value.len()));
            hash.update(value);
        };
        field("domains", &self.domains.join(" "));
        for sender in &self.known_senders {
            field("known_sender", &format!("{sender:?}"));
        }
        // Services of the program are part of the code hash too; those of the user only of this one.
        for service in &self.services {
            field("service", &format!("{service:?}"));
        }
        field("limits", &format!("{:?}", self.limits));
        field("site", &format!("{:?}", self.site));
        field("base_path", &self.server.base_path);
        field("base_url", self.app.base_url.as_deref().unwrap_or_default());
        for (name, text) in users_queries(&self.queries_folder)? {
            field(&name, &text);
        }
        Ok(hex(&hash.finalize()))
    }
}

/// Relative name and text of every `.sql` file in the folder and its sub-folders, sorted; empty when there is none.
fn users_queries(folder: &Path) -> io::Result<Vec<(String, String)>> {
    let mut found = Vec::new();
    if folder.is_dir() {
        collect(folder, "", 0, &mut found)?;
    }
    found.sort();
    Ok(found)
}

fn collect(
    folder: &Path,
    prefix: &str,
    depth: u32,
    found: &mut Vec<(String, String)>,
) -> io::Result<()> {
    const DEEPEST: u32 = 4;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = format!(
            "{prefix}{}",
            path.file_name().unwrap_or_default().to_string_lossy()
        );
        if path.is_dir() && depth < DEEPEST {
            collect(&path, &format!("{name}/"), depth + 1, found)?;
        } else if path.extension().is_some_and(|e| e == "sql") {
            let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
            found.push((name, text));
        }
    }
    Ok(())
}
