// Lists every `queries/FOLDER/NAME.sql` at build time, so that a new file needs no code.
//
// Writes `$OUT_DIR/queries.rs`, an array expression of `(folder, name, text)` sorted by folder and name, which
// `src/query/embedded.rs` includes.

use std::path::Path;

/// Folders whose files the binary holds; `cases` belongs to the tests.
const FOLDERS: [&str; 6] = ["alerts", "examples", "models", "pages", "panels", "schema"];

/// Writes the list and tells cargo what to watch.
pub fn generate() {
    let root = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets CARGO_MANIFEST_DIR");
    let out = std::env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let mut text = String::from("[\n");
    for folder in FOLDERS {
        let path = Path::new(&root).join("queries").join(folder);
        println!("cargo:rerun-if-changed={}", path.display());
        for name in sql_names(&path) {
            text.push_str(&format!(
                "    ({folder:?}, {name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \
                 \"/queries/{folder}/{name}.sql\"))),\n"
            ));
        }
    }
    text.push_str("]\n");
    let target = Path::new(&out).join("queries.rs");
    std::fs::write(&target, text).unwrap_or_else(|e| panic!("writing {}: {e}", target.display()));
}

/// Names of the `.sql` files of a folder without the ending, sorted; none when the folder is absent.
fn sql_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            entry
                .expect("a readable folder entry")
                .file_name()
                .into_string()
                .ok()
        })
        .filter_map(|name| name.strip_suffix(".sql").map(str::to_owned))
        .collect();
    names.sort();
    names
}
