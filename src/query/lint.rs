//! The rules that keep answers the same on every machine, read off the syntax tree: a total order, no clock, no
//! chance, no float aggregates, nothing that depends on the order in which rows happen to come, no files.

use std::collections::BTreeSet;

use serde_json::Value as Json;

/// Depth at which a tree is no longer read; DuckDB's own limit is 1,000.
const MAX_DEPTH: usize = 1_000;

const CLOCK: [&str; 17] = [
    "now",
    "today",
    "current_date",
    "current_time",
    "current_timestamp",
    "current_localtime",
    "current_localtimestamp",
    "get_current_time",
    "get_current_timestamp",
    "localtime",
    "localtimestamp",
    "transaction_timestamp",
    "random",
    "setseed",
    "uuid",
    "uuidv7",
    "gen_random_uuid",
];
const FLOAT: [&str; 30] = [
    "avg",
    "mean",
    "favg",
    "fsum",
    "sumkahan",
    "kahan_sum",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "variance",
    "var_pop",
    "var_samp",
    "corr",
    "covar_pop",
    "covar_samp",
    "regr_slope",
    "regr_intercept",
    "regr_r2",
    "regr_avgx",
    "regr_avgy",
    "regr_sxx",
    "regr_sxy",
    "regr_syy",
    "entropy",
    "kurtosis",
    "kurtosis_pop",
    "skewness",
    "sem",
    "geomean",
    "geometric_mean",
];
const ARBITRARY: [&str; 15] = [
    "any_value",
    "arbitrary",
    "arg_max",
    "argmax",
    "max_by",
    "arg_min",
    "argmin",
    "min_by",
    "arg_max_null",
    "arg_min_null",
    "mode",
    "approx_count_distinct",
    "approx_quantile",
    "approx_top_k",
    "reservoir_quantile",
];
const ORDERED: [&str; 8] = [
    "first",
    "last",
    "list",
    "array_agg",
    "string_agg",
    "group_concat",
    "listagg",
    "histogram",
];
const OUTSIDE: [&str; 12] = [
    "read_csv",
    "read_csv_auto",
    "sniff_csv",
    "read_parquet",
    "parquet_scan",
    "read_json",
    "read_json_auto",
    "read_text",
    "read_blob",
    "glob",
    "getenv",
    "query",
];

/// What a tree breaks, as `(byte offset, sentence)`.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) problems: Vec<(usize, String)>,
    /// Names of the parameters that occur.
    pub(super) params: BTreeSet<String>,
}

/// Reads a tree; `grain` is what the header says names one row.
pub(super) fn lint(tree: &Json, grain: &[String]) -> Findings {
    let mut findings = Findings::default();
    walk(tree, 0, &mut findings);
    if let Some(problem) = total_order(tree, grain) {
        findings.problems.push((0, problem));
    }
    findings
}

fn walk(node: &Json, depth: usize, findings: &mut Findings) {
    if depth > MAX_DEPTH {
        findings
            .problems
            .push((0, "the statement is nested too deeply".to_owned()));
        return;
    }
    match node {
        Json::Array(list) => list
            .iter()
            .for_each(|child| walk(child, depth + 1, findings)),
        Json::Object(fields) => {
            visit(node, findings);
            fields
                .values()
                .for_each(|child| walk(child, depth + 1, findings));
        }
        _ => {}
    }
}

fn visit(node: &Json, findings: &mut Findings) {
    let problem = match node["class"].as_str() {
        Some("PARAMETER") => {
            findings
                .params
                .extend(node["identifier"].as_str().map(str::to_owned));
            None
        }
        Some("COLUMN_REF") => clock_word(node),
        Some("FUNCTION") => function(node),
        Some("WINDOW") => window(node),
        _ => (node.get("sample").is_some_and(Json::is_object))
            .then(|| "a sample differs from run to run; use an order and a limit".to_owned()),
    };
    findings
        .problems
        .extend(problem.map(|text| (offset(node), text)));
}

/// `current_date` without brackets is parsed as a column.
fn clock_word(node: &Json) -> Option<String> {
    let names = node["column_names"]
        .as_array()
        .filter(|names| names.len() == 1)?;
    let name = names.first()?.as_str()?.to_ascii_lowercase();
    let is_clock = CLOCK.contains(&name.as_str())
        && (name.starts_with("current_") || name.starts_with("local"));
    is_clock.then(|| clock_message(&name))
}

fn clock_message(name: &str) -> String {
    format!("`{name}` gives another answer each time; use a parameter such as $as_of")
}

fn function(node: &Json) -> Option<String> {
    let name = node["function_name"].as_str()?.to_ascii_lowercase();
    let is = |list: &[&str]| list.contains(&name.as_str());
    let has_order = node["order_bys"]["orders"]
        .as_array()
        .is_some_and(|orders| !orders.is_empty());
    if is(&CLOCK) {
        Some(clock_message(&name))
    } else if is(&FLOAT) {
        Some(format!(
            "`{name}` adds floats, whose sum depends on the order; sum integers and divide as the last step"
        ))
    } else if is(&ARBITRARY) {
        Some(format!(
            "`{name}` may pick another value each time; use min, max or an ordered list"
        ))
    } else if is(&ORDERED) && !has_order {
        Some(format!(
            "`{name}` depends on the order of rows; write {name}(… order by …)"
        ))
    } else if is(&OUTSIDE) {
        Some(format!("`{name}` reaches outside of the database"))
    } else {
        None
    }
}

fn window(node: &Json) -> Option<String> {
    let name = node["function_name"].as_str()?.to_ascii_lowercase();
    let is = |list: &[&str]| list.contains(&name.as_str());
    let needs_order = [
        "row_number",
        "rank",
        "dense_rank",
        "lag",
        "lead",
        "ntile",
        "first_value",
        "last_value",
    ];
    let has_order = ["orders", "arg_orders"]
        .iter()
        .any(|key| node[key].as_array().is_some_and(|o| !o.is_empty()));
    if is(&FLOAT) || is(&ARBITRARY) {
        return function(node);
    }
    ((is(&needs_order) || is(&ORDERED)) && !has_order)
        .then(|| format!("`{name}` over (…) needs an order by"))
}

fn offset(node: &Json) -> usize {
    node["query_location"]
        .as_u64()
        .and_then(|n| usize::try_from(n).ok())
        .filter(|n| *n < 1 << 32)
        .unwrap_or(0)
}

/// Whether the outermost `order by` names every column of the grain.
fn total_order(tree: &Json, grain: &[String]) -> Option<String> {
    if grain.is_empty() {
        return None;
    }
    let modifiers = tree["modifiers"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let orders: Vec<&Json> = modifiers
        .iter()
        .filter_map(|m| m["orders"].as_array())
        .flatten()
        .collect();
    let is_all = orders
        .iter()
        .any(|order| order["expression"]["class"] == "STAR");
    let names: Vec<&str> = orders
        .iter()
        .filter_map(|order| {
            order["expression"]["column_names"]
                .as_array()?
                .last()?
                .as_str()
        })
        .collect();
    let missing: Vec<&str> = grain
        .iter()
        .map(String::as_str)
        .filter(|column| !names.contains(column))
        .collect();
    (!is_all && !missing.is_empty()).then(|| {
        format!(
            "the order is not total: the last `order by` has to hold every column of \"One row per (…)\", {} is missing",
            missing.join(", ")
        )
    })
}
