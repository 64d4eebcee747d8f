// Lists every `queries/FOLDER/NAME.sql` at build time, so that a new file needs no code.
//
// Writes `$OUT_DIR/queries.rs`, an array expression of `(folder, name, text)` sorted by folder and name, which
// `src/query/embedded.rs` includes.

use std::fs;
use std::io;
use std::path::Path;

/// Folders whose files the binary holds; `cases` belongs to the tests.
const FOLDERS: [&str; 6] = ["alerts", "examples", "models", "pages", "panels", "schema"];

/// Writes the list and tells cargo what to watch. Build scripts run in the folder of the manifest.
pub fn generate() -> io::Result<()> {
    // The folder as a whole: a path that is not there would make every build a new one.
    println!("cargo::rerun-if-changed=queries");
    let mut text = String::from("[\n");
    for folder in FOLDERS {
        for name in sql_names(&Path::new("queries").join(folder))? {
            text.push_str(&format!(
                "    ({folder:?}, {name:?}, include_str!(concat!(env!(\"CARGO_MANIFEST_DIR\"), \
                 \"/queries/{folder}/{name}.sql\"))),\n"
            ));
        }
    }
    text.push_str("]\n");
    let out = std::env::var_os("OUT_DIR").ok_or(io::ErrorKind::NotFound)?;
    fs::write(Path::new(&out).join("queries.rs"), text)
}

/// Names of the `.sql` files of a folder without the ending, sorted; none when the folder is absent.
fn sql_names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let name = entry?.file_name().into_string().unwrap_or_default();
        names.extend(name.strip_suffix(".sql").map(str::to_owned));
    }
    names.sort();
    Ok(names)
}
