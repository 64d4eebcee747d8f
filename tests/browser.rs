//! A real Chromium that a test steers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::product::until;

/// A browser that is told what to do, over a pair of pipes (`--remote-debugging-pipe`).
pub struct Browser {
    child: Child,
    tell: File,
    said: Receiver<Value>,
    asked: u64,
    session: Value,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts it with a page.
    pub fn at(url: &str) -> Self {
        let profile = tempfile::tempdir().unwrap();
        let pipe = |name: &str| profile.path().join(name);
        let made = Command::new("mkfifo")
            .args([pipe("in"), pipe("out")])
            .status();
        assert!(made.unwrap().success());
        let script = "for name in chromium chromium-browser google-chrome; do command -v $name >/dev/null && \
             exec $name --headless --no-sandbox --disable-gpu --disable-quic --no-first-run \
             --disable-background-networking --disable-component-update --disable-sync --disable-dev-shm-usage \
             --remote-debugging-pipe --user-data-dir=\"$0/profile\" about:blank 3<\"$0/in\" 4>\"$0/out\"; done; exit 1";
        let child = Command::new("sh")
            .args(["-c", script])
            .arg(profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let tell = OpenOptions::new().write(true).open(pipe("in")).unwrap();
        let out = File::open(pipe("out")).unwrap();
        let (say, said) = channel();
        thread::spawn(move || {
            for message in BufReader::new(out).split(0).map_while(Result::ok) {
                let _ = say.send(serde_json::from_slice(&message).unwrap());
            }
        });
        let mut browser = Self {
            child,
            tell,
            said,
            asked: 0,
            session: Value::Null,
            _profile: profile,
        };
        let target = browser.ask("Target.createTarget", json!({ "url": url }));
        let attached = json!({ "targetId": target["targetId"], "flatten": true });
        browser.session = browser.ask("Target.attachToTarget", attached)["sessionId"].clone();
        browser
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let mut message = json!({ "id": self.asked, "method": method, "params": params });
        if !self.session.is_null() {
            message["sessionId"] = self.session.clone();
        }
        let mut bytes = serde_json::to_vec(&message).unwrap();
        bytes.push(0);
        self.tell.write_all(&bytes).unwrap();
        loop {
            let said = self.said.recv_timeout(Duration::from_secs(60));
            let said = said.expect("the browser answers");
            if said["id"] == self.asked {
                return said["result"].clone();
            }
        }
    }

    /// What an expression is on the page; `Null` while it is on its way to another.
    pub fn look(&mut self, expression: &str) -> Value {
        let asked = json!({ "expression": expression, "returnByValue": true });
        self.ask("Runtime.evaluate", asked)["result"]["value"].clone()
    }

    /// Waits until an expression is true on the page.
    #[track_caller]
    pub fn wait_for(&mut self, expression: &str) {
        assert!(
            until(|| self.look(expression) == true),
            "{expression}: {}",
            self.look("document.body.innerText")
        );
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
