//! Report mails of 1.8 kB, as large reporters send them: one gzip attachment in base64 as the body, one to three
//! records, the headers of two servers on the way.

use std::fmt::Write as _;
use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;

/// 2026-02-17, the first day.
const BEGIN_UTC_SECS: u64 = 1_771_286_400;
/// Reports come for so many days.
const DAYS: u64 = 20;
const DAY_SECS: u64 = 86_400;

/// One of as many different ones as there are numbers.
pub fn mail(number: u64) -> std::io::Result<Vec<u8>> {
    let (reporter, domain) = (number % 50, number / 50 % 20);
    let begin = BEGIN_UTC_SECS + number / 1_000 % DAYS * DAY_SECS;
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(report(number, reporter, domain, begin).as_bytes())?;
    let attached = STANDARD.encode(encoder.finish()?);
    let name = format!(
        "reporter{reporter}.example!d{domain}.example!{begin}!{}.xml.gz",
        begin + DAY_SECS - 1
    );
    let mut mail = head(number, reporter, domain, &name);
    for line in attached.as_bytes().chunks(76) {
        mail.push_str(&String::from_utf8_lossy(line));
        mail.push_str("\r\n");
    }
    Ok(mail.into_bytes())
}

fn head(number: u64, reporter: u64, domain: u64, name: &str) -> String {
    // Different in each mail, and as hard to compress.
    let mut digits = String::new();
    for part in 0..8 {
        let _ = write!(digits, "{:016X}", spread(number * 8 + part));
    }
    format!(
        "Return-Path: <noreply-dmarc@reporter{reporter}.example>\r\n\
         Received: from mx.d{domain}.example by mail.d{domain}.example with LMTP id {number:08x}\r\n \
         for <dmarc@d{domain}.example>; Tue, 10 Mar 2026 04:17:11 +0000\r\n\
         Received: from out{reporter}.reporter{reporter}.example (192.0.2.{reporter}) by mx.d{domain}.example\r\n \
         with ESMTPS id {number:08x}; Tue, 10 Mar 2026 04:17:10 +0000\r\n\
         DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=reporter{reporter}.example; s=20260101;\r\n \
         h=content-transfer-encoding:content-disposition:to:from:subject:message-id:date:mime-version;\r\n \
         b={digits}\r\n\
         MIME-Version: 1.0\r\n\
         Date: Tue, 10 Mar 2026 04:17:09 +0000\r\n\
         Message-ID: <{number:016x}@reporter{reporter}.example>\r\n\
         Subject: Report domain: d{domain}.example Submitter: reporter{reporter}.example Report-ID: {number}\r\n\
         From: noreply-dmarc@reporter{reporter}.example\r\n\
         To: dmarc@d{domain}.example\r\n\
         Content-Type: application/gzip; name=\"{name}\"\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    )
}

fn report(number: u64, reporter: u64, domain: u64, begin: u64) -> String {
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n<feedback>\n  <version>1.0</version>\n  <report_metadata>\n    \
         <org_name>reporter{reporter}.example</org_name>\n    \
         <email>noreply-dmarc@reporter{reporter}.example</email>\n    \
         <extra_contact_info>https://reporter{reporter}.example/dmarc</extra_contact_info>\n    \
         <report_id>{}</report_id>\n    <date_range>\n      <begin>{begin}</begin>\n      <end>{}</end>\n    \
         </date_range>\n  </report_metadata>\n  <policy_published>\n    <domain>d{domain}.example</domain>\n    \
         <adkim>r</adkim>\n    <aspf>r</aspf>\n    <p>quarantine</p>\n    <sp>quarantine</sp>\n    <pct>100</pct>\n    \
         <np>quarantine</np>\n  </policy_published>\n",
        spread(number),
        begin + DAY_SECS - 1,
    );
    for record in 0..number % 3 + 1 {
        let ip = spread(number ^ record << 32) % 254 + 1;
        let word = if ip.is_multiple_of(8) { "fail" } else { "pass" };
        let _ = write!(
            xml,
            "  <record>\n    <row>\n      <source_ip>198.51.100.{ip}</source_ip>\n      <count>{}</count>\n      \
             <policy_evaluated>\n        <disposition>none</disposition>\n        <dkim>{word}</dkim>\n        \
             <spf>pass</spf>\n      </policy_evaluated>\n    </row>\n    <identifiers>\n      \
             <header_from>d{domain}.example</header_from>\n    </identifiers>\n    <auth_results>\n      <dkim>\n        \
             <domain>d{domain}.example</domain>\n        <result>{word}</result>\n        <selector>s1</selector>\n      \
             </dkim>\n      <spf>\n        <domain>d{domain}.example</domain>\n        <result>pass</result>\n      \
             </spf>\n    </auth_results>\n  </record>\n",
            ip % 40 + 1,
        );
    }
    xml + "</feedback>\n"
}

/// A number without a pattern (splitmix64).
fn spread(number: u64) -> u64 {
    let mut mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
