//! A small HTTP server on loopback: answers by what a test says, and remembers what it was asked.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// A request: its path and its body.
pub type Asked = (String, String);

/// A request with everything in it.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and what is behind it.
    pub path: String,
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// What it carries.
    pub body: String,
}

/// What it is answered with.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// More lines of the head, each ended.
    pub head: String,
    /// Content.
    pub body: String,
    /// The content is said to be so long, whatever it is.
    pub said_bytes: Option<usize>,
}

impl From<(u16, String)> for Answer {
    fn from((status, body): (u16, String)) -> Self {
        Self {
            status,
            head: String::new(),
            body,
            said_bytes: None,
        }
    }
}

/// A running server; its thread ends with the process.
pub struct Endpoint {
    /// `http://127.0.0.1:PORT`
    pub url: String,
    asked: Arc<Mutex<Vec<Request>>>,
}

impl Endpoint {
    /// Starts one; `answer` gives status and JSON.
    pub fn start(answer: impl Fn(&str, &str) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::with(move |request| Some(answer(&request.path, &request.body).into()))
    }

    /// Starts one; where there is no answer, the connection stays open without one.
    pub fn with(answer: impl Fn(&Request) -> Option<Answer> + Send + Sync + 'static) -> Self {
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
                    while let Some(request) = request(&mut input) {
                        let answer = answer(&request);
                        noted.lock().unwrap().push(request);
                        match answer {
                            Some(answer) if reply(&stream, &answer).is_err() => return,
                            Some(_) => {}
                            None => {
                                let _ = input.read_to_end(&mut Vec::new());
                            }
                        }
                    }
                });
            }
        });
        Self { url, asked }
    }

    /// What it was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        let requests = self.requests().into_iter();
        requests
            .map(|request| (request.path, request.body))
            .collect()
    }

    /// The same with everything in it.
    pub fn requests(&self) -> Vec<Request> {
        self.asked.lock().unwrap().clone()
    }
}

fn request(input: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    input.read_line(&mut line).ok()?;
    let mut words = line.split(' ').map(str::to_owned);
    let mut request = Request {
        method: words.next()?,
        path: words.next()?,
        ..Request::default()
    };
    loop {
        let mut line = String::new();
        input.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        let name = name.to_ascii_lowercase();
        request.headers.insert(name, value.trim().to_owned());
    }
    let length = request.headers.get("content-length");
    let length = length.map_or(Some(0), |length| length.parse().ok())?;
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    request.body = String::from_utf8_lossy(&body).into_owned();
    Some(request)
}

fn reply(mut stream: &TcpStream, answer: &Answer) -> std::io::Result<()> {
    let head = format!(
        "HTTP/1.1 {} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n",
        answer.status,
        answer.said_bytes.unwrap_or(answer.body.len()),
        answer.head,
    );
    stream.write_all((head + &answer.body).as_bytes())
}
