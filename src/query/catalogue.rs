//! Embedded files and those of the user -> a catalogue, or all problems at once.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use duckdb::{Config, Connection};

use super::check::File;
use super::{Catalogue, EMBEDDED, Panel, Problem, Query};

/// Folders that a user may have under `config/queries/`; `seeds` holds no query, and is read with the configuration.
const USERS_FOLDERS: [&str; 4] = ["alerts", "examples", "panels", "seeds"];

/// Bytes of the largest SQL file of a user.
const MAX_FILE_BYTES: u64 = 1 << 20;

impl Catalogue {
    /// Embedded files and those of `users_folder` (which may be absent); all problems at once.
    ///
    /// The embedded files are checked by a test; at run time only those of the user are.
    pub fn load(users_folder: Option<&Path>) -> Result<Self, Vec<Problem>> {
        let mut catalogue = Self::default();
        let mut problems = Vec::new();
        // The models are statements of the store; pages show their text.
        for (folder, name, text) in EMBEDDED.iter().filter(|(folder, ..)| *folder != "models") {
            let path = format!("queries/{folder}/{name}.sql");
            let file = File {
                path: &path,
                folder,
                name,
                text,
                is_users: false,
            };
            let (query, found) = file.read();
            if *folder == "schema" {
                catalogue.tables.insert(query.name.clone(), query);
            } else {
                problems.extend(found);
                catalogue.queries.insert(query.name.clone(), query);
            }
        }
        if let Some(folder) = users_folder.filter(|folder| folder.exists()) {
            catalogue.add_users(folder, &mut problems);
        }
        problems.sort();
        if problems.is_empty() {
            Ok(catalogue)
        } else {
            Err(problems)
        }
    }

    /// The panels of a page in order.
    pub fn panels(&self, page: &str) -> Vec<(&Query, &Panel)> {
        let all = self.queries.values();
        let mut panels: Vec<(&Query, &Panel)> = all
            .flat_map(|query| query.panels.iter().map(move |panel| (query, panel)))
            .filter(|(_, panel)| panel.page == page)
            .collect();
        // Stable, and the queries come by name.
        panels.sort_by_key(|(_, panel)| panel.order);
        panels
    }

    fn add_users(&mut self, root: &Path, problems: &mut Vec<Problem>) {
        let mut files = Vec::new();
        for (folder, path) in sql_files(root, problems) {
            match read_bounded(&path) {
                Ok(text) => files.push((folder, path, text)),
                Err(error) => problems.push(problem(&path, format!("{error:#}"))),
            }
        }
        let mut users = Vec::new();
        for (folder, path, text) in &files {
            let (path, name) = (path.display().to_string(), stem(path));
            let (query, found) = File {
                path: &path,
                folder,
                name: &name,
                text,
                is_users: true,
            }
            .read();
            let other = self
                .queries
                .get(&name)
                .filter(|other| other.folder != *folder);
            if let Some(other) = other {
                let text = format!("`{name}` is already a query in {}/", other.folder);
                problems.push(Problem {
                    path: path.clone(),
                    line: 1,
                    message: text,
                });
            }
            if found.is_empty() && other.is_none() {
                self.queries.insert(name.clone(), query.clone());
                users.push((path, query));
            }
            problems.extend(found);
        }
        problems.extend(self.check(&users));
    }

    /// Checks files against empty tables.
    fn check(&self, users: &[(String, Query)]) -> Vec<Problem> {
        if users.is_empty() {
            return Vec::new();
        }
        let databases = empty_database(self).and_then(|all| Ok((all, report_database(self)?)));
        let (database, of_report) = match databases {
            Ok(databases) => databases,
            Err(error) => {
                return vec![Problem {
                    path: "queries".to_owned(),
                    line: 1,
                    message: format!("{error:#}"),
                }];
            }
        };
        (users.iter())
            .flat_map(|(path, query)| {
                let (folder, name, text) = (&*query.folder, &*query.name, &*query.text);
                let is_of_report =
                    (query.panels.iter()).any(|panel| LAKE_PAGES.contains(&&*panel.page));
                File {
                    path,
                    folder,
                    name,
                    text,
                    is_users: true,
                }
                .check(query, if is_of_report { &of_report } else { &database })
            })
            .collect()
    }
}

/// Pages that are made on request where they are older than those that are published.
const LAKE_PAGES: [&str; 1] = ["report"];

/// Tables that such a page can ask: those of the lake.
const REPORT_TABLES: [&str; 2] = ["reports", "records"];

/// As [`empty_database`] with [`REPORT_TABLES`] alone.
fn report_database(catalogue: &Catalogue) -> anyhow::Result<Connection> {
    let mut tables = catalogue.tables.clone();
    tables.retain(|name, _| REPORT_TABLES.contains(&name.as_str()));
    empty_database(&Catalogue {
        queries: BTreeMap::new(),
        tables,
    })
}

/// A database in memory with every table of `schema`, empty, and its views.
pub fn empty_database(catalogue: &Catalogue) -> anyhow::Result<Connection> {
    let config = Config::default()
        .enable_external_access(false)?
        .enable_autoload_extension(false)?;
    let database = Connection::open_in_memory_with_flags(config)?;
    create_tables(&database, catalogue)?;
    Ok(database)
}

/// Makes every table of `schema` and its views in a new database.
pub fn create_tables(database: &Connection, catalogue: &Catalogue) -> anyhow::Result<()> {
    let is_view = |query: &&Query| query.text.contains("\ncreate view ");
    let tables = catalogue.tables.values().filter(|query| !is_view(query));
    let views = catalogue.tables.values().filter(is_view);
    for query in tables.chain(views) {
        let name = &query.name;
        database
            .execute_batch(&query.text)
            .with_context(|| format!("creating {name}"))?;
    }
    Ok(())
}

/// `(folder, path)` of every `.sql` file, sorted; other things are named as problems.
fn sql_files(root: &Path, problems: &mut Vec<Problem>) -> Vec<(String, std::path::PathBuf)> {
    let mut files = Vec::new();
    for folder in children(root, problems) {
        let name = file_name(&folder);
        if !folder.is_dir() || !USERS_FOLDERS.contains(&name.as_str()) {
            if !name.starts_with('.') && !name.to_ascii_lowercase().ends_with(".md") {
                let text = format!(
                    "only the folders {} are read here",
                    USERS_FOLDERS.join(", ")
                );
                problems.push(problem(&folder, text));
            }
            continue;
        }
        for path in children(&folder, problems) {
            let file = file_name(&path);
            if name == "seeds" && file != "services.csv" && !file.ends_with(".md") {
                problems.push(problem(&path, "only services.csv is read here".to_owned()));
            } else if path.extension().is_some_and(|ending| ending == "sql") {
                files.push((name.clone(), path));
            }
        }
    }
    files
}

fn children(folder: &Path, problems: &mut Vec<Problem>) -> Vec<std::path::PathBuf> {
    let list = std::fs::read_dir(folder)
        .and_then(|entries| entries.map(|e| e.map(|e| e.path())).collect());
    let mut list: Vec<std::path::PathBuf> = match list {
        Ok(list) => list,
        Err(error) => {
            problems.push(problem(folder, format!("cannot be read: {error}")));
            Vec::new()
        }
    };
    list.sort();
    list
}

fn read_bounded(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::metadata(path).context("cannot be read")?.len();
    anyhow::ensure!(
        bytes <= MAX_FILE_BYTES,
        "is larger than {MAX_FILE_BYTES} bytes"
    );
    let text = std::fs::read_to_string(path).context("cannot be read as UTF-8")?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or_else(|| text.clone(), str::to_owned))
}

fn problem(path: &Path, message: String) -> Problem {
    Problem {
        path: path.display().to_string(),
        line: 1,
        message,
    }
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn stem(path: &Path) -> String {
    path.file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}
