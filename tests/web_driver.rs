//! A real browser that a test steers: Chromium behind its ChromeDriver, by the WebDriver protocol on loopback.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};

/// A browser with one window.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it, without a picture on any screen.
    pub fn start() -> Self {
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is not installed: make packages");
        let port = port(&mut driver);
        let profile = tempfile::tempdir().unwrap();
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            _profile: profile,
        };
        let profile = browser._profile.path().display();
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            // The whole of a page is in view: nothing has to be scrolled to.
            "--window-size=1280,4000",
            &format!("--user-data-dir={profile}"),
        ];
        let wanted =
            json!({"capabilities": {"alwaysMatch": {"goog:chromeOptions": {"args": arguments}}}});
        let answer = browser.ask("POST", "/session", &wanted);
        browser.session = answer["sessionId"].as_str().unwrap().to_owned();
        browser
    }

    /// Goes to an address and waits until the page is there.
    pub fn go(&self, address: &str) {
        self.of_session("POST", "/url", &json!({"url": address}));
    }

    /// The address of the page.
    pub fn address(&self) -> String {
        let answer = self.of_session("GET", "/url", &Json::Null);
        answer.as_str().unwrap().to_owned()
    }

    /// The text that a person sees.
    pub fn text(&self) -> String {
        let body = self.element("css selector", "body");
        let answer = self.of_session("GET", &format!("/element/{body}/text"), &Json::Null);
        answer.as_str().unwrap().to_owned()
    }

    /// Writes into a field of a form.
    pub fn write(&self, selector: &str, text: &str) {
        let field = self.element("css selector", selector);
        let path = format!("/element/{field}/value");
        self.of_session("POST", &path, &json!({"text": text}));
    }

    /// Clicks on the button that says so, and waits for the page that it leads to.
    pub fn click(&self, words: &str) {
        let button = self.element("xpath", &format!("//button[.='{words}']"));
        self.of_session("POST", &format!("/element/{button}/click"), &json!({}));
    }

    fn element(&self, using: &str, value: &str) -> String {
        let found = self.of_session("POST", "/element", &json!({"using": using, "value": value}));
        let id = found.as_object().and_then(|found| found.values().next());
        id.and_then(Json::as_str)
            .unwrap_or_else(|| panic!("{value}: {found}"))
            .to_owned()
    }

    fn of_session(&self, method: &str, path: &str, body: &Json) -> Json {
        self.ask(method, &format!("/session/{}{path}", self.session), body)
    }

    /// The `value` of what the driver answers.
    fn ask(&self, method: &str, path: &str, body: &Json) -> Json {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(120)))
            .unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        let mut answer = BufReader::new(stream);
        let (mut line, mut bytes) = (String::new(), 0);
        while answer.read_line(&mut line).unwrap() > 2 {
            let lower = line.to_ascii_lowercase();
            if let Some(length) = lower.strip_prefix("content-length:") {
                bytes = length.trim().parse().unwrap();
            }
            line.clear();
        }
        let mut content = vec![0; bytes];
        answer.read_exact(&mut content).unwrap();
        let answer: Json = serde_json::from_slice(&content).unwrap();
        assert!(
            answer["value"]["error"].is_null(),
            "{method} {path}: {answer}"
        );
        answer["value"].clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.of_session("DELETE", "", &Json::Null);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// `ChromeDriver was started successfully on port 40331.`
fn port(driver: &mut Child) -> u16 {
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    let port = lines.find_map(|line| {
        let line = line.unwrap();
        let rest = line.split("started successfully on port ").nth(1)?;
        rest.trim_end_matches('.').parse().ok()
    });
    // It must not end because nobody reads on.
    std::thread::spawn(move || lines.for_each(drop));
    port.expect("chromedriver names its port")
}
