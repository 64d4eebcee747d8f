//! The embedded files, and the folder of a user over them.

use std::path::Path;

use super::super::check::File;
use super::super::{Catalogue, EMBEDDED, Problem, empty_database};

/// Everything wrong with the embedded files, the schema's statements aside.
#[test]
fn embedded_files_hold_every_rule() {
    let catalogue = load(None);
    let database = empty_database(&catalogue).unwrap();
    let mut problems = Vec::new();
    for (folder, name, text) in EMBEDDED
        .iter()
        .filter(|(folder, ..)| !["models", "schema"].contains(folder))
    {
        let path = format!("queries/{folder}/{name}.sql");
        let file = File {
            path: &path,
            folder,
            name,
            text,
            is_users: false,
        };
        let (query, found) = file.read();
        problems.extend(found);
        problems.extend(file.check(&query, &database));
    }
    assert_eq!(shown(&problems), Vec::<String>::new());
}

#[test]
fn names_that_can_be_run_are_unique() {
    let mut names: Vec<&str> = EMBEDDED
        .iter()
        .filter(|(folder, ..)| !["models", "schema"].contains(folder))
        .map(|(_, name, _)| *name)
        .collect();
    let count = names.len();
    names.dedup();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

#[test]
fn panels_come_in_their_order() {
    let catalogue = load(None);
    let names: Vec<&str> = catalogue
        .panels("overview")
        .iter()
        .map(|(query, _)| query.name.as_str())
        .collect();
    assert_eq!(names.first(), Some(&"overview_figures"));
    assert_eq!(names.last(), Some(&"overview_tls"));
    assert!(catalogue.panels("no such page").is_empty());
}

#[test]
fn users_file_overrides_and_adds() {
    let folder = tempfile::tempdir().unwrap();
    write(
        folder.path(),
        "panels/overview_months.sql",
        MINE.replace("mine", "overview_months").as_str(),
    );
    write(folder.path(), "panels/mine.sql", MINE);
    let catalogue = load(Some(folder.path()));
    assert_eq!(catalogue.queries["overview_months"].panels[0].title, "Mine");
    assert!(catalogue.queries["mine"].is_users);
    assert!(!catalogue.queries["overview_daily"].is_users);
}

#[test]
fn absent_folder_means_the_embedded_files() {
    assert!(
        !load(Some(Path::new("/nonexistent/config/queries")))
            .queries
            .is_empty()
    );
}

#[test]
fn users_panel_of_a_report_asks_reports_and_records_alone() {
    let panel = |table: &str| {
        format!(
            "-- mine: how many rows there are. One row.\n-- params: $report VARCHAR\n\
             -- panel: page=report title=\"Mine\" chart=figures\n\
             select count(*) as found from {table} where {table}.domain <> $report\n"
        )
    };
    for (table, is_fine) in [("records", true), ("reports", true), ("daily", false)] {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), "panels/mine.sql", &panel(table));
        let loaded = Catalogue::load(Some(folder.path()));
        assert_eq!(loaded.is_ok(), is_fine, "{table}: {:?}", loaded.err());
    }
}

#[test]
fn all_problems_come_at_once_with_path_and_line() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "panels/a.sql", "select 1\n");
    write(
        folder.path(),
        "panels/b.sql",
        &MINE.replace("mine:", "other:"),
    );
    write(
        folder.path(),
        "panels/c.sql",
        &MINE
            .replace("mine:", "c:")
            .replace("y=messages", "y=mesages"),
    );
    write(
        folder.path(),
        "panels/d.sql",
        &MINE
            .replace("mine:", "d:")
            .replace("order by domain\n", "\n"),
    );
    write(
        folder.path(),
        "panels/overview_daily.sql",
        &MINE
            .replace("mine:", "overview_daily:")
            .replace("from daily", "from"),
    );
    write(
        folder.path(),
        "schema/daily.sql",
        "create table daily (day date)",
    );
    let problems: Vec<String> = Catalogue::load(Some(folder.path()))
        .unwrap_err()
        .into_iter()
        .map(|p| format!("{}:{}", p.path.rsplit('/').next().unwrap(), p.line))
        .collect();
    assert_eq!(
        problems,
        [
            "a.sql:1",
            "b.sql:1",
            "c.sql:2",
            "d.sql:1",
            "overview_daily.sql:5",
            "schema:1"
        ]
    );
}

const MINE: &str = "-- mine: messages of each domain. One row per (domain).
-- panel: page=overview title=\"Mine\" chart=bars x=domain y=messages
select domain, sum(messages) as messages
from daily
group by domain
order by domain
";

fn load(folder: Option<&Path>) -> Catalogue {
    Catalogue::load(folder).unwrap_or_else(|problems| panic!("{:#?}", shown(&problems)))
}

fn shown(problems: &[Problem]) -> Vec<String> {
    problems.iter().map(Problem::to_string).collect()
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn readme_shows_the_examples_and_a_panel_that_holds_the_rules() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).unwrap();
    let catalogue = load(None);
    for query in catalogue
        .queries
        .values()
        .filter(|query| query.folder == "examples")
    {
        let (_, body) = query.text.split_once('\n').unwrap();
        assert!(
            readme.contains(body),
            "README lacks examples/{}.sql as it is",
            query.name
        );
    }
    let folder = tempfile::tempdir().unwrap();
    let blocks = readme
        .split("```sql\n")
        .skip(1)
        .filter_map(|rest| rest.split_once("```"));
    let panels: Vec<&str> = blocks
        .map(|(block, _)| block)
        .filter(|block| block.contains("-- panel:"))
        .collect();
    assert!(!panels.is_empty());
    for panel in panels {
        let name = panel
            .strip_prefix("-- ")
            .unwrap()
            .split_once(':')
            .unwrap()
            .0;
        write(folder.path(), &format!("panels/{name}.sql"), panel);
    }
    load(Some(folder.path()));
}
