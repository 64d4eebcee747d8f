//! The well-known services: the list of the program, or that of the user in its place.

use std::io::ErrorKind;
use std::path::Path;

use super::Problem;
use crate::model::service::{EMBEDDED, Fault, Service, read};

/// Where the user's list lies below the folder of queries.
pub const FILE: &str = "seeds/services.csv";

/// Bytes of the largest list.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// The list of the program.
pub fn embedded() -> Result<Vec<Service>, Vec<Problem>> {
    read(EMBEDDED).map_err(|faults| problems("queries/seeds/services.csv", faults))
}

/// The user's list where there is one, else that of the program.
pub fn load(queries_folder: &Path) -> Result<Vec<Service>, Vec<Problem>> {
    let path = queries_folder.join(FILE);
    let shown = path.display().to_string();
    match text(&path) {
        Ok(Some(text)) => read(&text).map_err(|faults| problems(&shown, faults)),
        Ok(None) => embedded(),
        Err(message) => Err(problems(&shown, vec![Fault { line: 1, message }])),
    }
}

fn text(path: &Path) -> Result<Option<String>, String> {
    let bytes = match std::fs::metadata(path) {
        Ok(metadata) => metadata.len(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    if bytes > MAX_FILE_BYTES {
        return Err(format!("is larger than {MAX_FILE_BYTES} bytes"));
    }
    match std::fs::read(path).map(String::from_utf8) {
        Ok(Ok(text)) => Ok(Some(text)),
        Ok(Err(_)) => Err("is not UTF-8 text".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn problems(file: &str, faults: Vec<Fault>) -> Vec<Problem> {
    let problem = |fault: Fault| Problem {
        file: file.to_owned(),
        line: Some(fault.line),
        path: String::new(),
        message: fault.message,
    };
    faults.into_iter().map(problem).collect()
}
