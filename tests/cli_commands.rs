//! The commands as a user runs them, over a small demo.

use std::fs;
use std::path::Path;
use std::process::Command;

/// Runs `sentinel` in `folder`; exit code, standard output, standard error. One that cannot start ends with -1.
fn sentinel(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let run = Command::new(env!("CARGO_BIN_EXE_sentinel"))
        .args(arguments)
        .current_dir(folder)
        .output();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    match run {
        Ok(done) => (
            done.status.code().unwrap_or(-1),
            text(&done.stdout),
            text(&done.stderr),
        ),
        Err(error) => (-1, String::new(), error.to_string()),
    }
}

/// The configuration of a demo of 60 reports in `folder`.
fn demo(folder: &Path) -> String {
    let plan = ["demo", "--reports", "60", "--days", "20", "--end"];
    let (code, out, err) = sentinel(folder, &[&plan[..], &["2026-03-09"]].concat());
    assert_eq!(code, 0, "{err}");
    assert!(out.contains("serve --listen"), "{out}");
    "demo-data/config.yml".to_owned()
}

fn report_pages(folder: &Path) -> usize {
    let pages = folder.join("demo-data/public/current/site/reports");
    fs::read_dir(pages).map_or(0, |pages| pages.count())
}

#[test]
fn render_makes_as_many_report_pages_as_it_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = demo(folder.path());
    let all = report_pages(folder.path());
    let day = ["--as-of", "2026-03-10", "--config", &config, "render"];
    for (pages, expect) in [("3", 3), ("all", all), ("0", 0)] {
        let arguments = [&day[..], &["--report-pages", pages]].concat();
        let (code, out, err) = sentinel(folder.path(), &arguments);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains(&format!("{expect} report pages")), "{out}");
        assert_eq!(report_pages(folder.path()), expect);
    }
    let (code, ..) = sentinel(folder.path(), &["render", "--report-pages", "some"]);
    assert_eq!(code, 2);
}

#[test]
fn intake_names_the_file_that_was_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = demo(folder.path());
    let intake = [
        "--config",
        &config,
        "intake",
        "list",
        "--outcome",
        "refused",
    ];
    let (code, out, err) = sentinel(folder.path(), &intake);
    assert_eq!(code, 0, "{err}");
    let lines: Vec<&str> = out.lines().collect();
    assert!(lines[0].starts_with("item_no,outcome,code"), "{out}");
    assert!(lines[1].contains("refused,gzip-truncated"), "{out}");
    let (_, all, _) = sentinel(
        folder.path(),
        &[
            "--config",
            &config,
            "intake",
            "--outcome",
            "all",
            "--limit",
            "5",
        ],
    );
    assert_eq!(all.lines().count(), 6, "{all}");
}

#[test]
fn named_queries_are_asked_for_the_day_of_the_generation() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = demo(folder.path());
    let (code, out, err) = sentinel(
        folder.path(),
        &["--config", &config, "query", "overview_daily"],
    );
    assert_eq!(code, 0, "{err}");
    let last = out.lines().last().expect("a row");
    assert!(last.starts_with("2026-03-09,"), "{last}");
}

#[test]
fn check_tells_every_problem_and_ends_with_2() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = demo(folder.path());
    let check = ["--config", &config, "check"];
    let (code, out, err) = sentinel(folder.path(), &check);
    assert_eq!((code, err.as_str()), (0, ""), "{out}");
    assert!(out.contains("published: generation 1"), "{out}");
    let panels = folder.path().join("demo-data/queries/panels");
    fs::create_dir_all(&panels).expect("a folder");
    fs::write(panels.join("a.sql"), "select 1\n").expect("a file");
    fs::write(panels.join("b.sql"), "select 1\n").expect("a file");
    let (code, _, err) = sentinel(folder.path(), &check);
    assert_eq!(code, 2);
    assert!(err.contains("a.sql:1") && err.contains("b.sql:1"), "{err}");
}

#[test]
fn a_demo_is_not_shown_to_other_machines() {
    let folder = tempfile::tempdir().expect("a folder");
    let (code, _, err) = sentinel(folder.path(), &["demo", "--serve", "--listen", "0.0.0.0:0"]);
    assert_eq!(code, 2, "{err}");
    assert!(!folder.path().join("demo-data").exists());
}
