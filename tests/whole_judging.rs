//! What rules find in reports that come late, of the real program: the same as if all had come at once.

use chrono::{Days, NaiveDate};

use crate::product::{Mailbox, Product};

/// A report of `reporter` about example.com: so many days from a day of 2026, and messages that fail or pass.
fn report(reporter: &str, from: &str, days: u64, messages: u32, passes: bool) -> Vec<u8> {
    let day: NaiveDate = format!("2026-{from}").parse().unwrap();
    let midnight = |day: NaiveDate| day.and_time(chrono::NaiveTime::MIN).and_utc().timestamp();
    let (begin, end) = (midnight(day), midnight(day + Days::new(days)) - 1);
    let word = if passes { "pass" } else { "fail" };
    format!(
        "<feedback><report_metadata><org_name>{reporter}</org_name><email>dmarc@{reporter}</email>\
         <report_id>{reporter}-{from}</report_id><date_range><begin>{begin}</begin><end>{end}</end></date_range>\
         </report_metadata><policy_published><domain>example.com</domain><p>none</p></policy_published>\
         <record><row><source_ip>192.0.2.1</source_ip><count>{messages}</count><policy_evaluated>\
         <disposition>none</disposition><dkim>{word}</dkim><spf>{word}</spf></policy_evaluated></row>\
         <identifiers><header_from>example.com</header_from></identifiers><auth_results>\
         <spf><domain>example.com</domain><result>{word}</result></spf></auth_results></record></feedback>"
    )
    .into_bytes()
}

#[test]
fn a_late_report_of_a_month_is_judged_on_each_of_its_days() {
    let mut mailbox = Mailbox::empty();
    for day in 1..=28 {
        mailbox.add(
            &format!("good {day}.xml"),
            &report("daily.example", &format!("02-{day:02}"), 1, 100, true),
        );
    }
    let product = Product::new();
    product.ingest(&mailbox, &mailbox.names);
    let days = "select day from alert_days where rule = 'high_failure_rate' order by day";
    assert!(product.query(&[days]).is_empty());
    mailbox.add(
        "month.xml",
        &report("monthly.example", "02-01", 28, 6_000, false),
    );
    product.ingest(&mailbox, &mailbox.names[28..]);
    assert_eq!(product.query(&[days]).len(), 28);
    product.assert_verified("a report of a month came last");
}
