//! An item: a mail exactly as fetched, or a file as read.

/// Number of an item in the archive, from 1, without gaps, in the order of arrival.
pub type ItemNo = u64;

/// What kind of bytes an item holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
    /// An RFC 5322 message.
    Mail,
    /// Anything else.
    File,
}

impl ItemKind {
    /// The word in the archive.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::File => "file",
        }
    }
}

/// Where an item came from. All fields are kept in the archive.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// `file`, `stdin` or `imap`.
    pub source: String,
    /// Name of the configured inbox.
    pub inbox: Option<String>,
    /// Mail folder.
    pub folder: Option<String>,
    /// IMAP UIDVALIDITY of the folder.
    pub uidvalidity: Option<u32>,
    /// IMAP UID.
    pub uid: Option<u32>,
    /// Account that the inbox was, `user@host`: numbers of messages mean nothing in another one. `None` for items of
    /// versions that did not note it.
    pub account: Option<String>,
    /// Whether the message was chosen by its day: it says nothing of those before it, which a pass has yet to take.
    pub is_chosen: bool,
    /// Path as the user gave it, joined with what lies below a folder.
    pub path: Option<String>,
    /// Member of a local archive or message number of an mbox, as in `2023/a.xml` or `message 7`.
    pub member: Option<String>,
}

impl Provenance {
    /// `path`, or `path` and `member` joined by `!`: the `file_name` of tables and messages.
    pub fn file_name(&self) -> Option<String> {
        match (&self.path, &self.member) {
            (Some(path), Some(member)) => Some(format!("{path}!{member}")),
            (Some(path), None) => Some(path.clone()),
            (None, Some(member)) => Some(member.clone()),
            (None, None) => None,
        }
    }

    /// What people call it: the name of the file, or the folder and number of a message.
    pub fn shown(&self) -> Option<String> {
        self.file_name().or_else(|| {
            let (folder, uid) = (self.folder.as_ref()?, self.uid?);
            Some(format!("{folder} message {uid}"))
        })
    }
}

/// Envelope facts of a mail, read from its header. All are a stranger's words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailHeader {
    /// `Message-ID` without `<>`.
    pub message_id: Option<String>,
    /// Address of `From`.
    pub mail_from: Option<String>,
    /// `Subject`, decoded.
    pub subject: Option<String>,
    /// `Date`, seconds since 1970 UTC.
    pub date_utc_secs: Option<i64>,
    /// The raw header block, at most 64 KiB.
    pub headers: Option<String>,
}
