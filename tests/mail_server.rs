//! A real Dovecot on loopback, with an authority, users and mailboxes of its own; ends with its owner.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::product::until;

/// The password of every user.
pub const PASSWORD: &str = "a \"quoted\" pass\\word ü";

/// How a server is set up.
#[derive(Debug, Clone)]
pub struct Setup {
    /// What stands between levels of folders.
    pub separator: char,
    /// What stands before the name of each.
    pub prefix: &'static str,
    /// Where access tokens are asked about (RFC 7662); with it XOAUTH2 is offered.
    pub introspection_url: Option<String>,
    /// More lines of its configuration.
    pub more: &'static str,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            separator: '/',
            prefix: "",
            introspection_url: None,
            more: "",
        }
    }
}

/// A running server.
pub struct MailServer {
    folder: tempfile::TempDir,
    child: Option<Child>,
    setup: Setup,
    /// Port of IMAP, with STARTTLS.
    pub imap_port: u16,
    /// Port of IMAP over TLS.
    pub imaps_port: u16,
}

/// Names of delivered messages are all different.
static DELIVERED: AtomicU32 = AtomicU32::new(1);

impl MailServer {
    /// Starts one as most are.
    pub fn start() -> Self {
        Self::with(Setup::default())
    }

    /// Starts one.
    pub fn with(setup: Setup) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Its processes run as other users and have to get in.
        open_to_all(folder.path());
        write_certificates(folder.path());
        fs::create_dir(folder.path().join("mail")).unwrap();
        own(&folder.path().join("mail"));
        let [imap_port, imaps_port] = free_ports();
        let mut server = Self {
            folder,
            child: None,
            setup,
            imap_port,
            imaps_port,
        };
        fs::write(server.path("dovecot.conf"), server.configuration()).unwrap();
        server.restart();
        server
    }

    /// A file of the server.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The certificate of its authority.
    pub fn ca_file(&self) -> PathBuf {
        self.path("ca.pem")
    }

    /// Starts it (again) and waits until it answers.
    pub fn restart(&mut self) {
        self.kill();
        let log = fs::File::create(self.path("output.log")).unwrap();
        let child = Command::new("dovecot")
            .arg("-F")
            .arg("-c")
            .arg(self.path("dovecot.conf"))
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .expect("dovecot is installed: `make packages`");
        self.child = Some(child);
        let port = self.imap_port;
        let answers = until(|| {
            let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else {
                return false;
            };
            let mut greeting = [0; 4];
            stream.read_exact(&mut greeting).is_ok() && &greeting == b"* OK"
        });
        assert!(answers, "the mail server starts: {}", self.log());
    }

    /// Ends it at once, with all connections; its processes follow their master.
    pub fn kill(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let family = family_of(child.id());
        child.kill().unwrap();
        child.wait().unwrap();
        for id in family {
            let _ = Command::new("kill")
                .args(["-9", &id.to_string()])
                .stderr(Stdio::null())
                .status();
        }
        // A socket of a killed master keeps the next one from starting.
        let _ = fs::remove_dir_all(self.path("run"));
    }

    /// What it logged.
    pub fn log(&self) -> String {
        let read = |name| fs::read_to_string(self.path(name)).unwrap_or_default();
        read("output.log") + &read("dovecot.log")
    }

    /// The Maildir of a folder, by its name below the namespace.
    pub fn maildir(&self, user: &str, folder: &str) -> PathBuf {
        let home = self.path("mail").join(user).join("Maildir");
        if folder == "INBOX" {
            home
        } else {
            home.join(format!(".{}", folder.replace('/', ".")))
        }
    }

    /// Makes a folder, by its name on disk (modified UTF-7).
    pub fn make_folder(&self, user: &str, folder: &str) {
        let maildir = self.maildir(user, folder);
        for name in ["", "cur", "new", "tmp"] {
            fs::create_dir_all(maildir.join(name)).unwrap();
        }
        let mut path = maildir.clone();
        for name in ["cur", "new", "tmp"] {
            own(&maildir.join(name));
        }
        while path != self.path("mail") {
            own(&path);
            path.pop();
        }
    }

    /// Puts a message into a folder, as a mail delivery agent does, and gives its file.
    pub fn deliver(&self, user: &str, folder: &str, message: &[u8]) -> PathBuf {
        let number = DELIVERED.fetch_add(1, Ordering::Relaxed);
        // Names sort as they were delivered: so are the messages numbered.
        let name = format!("{}.M{number:06}P1.example.org", 1_700_000_000 + number);
        let maildir = self.maildir(user, folder);
        let (temp, path) = (
            maildir.join("tmp").join(&name),
            maildir.join("new").join(&name),
        );
        fs::write(&temp, message).unwrap();
        own(&temp);
        fs::rename(temp, &path).unwrap();
        path
    }

    /// Names of the messages of a folder, with their flags, in order.
    pub fn messages(&self, user: &str, folder: &str) -> Vec<String> {
        let maildir = self.maildir(user, folder);
        let mut names = crate::product::names_in(&maildir.join("cur"));
        names.extend(crate::product::names_in(&maildir.join("new")));
        names.sort();
        names
    }

    /// YAML of an inbox `dmarc` over TLS that reads `DMARC` of the user `reports`, without its last lines.
    pub fn inbox(&self) -> String {
        format!(
            "inboxes:\n  - name: dmarc\n    host: localhost\n    port: {}\n    ca_file: {}\n    username: reports\n    \
             password_env: IMAP_PASSWORD\n",
            self.imaps_port,
            self.ca_file().display()
        )
    }

    fn configuration(&self) -> String {
        let Setup {
            separator,
            prefix,
            introspection_url,
            more,
        } = &self.setup;
        let base = self.folder.path().display();
        let (imap_port, imaps_port) = (self.imap_port, self.imaps_port);
        fs::write(
            self.path("users"),
            format!("reports:{{PLAIN}}{PASSWORD}\nother:{{PLAIN}}{PASSWORD}\n"),
        )
        .unwrap();
        let oauth2 = introspection_url.as_ref().map_or(String::new(), |url| {
            let settings = format!(
                "introspection_url = {url}\nintrospection_mode = post\nusername_attribute = username\n\
                 active_attribute = active\nactive_value = true\n"
            );
            fs::write(self.path("oauth2.conf"), settings).unwrap();
            format!(
                "passdb {{\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = {base}/oauth2.conf\n}}\n"
            )
        });
        let mechanisms = if oauth2.is_empty() {
            "plain login"
        } else {
            "plain login xoauth2 oauthbearer"
        };
        format!(
            "base_dir = {base}/run
log_path = {base}/dovecot.log
protocols = imap
listen = 127.0.0.1
ssl = yes
ssl_cert = <{base}/server.pem
ssl_key = <{base}/server.key
disable_plaintext_auth = no
auth_mechanisms = {mechanisms}
auth_failure_delay = 0
auth_cache_size = 0
first_valid_uid = 1
first_valid_gid = 1
{accounts}
{oauth2}passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = scheme=PLAIN {base}/users
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}/mail/%n
}}
mail_location = maildir:~/Maildir
maildir_very_dirty_syncs = no
mail_max_userip_connections = 100
namespace inbox {{
  inbox = yes
  separator = {separator}
  prefix = {prefix}
}}
service anvil {{
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service imap-login {{
  {login_chroot}
  inet_listener imap {{
    port = {imap_port}
  }}
  inet_listener imaps {{
    port = {imaps_port}
    ssl = yes
  }}
}}
{more}
",
            uid = mail_owner().0,
            gid = mail_owner().1,
            accounts = accounts(),
            login_chroot = if is_root() { "" } else { "chroot =" },
        )
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Who owns the mail: somebody else where that can be, because a server does not read mail as root.
fn mail_owner() -> (u32, u32) {
    const NOBODY: u32 = 65_534;
    let own = fs::metadata("/proc/self").unwrap();
    match own.uid() {
        0 => (NOBODY, NOBODY),
        uid => (uid, own.gid()),
    }
}

/// Without root every process of the server runs as the one who starts it.
fn accounts() -> String {
    if is_root() {
        return String::new();
    }
    let name = |flag: &str| {
        let output = Command::new("id").args([flag, "-n"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    let (user, group) = (name("-u"), name("-g"));
    format!(
        "default_internal_user = {user}\ndefault_internal_group = {group}\ndefault_login_user = {user}\n\
         service anvil {{\n  chroot =\n}}"
    )
}

fn own(path: &Path) {
    let (uid, gid) = mail_owner();
    chown(path, Some(uid), Some(gid)).unwrap();
}

fn open_to_all(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Ports that nobody listens on. They are all held until the last is found.
fn free_ports<const N: usize>() -> [u16; N] {
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// A process and all that it started.
fn family_of(id: u32) -> Vec<u32> {
    let mut family = vec![id];
    let mut next = 0;
    while next < family.len() {
        let parent = family[next];
        let children = format!("/proc/{parent}/task/{parent}/children");
        let text = fs::read_to_string(children).unwrap_or_default();
        family.extend(
            text.split_whitespace()
                .filter_map(|id| id.parse::<u32>().ok()),
        );
        next += 1;
    }
    family.split_off(1)
}

/// An authority, and a certificate of it for `localhost` and 127.0.0.1.
pub fn write_certificates(folder: &Path) {
    let ca_key = KeyPair::generate().unwrap();
    let mut ca = CertificateParams::new(Vec::new()).unwrap();
    ca.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = ca.self_signed(&ca_key).unwrap();
    fs::write(folder.join("ca.pem"), certificate.pem()).unwrap();
    let issuer = Issuer::new(ca, ca_key);
    let key = KeyPair::generate().unwrap();
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let server = CertificateParams::new(names)
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    fs::write(folder.join("server.pem"), server.pem()).unwrap();
    fs::write(folder.join("server.key"), key.serialize_pem()).unwrap();
}
