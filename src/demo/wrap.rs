//! Documents -> gzip, zip and mails, as reporters send them. The same bytes give the same bytes.

use std::io::{self, Cursor, Write as _};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, GzBuilder};
use zip::write::{SimpleFileOptions, ZipWriter};

use crate::model::day::Day;

/// A mail on its way.
#[derive(Debug, Clone)]
pub struct Mail<'a> {
    /// Domain of the sender.
    pub from_domain: &'a str,
    /// Domain of the reader.
    pub to_domain: &'a str,
    /// Subject.
    pub subject: &'a str,
    /// Day on which it was sent.
    pub sent: Day,
    /// Makes the Message-ID and the boundary unique.
    pub number: u64,
    /// Parts in order; one part alone is the body.
    pub parts: Vec<Part>,
}

/// A part of a mail.
#[derive(Debug, Clone)]
pub struct Part {
    /// Content-Type with its parameters.
    pub kind: String,
    /// File name, for an attachment.
    pub file_name: Option<String>,
    /// Bytes before encoding.
    pub bytes: Vec<u8>,
}

/// Compressed with gzip; the header holds neither name nor time.
pub fn gzip(bytes: &[u8], level: Compression) -> io::Result<Vec<u8>> {
    let mut writer = GzBuilder::new().write(Vec::with_capacity(bytes.len() / 4), level);
    writer.write_all(bytes)?;
    writer.finish()
}

/// A zip archive of one member.
pub fn zip(name: &str, bytes: &[u8]) -> io::Result<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    writer.start_file(name, SimpleFileOptions::default())?;
    writer.write_all(bytes)?;
    Ok(writer.finish()?.into_inner())
}

impl Mail<'_> {
    /// The message with CRLF line ends.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = format!(
            "From: DMARC reports <noreply-dmarc@{from}>\r\nTo: dmarc@{to}\r\nSubject: {subject}\r\n\
             Date: {date}\r\nMessage-ID: <{number:016x}@{from}>\r\nMIME-Version: 1.0\r\n",
            from = self.from_domain,
            to = self.to_domain,
            subject = self.subject,
            date = self.sent.format("%a, %d %b %Y 04:17:09 +0000"),
            number = self.number,
        );
        if let [only] = self.parts.as_slice() {
            only.write(&mut text);
        } else {
            let boundary = format!("=_{:016x}", self.number);
            text.push_str(&format!(
                "Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n"
            ));
            for part in &self.parts {
                text.push_str(&format!("--{boundary}\r\n"));
                part.write(&mut text);
            }
            text.push_str(&format!("--{boundary}--\r\n"));
        }
        text.into_bytes()
    }
}

impl Part {
    /// Text without a file name.
    pub fn text(kind: &str, text: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            file_name: None,
            bytes: text.replace('\n', "\r\n").into_bytes(),
        }
    }

    /// An attachment.
    pub fn attachment(kind: &str, file_name: &str, bytes: Vec<u8>) -> Self {
        let kind = format!("{kind}; name=\"{file_name}\"");
        Self {
            kind,
            file_name: Some(file_name.to_owned()),
            bytes,
        }
    }

    /// Attachments in base64, text as it is.
    fn write(&self, text: &mut String) {
        text.push_str(&format!("Content-Type: {}\r\n", self.kind));
        let Some(file_name) = &self.file_name else {
            text.push_str("\r\n");
            text.push_str(&String::from_utf8_lossy(&self.bytes));
            text.push_str("\r\n");
            return;
        };
        text.push_str(&format!(
            "Content-Disposition: attachment; filename=\"{file_name}\"\r\nContent-Transfer-Encoding: base64\r\n\r\n"
        ));
        let encoded = STANDARD.encode(&self.bytes);
        for line in encoded.as_bytes().chunks(76) {
            text.push_str(&String::from_utf8_lossy(line));
            text.push_str("\r\n");
        }
    }
}
