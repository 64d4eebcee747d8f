//! One SQL file -> a query, or everything that is wrong with it.

use std::collections::BTreeSet;
use std::time::Duration;

use duckdb::Connection;

use super::check_rule;
use super::header::{self, Header};
use super::limit::within;
use super::lint::lint;
use super::run::columns_of;
use super::statement::tree;
use super::{PAGES, Problem, Query};

/// How long a file may take on empty tables: usual ones take a hundredth of a second.
const TRIAL: Duration = Duration::from_secs(10);

/// What pages give, and its type.
const GIVEN: [(&str, &str); 5] = [
    ("alerts", "VARCHAR[]"),
    ("as_of", "DATE"),
    ("domain", "VARCHAR"),
    ("domains", "VARCHAR[]"),
    ("report", "VARCHAR"),
];

/// Where a file comes from and what it says.
pub(super) struct File<'a> {
    pub(super) path: &'a str,
    pub(super) folder: &'a str,
    /// File name without `.sql`.
    pub(super) name: &'a str,
    pub(super) text: &'a str,
    pub(super) is_users: bool,
}

impl File<'_> {
    fn problem(&self, line: usize, message: impl Into<String>) -> Problem {
        Problem {
            path: self.path.to_owned(),
            line,
            message: message.into(),
        }
    }

    /// Reads the header alone; enough for files that are part of the binary.
    pub(super) fn read(&self) -> (Query, Vec<Problem>) {
        let (header, problems) = header::parse(self.text);
        let mut problems: Vec<Problem> = problems
            .into_iter()
            .map(|(line, text)| self.problem(line, text))
            .collect();
        if !header.name.is_empty() && header.name != self.name {
            let text = format!(
                "the header says `{}`, the file is called `{}.sql`",
                header.name, self.name
            );
            problems.push(self.problem(1, text));
        }
        if self.folder == "panels" && header.panels.is_empty() && problems.is_empty() {
            problems.push(self.problem(
                1,
                "a file in panels/ needs a line `-- panel: page=… title=\"…\"`",
            ));
        }
        if self.folder == "alerts" && header.rule.is_none() && problems.is_empty() {
            problems.push(self.problem(1, "a file in alerts/ needs a line `-- rule: title=\"…\"`"));
        }
        (self.query(header), problems)
    }

    fn query(&self, header: Header) -> Query {
        Query {
            name: self.name.to_owned(),
            folder: self.folder.to_owned(),
            description: header.description,
            grain: header.grain,
            params: header.params,
            panels: header.panels,
            rule: header.rule,
            defaults: header.defaults,
            advice: header.advice,
            text: self.text.to_owned(),
            path: self.path.to_owned(),
            is_users: self.is_users,
        }
    }

    /// Everything that can be said without data: statement, rules, parameters, columns. `database` holds the tables,
    /// empty.
    pub(super) fn check(&self, query: &Query, database: &Connection) -> Vec<Problem> {
        let tree = match tree(database, self.text) {
            Ok(tree) => tree,
            Err(problem) => return vec![self.problem(self.line(problem.offset), problem.message)],
        };
        let findings = lint(&tree, &query.grain);
        let mut problems: Vec<Problem> = findings
            .problems
            .into_iter()
            .map(|(offset, text)| self.problem(self.line(offset), text))
            .collect();
        let (header, _) = header::parse(self.text);
        problems.extend(self.params(query, &header, &findings.params));
        if problems.is_empty() {
            problems.extend(self.columns(query, &header, database));
        }
        problems
    }

    fn params(&self, query: &Query, header: &Header, used: &BTreeSet<String>) -> Vec<Problem> {
        let declared: BTreeSet<String> =
            query.params.iter().map(|(name, _)| name.clone()).collect();
        let mut problems = Vec::new();
        for name in used.difference(&declared) {
            problems.push(self.problem(
                header.params_line,
                format!("`${name}` is used and not declared in `-- params:`"),
            ));
        }
        for name in declared.difference(used) {
            problems.push(self.problem(
                header.params_line,
                format!("`${name}` is declared and not used"),
            ));
        }
        let pages = query.panels.iter().map(|panel| panel.page.as_str());
        for (page, given) in pages.filter_map(|page| PAGES.iter().find(|(name, _)| *name == page)) {
            for name in (declared.iter()).filter(|name| !given.contains(&name.as_str())) {
                let text = format!(
                    "the page `{page}` gives ${}, not `${name}`",
                    given.join(", $")
                );
                problems.push(self.problem(header.params_line, text));
            }
        }
        problems.extend(
            (check_rule::params(query, header).into_iter())
                .map(|(line, text)| self.problem(line, text)),
        );
        for (name, kind) in &query.params {
            let given = GIVEN.iter().find(|(given, _)| given == name);
            if let Some((_, right)) = given.filter(|(_, right)| right != kind) {
                let text = format!("pages give `${name}` as {right}, not as {kind}");
                problems.push(self.problem(header.params_line, text));
            }
        }
        if declared.contains("domain") && declared.contains("domains") {
            let text = "a page gives `$domain` or `$domains`, not both";
            problems.push(self.problem(header.params_line, text));
        }
        let says_which = |name: &str| query.grain.iter().any(|column| column == name);
        let is_of_alert = query.panels.iter().any(|panel| panel.page == "alert");
        if is_of_alert && !(declared.contains("alerts") && says_which("alert")) {
            let text = "what is on the page of an alert takes `$alerts` and says which one a row is about: \"One row per (alert, …)\"";
            problems.push(self.problem(1, text));
        }
        if declared.contains("domains") && !says_which("domain") {
            let text = "what takes `$domains` has to say which one a row is about: \"One row per (domain, …)\"";
            problems.push(self.problem(1, text));
        }
        problems
    }

    fn columns(&self, query: &Query, header: &Header, database: &Connection) -> Vec<Problem> {
        let tried = within(database, TRIAL, || columns_of(database, query));
        let columns = match tried {
            Ok((Ok(columns), _)) => columns,
            Ok((Err(_), true)) => {
                let text = format!(
                    "it has no end: no answer after {} seconds, on empty tables",
                    TRIAL.as_secs()
                );
                return vec![self.problem(1, text)];
            }
            Ok((Err(error), false)) | Err(error) => {
                return vec![self.problem(1, format!("{error:#}"))];
            }
        };
        let missing = |name: &&String| !columns.contains(name);
        let of_rule = check_rule::columns(query, header, &columns);
        let mut problems: Vec<Problem> = (of_rule.into_iter())
            .map(|(line, text)| self.problem(line, text))
            .collect();
        for name in query.grain.iter().filter(missing) {
            problems.push(self.problem(
                1,
                format!("`{name}` of \"One row per (…)\" is not a column of the result"),
            ));
        }
        for (panel, line) in query.panels.iter().zip(&header.panel_lines) {
            let named = panel.x.iter().chain(&panel.y).chain(&panel.columns);
            for name in named.filter(missing) {
                let text = format!(
                    "there is no column `{name}`; columns are {}",
                    columns.join(", ")
                );
                problems.push(self.problem(*line, text));
            }
        }
        problems
    }

    fn line(&self, offset: usize) -> usize {
        1 + self
            .text
            .bytes()
            .take(offset)
            .filter(|b| *b == b'\n')
            .count()
    }
}
