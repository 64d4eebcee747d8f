//! A small HTTP server on loopback: answers by what a test says, and remembers what it was asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request: its path and its body.
pub type Asked = (String, String);

/// A running server; its thread ends with the process.
pub struct Endpoint {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Endpoint {
    /// Starts one; `answer` gives status and JSON.
    pub fn start(answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (noted, answer) = (Arc::clone(&asked), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (noted, answer) = (Arc::clone(&noted), Arc::clone(&answer));
                // Clients keep connections open: each has a thread of its own.
                thread::spawn(move || {
                    let stream = stream.unwrap();
                    let mut input = BufReader::new(stream.try_clone().unwrap());
                    while let Some((path, body)) = request(&mut input) {
                        let (status, json) = answer(&path, &body);
                        noted.lock().unwrap().push((path, body));
                        if reply(&stream, status, &json).is_err() {
                            return;
                        }
                    }
                });
            }
        });
        Self { url, asked }
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn request(input: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    input.read_line(&mut line).ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some((path, String::from_utf8_lossy(&body).into_owned()))
}

fn reply(mut stream: &TcpStream, status: u16, json: &str) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        json.len()
    );
    stream.write_all((head + json).as_bytes())
}
