//! The pages and JSON of fixed rows, hostile text, and markup that is well formed.

use std::collections::BTreeMap;

use super::fixture::{HOSTILE, REPORT_ID, as_of, catalogue, records, reports, table, text};
use super::fixture_answers::answer;
use super::markup::{check_accessible, check_balance, check_policy};
use super::*;
use crate::query::{Catalogue, Value};

type Files = BTreeMap<String, String>;

fn domains() -> Vec<DomainDays> {
    ["example.com", "example.org"]
        .map(|name| DomainDays {
            name: name.into(),
            last_day: as_of(),
        })
        .to_vec()
}

fn collect(write: impl FnOnce(Emit<'_>) -> anyhow::Result<()>) -> Files {
    let mut files = Files::new();
    write(&mut |path, bytes| {
        files.insert(path.to_owned(), String::from_utf8(bytes.to_vec())?);
        Ok(())
    })
    .unwrap();
    files
}

/// All files of a site over `domains`, with `rows` as answers.
fn whole_site(domains: &[DomainDays], rows: Rows<'_>) -> Files {
    let (skin, catalogue) = (Skin::new("/base/").unwrap(), catalogue());
    let site = Site {
        skin: &skin,
        catalogue: &catalogue,
        as_of: as_of(),
        domains,
    };
    collect(|emit| {
        site.overview(rows, emit)?;
        site.domains(&["../../etc", "example.com"], rows, emit)?;
        site.senders(rows, emit)?;
        site.sources(rows, emit)?;
        site.intake(rows, emit)?;
        site.api_domains(rows, emit)?;
        site.api_homepage(rows, emit)?;
        write_assets(&skin, emit)?;
        write_queries(&catalogue, emit)?;
        let (reports, records) = (
            reports(&[REPORT_ID], "reporter.example"),
            records(&[REPORT_ID], 2, "s1"),
        );
        report::write_reports(&skin, &catalogue, &reports, &records, &mut no_rows, emit).map(drop)
    })
}

/// Every answer with its text replaced by hostile words.
fn hostile_answer(query: &Query, params: &Params) -> anyhow::Result<Table> {
    let mut table = answer(query, params)?;
    for value in table.rows.iter_mut().flatten() {
        if matches!(value, Value::Text(_)) {
            *value = text(HOSTILE);
        }
    }
    Ok(table)
}

fn no_rows(_: &Query, _: &Params) -> anyhow::Result<Table> {
    Ok(Table::default())
}

/// Compares with `snapshots/NAME.snap`, one tag a line.
fn check_snapshot(name: &str, file: &str) {
    insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!(name, file.replace("><", ">\n<"));
    });
}

fn pages(files: &Files) -> impl Iterator<Item = (&String, &String)> {
    files.iter().filter(|(path, _)| path.ends_with(".html"))
}

#[test]
fn pages_are_well_formed_accessible_and_need_nothing_from_elsewhere() {
    let full = whole_site(&domains(), &mut answer);
    let empty = whole_site(&[], &mut no_rows);
    let hostile = whole_site(&domains(), &mut hostile_answer);
    for (path, html) in pages(&full).chain(pages(&empty)).chain(pages(&hostile)) {
        check_balance(path, html);
        check_accessible(path, html);
        check_policy(path, html);
    }
}

#[test]
fn words_of_strangers_never_reach_a_page_unescaped() {
    let mut files = whole_site(&domains(), &mut hostile_answer);
    let (skin, catalogue) = (Skin::new("").unwrap(), catalogue());
    files.extend(collect(|emit| {
        let (reports, records) = (
            reports(&[REPORT_ID], HOSTILE),
            records(&[REPORT_ID], 2, HOSTILE),
        );
        report::write_reports(&skin, &catalogue, &reports, &records, &mut no_rows, emit).map(drop)
    }));
    assert!(
        pages(&files).any(|(_, html)| html.contains("&lt;script&gt;") && html.contains("[U+202E]"))
    );
    for (path, file) in files.iter().filter(|(path, _)| !path.contains("/queries/")) {
        let is_json = path.ends_with(".json");
        assert!(
            !file.contains(['\u{202e}', '\u{200b}', '\0']),
            "{path}: unseen character"
        );
        assert!(is_json || !file.contains("<script"), "{path}: script");
        assert!(
            !file.contains("49 "),
            "{path}: the template engine read a stranger's words"
        );
    }
}

#[test]
fn what_is_too_large_for_many_domains_is_asked_for_fewer() {
    let (skin, catalogue) = (Skin::new("/base/").unwrap(), catalogue());
    let site = Site {
        skin: &skin,
        catalogue: &catalogue,
        as_of: as_of(),
        domains: &domains(),
    };
    let names = ["a.example", "example.com", "example.org"];
    let draw = |most: usize| {
        let mut rows = |query: &Query, params: &Params| match params.get("domains") {
            Some(Value::List(asked)) if asked.len() > most => anyhow::bail!("it gives too much"),
            _ => answer(query, params),
        };
        collect(|emit| site.domains(&names, &mut rows, emit))
    };
    assert_eq!(draw(1), draw(3));
}

#[test]
fn json_is_json_and_holds_no_error_key() {
    let files = whole_site(&domains(), &mut answer);
    for (path, file) in files.iter().filter(|(path, _)| path.ends_with(".json")) {
        let value: serde_json::Value =
            serde_json::from_str(file).unwrap_or_else(|problem| panic!("{path}: {problem}"));
        assert!(value.get("error").is_none(), "{path}");
    }
}

#[test]
fn same_rows_give_the_same_bytes() {
    assert_eq!(
        whole_site(&domains(), &mut answer),
        whole_site(&domains(), &mut answer)
    );
}

#[test]
fn pages_of_fixed_rows_look_as_they_did() {
    let files = whole_site(&domains(), &mut answer);
    for (name, path) in [
        ("overview", "site/overview.html"),
        ("domain", "site/domains/example.com.html"),
        ("senders", "site/senders.html"),
        ("sources", "site/sources.html"),
        ("intake", "site/intake.html"),
        (
            "report",
            "site/reports/0123456789abcdef0123456789abcdef.html",
        ),
        (
            "report_json",
            "site/api/reports/0123456789abcdef0123456789abcdef.json",
        ),
        ("homepage_json", "site/api/homepage.json"),
        ("homepage_domain_json", "site/api/homepage/example.com.json"),
        ("domains_json", "site/api/domains.json"),
        (
            "domain_summary_json",
            "site/api/domains/example.com/summary.json",
        ),
    ] {
        check_snapshot(name, &files[path]);
    }
}

#[test]
fn a_site_without_data_says_how_to_get_some() {
    let files = whole_site(&[], &mut no_rows);
    check_snapshot("overview_empty", &files["site/overview.html"]);
    check_snapshot("homepage_empty_json", &files["site/api/homepage.json"]);
}

#[test]
fn a_window_without_reports_names_the_newest_day() {
    let old = [DomainDays {
        name: "example.com".into(),
        last_day: "2026-08-01".parse().unwrap(),
    }];
    let files = whole_site(&old, &mut no_rows);
    for path in ["site/overview.html", "site/domains/example.com.html"] {
        assert!(
            files[path].contains("The newest data is from 2026-08-01."),
            "{path}"
        );
    }
}

#[test]
fn names_that_are_not_host_names_get_neither_page_nor_link() {
    let files = whole_site(&domains(), &mut answer);
    assert!(
        files
            .keys()
            .all(|path| !path.contains("..") && !path.contains(' '))
    );
    assert!(files["site/overview.html"].contains("href=\"/base/domains/example.org\""));
    assert!(!files["site/overview.html"].contains("/domains/not"));
}

#[test]
fn records_go_to_their_own_report() {
    let ids = ["0".repeat(32), "a".repeat(32), "b".repeat(32)];
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let (skin, catalogue) = (Skin::new("").unwrap(), catalogue());
    let (all, without_first) = (
        reports(&ids, "reporter.example"),
        records(&ids[1..], 3, "s1"),
    );
    let files = collect(|emit| {
        assert_eq!(
            report::write_reports(&skin, &catalogue, &all, &without_first, &mut no_rows, emit)?,
            3
        );
        Ok(())
    });
    for (id, expect) in ids.iter().zip([0, 3, 3]) {
        let json: serde_json::Value =
            serde_json::from_str(&files[&format!("site/api/reports/{id}.json")]).unwrap();
        assert_eq!(json["records"].as_array().unwrap().len(), expect, "{id}");
    }
    assert!(files[&format!("site/reports/{}.html", ids[0])].contains("This report has no records"));
}

#[test]
fn a_report_of_many_records_shows_the_first_and_says_so() {
    let (skin, catalogue) = (Skin::new("").unwrap(), catalogue());
    let files = collect(|emit| {
        let (reports, records) = (
            reports(&[REPORT_ID], "reporter.example"),
            records(&[REPORT_ID], 1200, "s1"),
        );
        report::write_reports(&skin, &catalogue, &reports, &records, &mut no_rows, emit).map(drop)
    });
    let page = &files[&format!("site/reports/{REPORT_ID}.html")];
    assert!(page.contains("The first 1\u{202f}000 of 1\u{202f}200 records"));
    assert_eq!(page.matches("<th scope=\"row\">").count(), 1000);
}

#[test]
fn a_panel_that_names_a_missing_column_says_so_and_keeps_its_table() {
    let mut rows = |query: &Query, params: &Params| match query.name.as_str() {
        "overview_trend" => Ok(table(
            ["day", "passed"],
            vec![[Value::Day(as_of()), Value::Int(1)]],
        )),
        _ => answer(query, params),
    };
    let page = &whole_site(&domains(), &mut rows)["site/overview.html"];
    assert!(page.contains("This panel cannot be drawn: its query has no column failing."));
    assert!(page.contains("<caption class=\"unseen\">Messages per day</caption>"));
}

#[test]
fn a_query_that_fails_stops_the_page() {
    let (skin, catalogue) = (Skin::new("").unwrap(), catalogue());
    let site = Site {
        skin: &skin,
        catalogue: &catalogue,
        as_of: as_of(),
        domains: &[],
    };
    let problem = site
        .overview(&mut |_, _| anyhow::bail!("no such table"), &mut |_, _| {
            Ok(())
        })
        .unwrap_err();
    assert_eq!(
        format!("{problem:#}"),
        "running query overview_alignment: no such table"
    );
}

#[test]
fn a_query_about_many_domains_is_asked_once_and_its_rows_are_shared_out() {
    let mut catalogue = Catalogue::default();
    let mut query = super::fixture::catalogue().queries["domain_reports"].clone();
    query.params = vec![("domains".into(), "VARCHAR[]".into())];
    query.panels[0].columns = vec!["report".into()];
    query.panels[0].rows = Some(1);
    catalogue.queries.insert("domain_reports".into(), query);
    let skin = Skin::new("").unwrap();
    let site = Site {
        skin: &skin,
        catalogue: &catalogue,
        as_of: as_of(),
        domains: &domains(),
    };
    let mut asked = Vec::new();
    let text = |text: &str| Value::Text(text.into());
    let mut rows = |_: &Query, params: &Params| {
        asked.push(params["domains"].clone());
        Ok(table(
            ["domain", "report", "secret"],
            vec![
                [text("example.com"), text("first"), text("concealed")],
                [text("example.net"), text("other"), text("concealed")],
                [text("example.com"), text("second"), text("concealed")],
                [text("unasked.example"), text("unasked"), text("concealed")],
            ],
        ))
    };
    let files = collect(|emit| site.domains(&["example.com", "example.net"], &mut rows, emit));
    assert_eq!(
        asked,
        [Value::List(vec![text("example.com"), text("example.net")])]
    );
    let page = &files["site/domains/example.com.html"];
    assert!(page.contains("first"), "{page}");
    for absent in ["second", "other", "unasked", "concealed"] {
        assert!(!page.contains(absent), "{absent}: {page}");
    }
    assert!(files["site/domains/example.net.html"].contains("other"));
    assert!(!files.contains_key("site/domains/unasked.example.html"));
}

#[test]
fn last_check_is_filled_in_without_touching_the_rest() {
    let files = whole_site(&domains(), &mut answer);
    for path in [
        "site/api/homepage.json",
        "site/api/homepage/example.com.json",
    ] {
        let filled =
            homepage::with_last_check(files[path].as_bytes(), "2026-11-20T06:00:00Z").unwrap();
        let filled = String::from_utf8(filled).unwrap();
        assert_eq!(
            filled.replace("\"2026-11-20T06:00:00Z\"", "\"\""),
            files[path],
            "{path}"
        );
        assert_ne!(filled, files[path]);
    }
}

#[test]
fn error_pages_have_the_form_of_all_pages() {
    let skin = Skin::new("").unwrap();
    let all = [
        ErrorPage::Unauthorized,
        ErrorPage::Forbidden,
        ErrorPage::NotFound,
        ErrorPage::MethodNotAllowed,
        ErrorPage::Internal,
        ErrorPage::NothingPublished,
    ];
    for error in all {
        let page = String::from_utf8(skin.error_page(error).unwrap()).unwrap();
        check_balance("error", &page);
        check_accessible("error", &page);
        assert!(page.contains(&error.status().to_string()));
    }
}

#[test]
fn a_panel_of_the_user_appears_on_report_pages() {
    let (skin, mut catalogue) = (Skin::new("").unwrap(), catalogue());
    let mut own = catalogue.queries["report_records"].clone();
    own.name = "my_own".into();
    catalogue.queries.insert("my_own".into(), own);
    let mut rows = |query: &Query, params: &Params| {
        assert_eq!(
            (query.name.as_str(), params["report"].clone()),
            ("my_own", text(REPORT_ID))
        );
        Ok(table(["answer"], vec![[Value::Int(42)]]))
    };
    let files = collect(|emit| {
        let (reports, records) = (
            reports(&[REPORT_ID], "x.example"),
            records(&[REPORT_ID], 1, "s1"),
        );
        report::write_reports(&skin, &catalogue, &reports, &records, &mut rows, emit).map(drop)
    });
    let page = &files[&format!("site/reports/{REPORT_ID}.html")];
    assert!(page.contains("/queries/my_own.sql") && page.contains("<td class=\"num\">42</td>"));
}
