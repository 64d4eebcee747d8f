//! A real server that takes mail on loopback, with an authority of its own; ends with its owner.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::mail_server::write_certificates;

/// The user who may send.
pub const USER: &str = "sentinel";
/// The password of that user.
pub const PASSWORD: &str = "a \"quoted\" pass\\word ü";

/// A running server.
pub struct SmtpServer {
    folder: tempfile::TempDir,
    child: Child,
    /// Ports by their kinds, which `smtp_sink.py` explains.
    pub ports: BTreeMap<String, u16>,
}

/// A mail that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// For whom, sorted.
    pub to: Vec<String>,
}

impl SmtpServer {
    /// Starts one and waits until it listens.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        write_certificates(folder.path());
        let program = folder.path().join("sink.py");
        fs::write(&program, include_str!("smtp_sink.py")).unwrap();
        let python = python();
        let mut child = Command::new(&python[0])
            .args(&python[1..])
            .arg(&program)
            .arg(folder.path())
            .args([
                folder.path().join("server.pem"),
                folder.path().join("server.key"),
            ])
            .arg(PASSWORD)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(fs::File::create(folder.path().join("output.log")).unwrap())
            .spawn()
            .expect("the Python of aiosmtpd runs");
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        let ports = serde_json::from_str(&line).expect("the mail server starts");
        Self {
            folder,
            child,
            ports,
        }
    }

    /// The certificate of its authority.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// From now on it takes mail for recipients who were busy.
    pub fn free_the_busy(&self) {
        fs::write(self.folder.path().join("free"), "").unwrap();
    }

    /// What it took so far, in order.
    pub fn taken(&self) -> Vec<Taken> {
        let path = |number: usize, end: &str| self.folder.path().join(format!("{number}.{end}"));
        (1..)
            .take_while(|number| path(*number, "eml").exists())
            .map(|number| {
                let text = fs::read_to_string(path(number, "to")).unwrap();
                let mut to: Vec<String> = text.lines().map(str::to_owned).collect();
                to.sort();
                Taken {
                    bytes: fs::read(path(number, "eml")).unwrap(),
                    to,
                }
            })
            .collect()
    }
}

impl Drop for SmtpServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The Python that has aiosmtpd: its command names it.
fn python() -> Vec<String> {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let command = std::env::split_paths(&folders)
        .map(|folder| folder.join("aiosmtpd"))
        .find(|path| Path::exists(path))
        .expect("aiosmtpd is installed: `make packages`");
    let text = fs::read_to_string(&command).unwrap();
    let first = text.lines().next().unwrap_or_default();
    let words = first.strip_prefix("#!").expect("a script");
    words.split_whitespace().map(str::to_owned).collect()
}
