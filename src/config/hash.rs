//! The configuration hash: one of the five values that a generation is a function of.

use std::io;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::Config;
use crate::model::hex::hex;

impl Config {
    /// SHA-256, in hexadecimal digits, over the parts that shape a generation: those of [`Config::load_hash`], site,
    /// rules, base path and address, and the user's own query files. Addresses, secrets and schedules are left out.
    pub fn hash(&self) -> io::Result<String> {
        let mut fields = Fields::default();
        fields.add("load", &self.load_hash());
        fields.add("site", &format!("{:?}", self.site));
        let days = self.alerts.resolve_after_days;
        fields.add("resolve_after_days", &days.to_string());
        let secs = self.alerts.rule_time_limit_secs;
        fields.add("rule_time_limit_secs", &secs.to_string());
        for (name, rule) in &self.alerts.rules {
            let params: Vec<(&str, &str)> = (rule.params.iter())
                .map(|(name, _, text)| (name.as_str(), text.as_str()))
                .collect();
            let says = format!("{} {:?} {params:?}", rule.is_off, rule.severity);
            fields.add(&format!("rule {name}"), &says);
        }
        fields.add("base_path", &self.server.base_path);
        fields.add("base_url", self.app.base_url.as_deref().unwrap_or_default());
        for (name, text) in users_queries(&self.queries_folder)? {
            fields.add(&name, &text);
        }
        Ok(fields.end())
    }

    /// The same over the parts that shape rows as they are loaded: domains, known senders, services and limits.
    pub fn load_hash(&self) -> String {
        let mut fields = Fields::default();
        fields.add("domains", &self.domains.join(" "));
        for sender in &self.known_senders {
            fields.add("known_sender", &format!("{sender:?}"));
        }
        for service in &self.services {
            fields.add("service", &format!("{service:?}"));
        }
        fields.add("limits", &format!("{:?}", self.limits));
        fields.end()
    }
}

/// A hash over named texts, whose ends are told.
#[derive(Default)]
struct Fields(Sha256);

impl Fields {
    fn add(&mut self, name: &str, value: &str) {
        self.0.update(format!("{name} {}\n", value.len()));
        self.0.update(value);
    }

    fn end(self) -> String {
        hex(&self.0.finalize())
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
