//! A real name server on loopback, which knows some hosts of a sender; ends with its owner. And one that hangs.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use sentinel::addresses::{Resolver, Timeouts};
use sentinel::model::address::HostAnswer;

use crate::product::until;

/// Names below `45.5.in-addr.arpa`, and where they point.
const POINTERS: &str = r"
1.0   PTR mail.sender.test.
2.0   PTR stranger.sender.test.
4.0   CNAME 4.0-7.0
4.0-7.0 PTR cname.sender.test.
5.0   PTR <b>x.sender.test.
5.0   PTR =cmd|calc.sender.test.
5.0   PTR two\032words.sender.test.
8.0   PTR o1.ptr.sendgrid.net.
10.0  PTR MAIL.Sender.TEST.
11.0  PTR nowhere.other.test.
12.0  PTR two.sender.test.
13.0  CNAME 14.0
14.0  CNAME 13.0
";

/// Names below `sender.test`, and their addresses.
const HOSTS: &str = r"
mail      A 5.45.0.1
mail      A 5.45.0.10
stranger  A 5.45.0.99
cname     A 5.45.0.4
two       CNAME cname2
cname2    A 5.45.0.3
cname2    A 5.45.0.12
six       AAAA 2a00:45::1
\<b\>x    A 5.45.0.5
=cmd|calc A 5.45.0.5
";

/// A name of 253 characters.
pub fn longest_name() -> String {
    let label = "a".repeat(60);
    format!("{label}.{label}.{label}.{}.sender.test", "b".repeat(58))
}

/// A running server.
pub struct DnsServer {
    _folder: tempfile::TempDir,
    child: Child,
    /// Where it answers.
    pub address: SocketAddr,
}

impl DnsServer {
    /// Starts one and waits until it answers.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = port.local_addr().unwrap();
        drop(port);
        let mut zones = String::new();
        for (zone, records) in zone_files() {
            let head = "$TTL 60\n@ SOA ns.sender.test. admin.sender.test. 1 60 60 60 60\n@ NS ns.sender.test.\n";
            let file = folder.path().join(&zone);
            fs::write(&file, format!("{head}{records}")).unwrap();
            writeln!(
                zones,
                "zone:\n  name: {zone}\n  zonefile: {}",
                file.display()
            )
            .unwrap();
        }
        let path = |name: &str| folder.path().join(name).display().to_string();
        let configuration = format!(
            "server:\n  ip-address: 127.0.0.1@{}\n  username: \"\"\n  database: \"\"\n  zonesdir: \"\"\n  pidfile: {}\n  \
             zonelistfile: {}\n  xfrdfile: {}\n  xfrdir: {}\n  logfile: {}\n  server-count: 1\n  \
             round-robin: no\nremote-control:\n  control-enable: no\n{zones}",
            address.port(),
            path("nsd.pid"),
            path("zone.list"),
            path("xfrd.state"),
            folder.path().display(),
            path("nsd.log"),
        );
        let file = folder.path().join("nsd.conf");
        fs::write(&file, configuration).unwrap();
        let child = Command::new(program())
            .arg("-d")
            .arg("-c")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.path().join("output.log")).unwrap())
            .spawn()
            .expect("nsd is installed: `make packages`");
        let server = Self {
            _folder: folder,
            child,
            address,
        };
        let resolver = server.resolver();
        let known = "5.45.0.1".parse().unwrap();
        let answers = || !matches!(resolver.host_name(known), HostAnswer::Failed(_));
        assert!(until(answers), "the name server does not answer");
        server
    }

    /// Asks it.
    pub fn resolver(&self) -> Resolver {
        Resolver::new(vec![self.address], timeouts())
    }
}

impl Drop for DnsServer {
    fn drop(&mut self) {
        // By the signal that it hands on to its own processes.
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
    }
}

/// Where Debian puts it is not in everybody's path.
fn program() -> &'static str {
    if fs::exists("/usr/sbin/nsd").unwrap_or(false) {
        "/usr/sbin/nsd"
    } else {
        "nsd"
    }
}

/// Short, so that a test of a server that hangs does not.
pub fn timeouts() -> Timeouts {
    Timeouts {
        reply: Duration::from_millis(700),
        address: Duration::from_secs(3),
    }
}

fn zone_files() -> Vec<(String, String)> {
    let mut pointers = POINTERS.to_owned();
    let mut hosts = HOSTS.to_owned();
    writeln!(pointers, "6.0 PTR {}.", longest_name()).unwrap();
    writeln!(hosts, "{}. A 5.45.0.6", longest_name()).unwrap();
    // More than fits into a datagram.
    for number in 1..=40 {
        writeln!(pointers, "7.0 PTR one-of-many-names-{number}.sender.test.").unwrap();
        writeln!(hosts, "one-of-many-names-{number} A 5.45.0.7").unwrap();
    }
    let six = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR six.sender.test.\n";
    vec![
        ("45.5.in-addr.arpa".to_owned(), pointers),
        ("sender.test".to_owned(), hosts),
        ("sendgrid.net".to_owned(), "o1.ptr A 5.45.0.8\n".to_owned()),
        ("5.4.0.0.0.0.a.2.ip6.arpa".to_owned(), six.to_owned()),
    ]
}

/// A server that takes questions and never answers.
pub struct HangingServer {
    socket: UdpSocket,
}

impl HangingServer {
    /// Listens.
    pub fn start() -> Self {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        Self { socket }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.socket.local_addr().unwrap()
    }

    /// How many questions came since this was asked last.
    pub fn questions(&self) -> usize {
        let mut buffer = [0; 1024];
        std::iter::from_fn(|| self.socket.recv(&mut buffer).ok()).count()
    }
}
