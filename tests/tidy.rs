//! The sources hold to the architecture and to the style: arrows between rooms, one owner of each foreign crate,
//! names, lengths, SQL files, nothing of a workplace.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Which rooms a room may use, beside itself and `model`. A new arrow is a decision: a line here, in its own commit.
const ARROWS: [(&str, &[&str]); 26] = [
    ("addresses", &["clock"]),
    ("alert", &["query"]),
    ("archive", &["durable"]),
    (
        "cli",
        &[
            "addresses",
            "alert",
            "archive",
            "clock",
            "config",
            "daemon",
            "demo",
            "http",
            "job",
            "ledger",
            "mail",
            "notify",
            "parse",
            "publish",
            "query",
            "render",
            "serve",
            "source",
            "store",
            "tls",
            "unpack",
        ],
    ),
    ("clock", &[]),
    ("config", &["addresses", "http"]),
    (
        "daemon",
        &[
            "alert", "archive", "clock", "http", "job", "ledger", "source", "store", "tls",
        ],
    ),
    ("demo", &[]),
    (
        "job",
        &[
            "addresses",
            "alert",
            "archive",
            "clock",
            "config",
            "durable",
            "ledger",
            "mail",
            "parse",
            "publish",
            "query",
            "render",
            "source",
            "store",
            "unpack",
        ],
    ),
    ("durable", &[]),
    ("http", &["clock", "tls"]),
    ("ledger", &["durable"]),
    ("lib", &[]),
    ("mail", &["unpack"]),
    ("main", &["cli"]),
    ("model", &[]),
    ("notify", &["http", "ledger", "tls"]),
    ("parse", &["unpack"]),
    ("publish", &["durable"]),
    ("query", &[]),
    ("render", &["query"]),
    ("serve", &["ledger", "publish", "query", "render"]),
    (
        "source",
        &["clock", "durable", "http", "mail", "tls", "unpack"],
    ),
    ("store", &["addresses", "ledger", "parse", "query"]),
    ("tls", &["clock"]),
    ("unpack", &[]),
];

const LONGEST_FILE_LINES: usize = 400;
const LONGEST_TEST_FILE_LINES: usize = 600;
const LONGEST_FUNCTION_LINES: usize = 60;
const LONGEST_SQL_LINES: usize = 60;

/// A source file without the tests at its end.
struct Source {
    path: String,
    room: String,
    text: String,
    is_test: bool,
}

impl Source {
    /// Lines that are compiled into the product, without comments, each with its number.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let end = self
            .text
            .lines()
            .position(|line| line == "mod tests {")
            .unwrap_or(usize::MAX);
        let lines = self
            .text
            .lines()
            .enumerate()
            .take(if self.is_test { 0 } else { end });
        lines.map(|(index, line)| {
            (
                index + 1,
                line.split_once("//").map_or(line, |(code, _)| code),
            )
        })
    }
}

fn checkout() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder`, relative to the checkout, sorted.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = fs::read_dir(checkout().join(&folder)) else {
            continue;
        };
        for entry in entries {
            let entry = entry.unwrap();
            let path = folder.join(entry.file_name());
            if entry.file_type().unwrap().is_dir() {
                folders.push(path)
            } else {
                found.push(path)
            }
        }
    }
    found.sort();
    found
}

fn read(path: &Path) -> String {
    fs::read_to_string(checkout().join(path))
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn sources() -> Vec<Source> {
    let rust = files("src")
        .into_iter()
        .filter(|path| path.extension().is_some_and(|e| e == "rs"));
    rust.map(|path| {
        let shown = path.to_string_lossy().into_owned();
        let below = shown.strip_prefix("src/").unwrap();
        let room = below.split(['/', '.']).next().unwrap().to_owned();
        let stem = path.file_stem().unwrap().to_string_lossy().into_owned();
        let is_test =
            below.contains("/tests/") || stem.contains("tests") || stem.contains("fixture");
        Source {
            text: read(&path),
            path: shown,
            room,
            is_test,
        }
    })
    .collect()
}

/// The first names behind `crate::` in a line, those of a group in braces too.
fn rooms_named(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => found.push(std::mem::take(&mut name)),
                    _ if depth == 0 => name.push(c),
                    _ => {}
                }
            }
            found.push(name);
        } else {
            found.push(rest.to_owned());
        }
    }
    let word = |text: &String| {
        text.trim()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .next()
            .unwrap()
            .to_owned()
    };
    found
        .iter()
        .map(word)
        .filter(|name| !name.is_empty())
        .collect()
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let arrows: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = BTreeSet::new();
    for source in sources() {
        let Some(allowed) = arrows.get(source.room.as_str()) else {
            wrong.insert(format!(
                "{}: the room is not in the table of arrows",
                source.path
            ));
            continue;
        };
        for (number, line) in source.code() {
            for used in rooms_named(line) {
                let is_room = arrows.contains_key(used.as_str());
                let may =
                    used == source.room || used == "model" || allowed.contains(&used.as_str());
                if is_room && !may {
                    wrong.insert(format!(
                        "{}:{number}: {} may not use {used}",
                        source.path, source.room
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Crate name as written in code -> rooms that own it, from the comments of Cargo.toml; empty where anybody may.
fn owners() -> BTreeMap<String, Vec<String>> {
    let manifest = read(Path::new("Cargo.toml"));
    let section = manifest
        .split("\n[dependencies]\n")
        .nth(1)
        .unwrap()
        .split("\n[")
        .next()
        .unwrap();
    let mut owners = BTreeMap::new();
    let mut comment = String::new();
    let mut is_new = true;
    for line in section.lines() {
        if let Some(text) = line.strip_prefix('#') {
            if is_new {
                comment.clear();
            }
            is_new = false;
            comment.push_str(text);
        } else if let Some((name, _)) = line.split_once(" = ") {
            assert!(!comment.is_empty(), "{name} has no reason in Cargo.toml");
            let named = comment.split_once("owner:").map_or("", |(_, rooms)| rooms);
            let rooms = named
                .split_whitespace()
                .filter_map(|word| word.trim_end_matches([',', ';']).strip_suffix('/'));
            owners.insert(
                name.trim().replace('-', "_"),
                rooms.map(str::to_owned).collect(),
            );
            // The next line may be of the same comment.
            is_new = true;
        }
    }
    owners
}

#[test]
fn foreign_crates_are_used_by_their_owners_only() {
    let owners = owners();
    assert!(owners.len() > 20, "Cargo.toml was read: {owners:?}");
    let mut wrong = BTreeSet::new();
    for source in sources() {
        for (number, line) in source.code() {
            for (name, rooms) in &owners {
                let is_used = line.match_indices(&format!("{name}::")).any(|(at, _)| {
                    let before = line[..at].chars().next_back().unwrap_or(' ');
                    !before.is_alphanumeric() && before != '_' && before != ':'
                });
                if is_used && !rooms.is_empty() && !rooms.contains(&source.room) {
                    wrong.insert(format!(
                        "{}:{number}: {name} belongs to {}",
                        source.path,
                        rooms.join(", ")
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn only_the_command_line_prints_and_nothing_unfinished_is_left() {
    let unfinished: [String; 4] = [
        "to".to_owned() + "do!(",
        "db".to_owned() + "g!(",
        "FIX".to_owned() + "ME",
        "TO".to_owned() + "DO",
    ];
    let mut wrong = BTreeSet::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            if unfinished.iter().any(|word| line.contains(word)) {
                wrong.insert(format!("{}:{}: unfinished", source.path, number + 1));
            }
        }
        for (number, line) in source.code() {
            let prints = ["println!(", "print!(", "eprint!("]
                .iter()
                .any(|word| line.contains(word));
            if prints && source.room != "cli" {
                wrong.insert(format!("{}:{number}: prints", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// `scope.spawn` panics where no thread can be started; a builder gives an error.
#[test]
fn threads_that_cannot_be_started_are_errors() {
    let mut wrong = BTreeSet::new();
    for source in sources() {
        for (number, line) in source.code() {
            if line.contains("scope.spawn(") || line.contains("thread::spawn(") {
                wrong.insert(format!("{}:{number}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_open_with_their_purpose_and_have_an_end() {
    let mut wrong = BTreeSet::new();
    for source in sources() {
        if !source.text.starts_with("//! ") {
            wrong.insert(format!("{}: does not open with //!", source.path));
        }
        let most = if source.is_test {
            LONGEST_TEST_FILE_LINES
        } else {
            LONGEST_FILE_LINES
        };
        let lines = source.text.lines().count();
        if lines > most {
            wrong.insert(format!(
                "{}: {lines} lines, the wall is {most}",
                source.path
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn functions_fit_on_a_screen() {
    let mut wrong = BTreeSet::new();
    for source in sources() {
        let lines: Vec<&str> = source.code().map(|(_, line)| line).collect();
        for (index, line) in lines.iter().enumerate() {
            let start = line.trim_start();
            let is_function = [
                "fn ",
                "pub fn ",
                "pub(crate) fn ",
                "async fn ",
                "pub async fn ",
                "const fn ",
                "pub const fn ",
            ];
            if !is_function.iter().any(|prefix| start.starts_with(prefix)) {
                continue;
            }
            let end = format!("{}}}", &line[..line.len() - start.len()]);
            let length = lines[index..]
                .iter()
                .position(|line| *line == end)
                .map_or(1, |count| count + 1);
            if length > LONGEST_FUNCTION_LINES {
                wrong.insert(format!("{}:{}: {length} lines", source.path, index + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn names_say_what_a_thing_is() {
    let empty_words = ["helper", "manager", "utils"];
    let mut wrong = BTreeSet::new();
    for source in sources() {
        let mut names = vec![source.path.clone()];
        for (_, line) in source.code() {
            let mut words = line
                .split(|c: char| !c.is_alphanumeric() && c != '_')
                .filter(|word| !word.is_empty());
            while let Some(word) = words.next() {
                if [
                    "fn", "struct", "enum", "trait", "type", "mod", "const", "static",
                ]
                .contains(&word)
                {
                    names.extend(words.next().map(str::to_owned));
                }
            }
        }
        for name in names {
            if empty_words
                .iter()
                .any(|word| name.to_lowercase().contains(word))
            {
                wrong.insert(format!("{}: {name}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_sql_file_is_one_statement_with_a_header() {
    let mut wrong = BTreeSet::new();
    let is_query = |path: &PathBuf| {
        path.extension().is_some_and(|e| e == "sql")
            && !path.components().any(|part| part.as_os_str() == "cases")
    };
    let paths: Vec<PathBuf> = files("queries").into_iter().filter(is_query).collect();
    assert!(!paths.is_empty());
    for path in paths {
        let (shown, text) = (path.display(), read(&path));
        let name = path.file_stem().unwrap().to_string_lossy();
        if !text.starts_with(&format!("-- {name}: ")) {
            wrong.insert(format!("{shown}: does not open with `-- {name}: `"));
        }
        if text.lines().count() > LONGEST_SQL_LINES {
            wrong.insert(format!("{shown}: more than {LONGEST_SQL_LINES} lines"));
        }
        let code: String = text
            .lines()
            .map(|line| line.split_once("--").map_or(line, |(code, _)| code))
            .collect();
        let outside_of_quotes: String = code.split('\'').step_by(2).collect();
        if outside_of_quotes
            .trim_end()
            .trim_end_matches(';')
            .contains(';')
        {
            wrong.insert(format!("{shown}: more than one statement"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_names_a_workplace_or_a_registry() {
    let hosts = ["crates", "npmjs", "pypi", "docker"]
        .map(|name| format!("{name}{}", if name == "crates" { ".io" } else { "." }));
    let homes = ["work", "home", "root", "Users"].map(|name| format!("/{name}/"));
    let mut wrong = BTreeSet::new();
    let mut paths: Vec<PathBuf> = [
        "Cargo.toml",
        "Makefile",
        "README.md",
        "build.rs",
        "deny.toml",
    ]
    .map(PathBuf::from)
    .into();
    for folder in [
        ".cargo",
        ".ci",
        "benches",
        "build",
        "config",
        "docs",
        "queries",
        "scripts",
        "src",
        "templates",
        "tests",
    ] {
        paths.extend(files(folder));
    }
    for path in paths {
        let Ok(text) = fs::read_to_string(checkout().join(&path)) else {
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            let names_home = homes.iter().any(|home| {
                line.match_indices(home.as_str()).any(|(at, _)| {
                    line[..at]
                        .chars()
                        .next_back()
                        .is_none_or(|before| " \"'`=(:".contains(before))
                })
            });
            if names_home || hosts.iter().any(|host| line.contains(host.as_str())) {
                wrong.insert(format!("{}:{}: {line}", path.display(), number + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn readme_shows_the_example_queries_as_they_are() {
    let readme = read(Path::new("README.md"));
    let examples = files("queries/examples");
    assert!(examples.len() >= 3, "{examples:?}");
    for path in examples {
        let body: String = read(&path)
            .lines()
            .filter(|line| !line.starts_with("--"))
            .map(|l| format!("{l}\n"))
            .collect();
        assert!(
            readme.contains(body.trim_end()),
            "README.md does not show {}",
            path.display()
        );
    }
}
