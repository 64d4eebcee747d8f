//! The header comment of a SQL file -> name, sentences, grain, parameters, panel; or what is wrong with it.
//!
//! ```sql
//! -- domain_trend: messages and pass rate per day. One row per (domain, day).
//! -- params: $domain VARCHAR, $since DATE, $until DATE
//! -- panel: page=domain title="Daily volume" chart=stacked x=day y=passed,failed order=20
//! ```

use super::rule::{RuleHeader, rule};
use super::{Chart, PAGES, Panel};

/// What a header says.
#[derive(Debug, Default)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) grain: Vec<String>,
    pub(super) params: Vec<(String, String)>,
    pub(super) panels: Vec<Panel>,
    pub(super) rule: Option<RuleHeader>,
    pub(super) defaults: Vec<(String, String)>,
    pub(super) advice: Vec<String>,
    /// Line of `-- params:`, from 1; 1 where there is none.
    pub(super) params_line: usize,
    /// Lines of `-- panel:`, from 1, as many as `panels` where there is no problem.
    pub(super) panel_lines: Vec<usize>,
    /// Line of `-- rule:`, from 1; 1 where there is none.
    pub(super) rule_line: usize,
    /// Line of the last `-- default:`, from 1; 1 where there is none.
    pub(super) default_line: usize,
}

/// SQL types that a parameter can have.
pub(super) const PARAM_TYPES: [&str; 6] = [
    "VARCHAR",
    "DATE",
    "BIGINT",
    "BOOLEAN",
    "TIMESTAMP",
    "VARCHAR[]",
];

/// Reads the comment lines at the top of a file. Problems are `(line, sentence)`.
pub(super) fn parse(text: &str) -> (Header, Vec<(usize, String)>) {
    let mut header = Header {
        params_line: 1,
        rule_line: 1,
        default_line: 1,
        ..Header::default()
    };
    let mut problems = Vec::new();
    let mut prose = String::new();
    let comments = text
        .lines()
        .map(str::trim)
        .map_while(|line| line.strip_prefix("--"));
    for (index, line) in comments.enumerate() {
        let (number, line) = (index + 1, line.trim());
        match header.keyed(number, line) {
            Some(Ok(())) => {}
            Some(Err(list)) => problems.extend(list.into_iter().map(|problem| (number, problem))),
            None if header.is_in_prose() => {
                prose.push_str(if prose.is_empty() { "" } else { " " });
                prose.push_str(line);
            }
            None => {}
        }
    }
    match sentences(&prose) {
        Ok((name, description, grain)) => {
            (header.name, header.description, header.grain) = (name, description, grain);
        }
        Err(problem) => problems.insert(0, (1, problem)),
    }
    for (index, panel) in header.panels.iter_mut().enumerate() {
        panel.id = match index {
            0 => header.name.clone(),
            _ => format!("{}-{}", header.name, index + 1),
        };
    }
    (header, problems)
}

impl Header {
    /// Takes a line with a keyword; `None`: it has none.
    fn keyed(&mut self, number: usize, line: &str) -> Option<Result<(), Vec<String>>> {
        let (key, rest) = line.split_once(':')?;
        let one = |problem: String| vec![problem];
        Some(match key {
            "params" => {
                self.params_line = number;
                params(rest).map(|list| self.params = list).map_err(one)
            }
            "panel" => {
                self.panel_lines.push(number);
                panel(rest).map(|panel| self.panels.push(panel))
            }
            "rule" => {
                self.rule_line = number;
                rule(rest).map(|rule| self.rule = Some(rule)).map_err(one)
            }
            "default" => {
                self.default_line = number;
                pairs(rest)
                    .map(|pairs| self.defaults.extend(pairs))
                    .map_err(one)
            }
            "advice" => {
                self.advice.push(rest.trim().to_owned());
                Ok(())
            }
            _ => return None,
        })
    }

    /// Sentences stand before the first line with a keyword.
    fn is_in_prose(&self) -> bool {
        self.params_line == 1 && self.panel_lines.is_empty() && self.rule_line == 1
    }
}

/// `name: sentence. One row per (a, b).`
fn sentences(prose: &str) -> Result<(String, String, Vec<String>), String> {
    const FORM: &str =
        "the file has to begin with `-- name: what it gives. One row per (columns).`";
    let (name, description) = prose.split_once(':').ok_or(FORM)?;
    let (name, description) = (name.trim(), description.trim());
    if !is_name(name) || !description.ends_with('.') {
        return Err(FORM.to_owned());
    }
    if description.ends_with("One row.") {
        return Ok((name.to_owned(), description.to_owned(), Vec::new()));
    }
    let grain = description
        .rsplit_once("One row per (")
        .and_then(|(_, rest)| rest.strip_suffix(")."))
        .ok_or(FORM)?;
    let grain: Vec<String> = grain
        .split(',')
        .map(|column| column.trim().to_owned())
        .collect();
    if grain.iter().any(|column| !is_name(column)) {
        return Err(format!(
            "`One row per ({})` has to list column names",
            grain.join(", ")
        ));
    }
    Ok((name.to_owned(), description.to_owned(), grain))
}

/// `$domain VARCHAR, $since DATE`.
fn params(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut list: Vec<(String, String)> = Vec::new();
    for part in text.split(',').map(str::trim) {
        let (name, kind) = part
            .strip_prefix('$')
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(|| format!("`{part}` has to be `$name TYPE`"))?;
        let kind = kind.trim().to_ascii_uppercase();
        if !is_name(name) || list.iter().any(|(other, _)| other == name) {
            return Err(format!(
                "`${name}` is not a parameter name, or stands twice"
            ));
        }
        if !PARAM_TYPES.contains(&kind.as_str()) {
            return Err(format!("`{kind}` is not one of {}", PARAM_TYPES.join(", ")));
        }
        list.push((name.to_owned(), kind));
    }
    Ok(list)
}

/// `page=domain title="Daily volume" chart=stacked x=day y=passed,failed order=20`.
fn panel(text: &str) -> Result<Panel, Vec<String>> {
    let mut problems = Vec::new();
    let mut panel = Panel {
        order: 1000,
        ..Panel::default()
    };
    for (key, value) in pairs(text).map_err(|problem| vec![problem])? {
        if let Err(problem) = set(&mut panel, &key, value) {
            problems.push(problem);
        }
    }
    if panel.page.is_empty() || panel.title.is_empty() {
        problems.push("a panel needs at least page= and title=".to_owned());
    }
    if matches!(panel.chart, Chart::Stacked | Chart::Line | Chart::Bars)
        && (panel.x.is_none() || panel.y.is_empty())
    {
        problems.push("this chart needs x= and y=".to_owned());
    }
    if problems.is_empty() {
        Ok(panel)
    } else {
        Err(problems)
    }
}

fn set(panel: &mut Panel, key: &str, value: String) -> Result<(), String> {
    match key {
        "page" if PAGES.iter().any(|(page, _)| *page == value) => panel.page = value,
        "page" => {
            let pages: Vec<&str> = PAGES.iter().map(|(page, _)| *page).collect();
            return Err(format!(
                "there is no page `{value}`; pages are {}",
                pages.join(", ")
            ));
        }
        "title" => panel.title = value,
        "about" => panel.about = Some(value),
        "chart" => panel.chart = chart(&value)?,
        "x" => panel.x = Some(value),
        "y" => panel.y = names(&value),
        "columns" => panel.columns = names(&value),
        "rows" => panel.rows = Some(whole(key, &value)?),
        "order" => panel.order = whole(key, &value)?,
        _ => {
            return Err(format!(
                "`{key}` is not one of page, title, about, chart, x, y, columns, rows, order"
            ));
        }
    }
    Ok(())
}

pub(super) fn names(value: &str) -> Vec<String> {
    value.split(',').map(str::to_owned).collect()
}

fn whole<T: std::str::FromStr>(key: &str, value: &str) -> Result<T, String> {
    (value.parse()).map_err(|_| format!("{key}=`{value}` is not a whole number"))
}

fn chart(word: &str) -> Result<Chart, String> {
    Ok(match word {
        "stacked" => Chart::Stacked,
        "line" => Chart::Line,
        "bars" => Chart::Bars,
        "figures" => Chart::Figures,
        "verdict" => Chart::Verdict,
        "table" => Chart::Table,
        _ => {
            return Err(format!(
                "there is no chart `{word}`; charts are stacked, line, bars, figures, verdict, table"
            ));
        }
    })
}

/// `key=value key="value with spaces"`.
pub(super) fn pairs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut pairs = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (key, after) = rest
            .split_once('=')
            .ok_or_else(|| format!("`{rest}` has to be `key=value`"))?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted
                .split_once('"')
                .ok_or_else(|| format!("the quote of `{key}` is not closed"))?,
            None => after.split_once(' ').unwrap_or((after, "")),
        };
        pairs.push((key.to_owned(), value.to_owned()));
        rest = after.trim_start();
    }
    Ok(pairs)
}

/// Lower-case letters, digits and `_`, not beginning with a digit.
pub(super) fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && text.bytes().next().is_some_and(|b| !b.is_ascii_digit())
}
