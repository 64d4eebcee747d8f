//! What a SQL file may not do, each with the words of its problem.

use super::super::check::File;
use super::super::{Catalogue, Kind, empty_database, one_statement};

/// Problems of a file called `mine` in `panels/`.
fn problems(text: &str) -> Vec<String> {
    let database = empty_database(&Catalogue::load(None).unwrap()).unwrap();
    let file = File {
        path: "mine.sql",
        folder: "panels",
        name: "mine",
        text,
        is_users: true,
    };
    let (query, mut problems) = file.read();
    if problems.is_empty() {
        problems = file.check(&query, &database);
    }
    problems
        .iter()
        .map(|p| format!("{}: {}", p.line, p.message))
        .collect()
}

/// Checks that a body under a good header has exactly one problem, with these words in it.
fn refused(body: &str, words: &str) {
    let text = format!(
        "-- mine: a test. One row per (domain).\n-- panel: page=overview title=\"Mine\"\nselect domain, {body}"
    );
    let problems = problems(&text);
    assert!(
        problems.len() == 1 && problems[0].contains(words),
        "{body}: {problems:#?}"
    );
}

#[test]
fn a_file_without_end_is_refused_on_empty_tables() {
    refused(
        "n from (values ('x', 1)) given(domain, n) where (with recursive numbers(i) as (select 1 union all select i + 1 \
         from numbers where i < 1000000000000) select max(i) from numbers) > 0 order by domain",
        "it has no end: no answer after 10 seconds",
    );
}

#[test]
fn clocks_chance_floats_and_chosen_rows_are_refused() {
    for (body, words) in [
        (
            "now() as n from daily order by domain",
            "another answer each time",
        ),
        (
            "current_date as n from daily order by domain",
            "another answer each time",
        ),
        (
            "random() as n from daily order by domain",
            "another answer each time",
        ),
        (
            "avg(messages) as n from daily group by domain order by domain",
            "adds floats",
        ),
        (
            "any_value(messages) as n from daily group by domain order by domain",
            "pick another value",
        ),
        (
            "list(messages) as n from daily group by domain order by domain",
            "list(… order by …)",
        ),
        (
            "first(messages) as n from daily group by domain order by domain",
            "first(… order by …)",
        ),
        (
            "row_number() over (partition by domain) as n from daily order by domain",
            "needs an order by",
        ),
        (
            "day from daily using sample 10 rows order by domain",
            "sample",
        ),
        (
            "content from daily, read_text('/etc/hosts') order by domain",
            "outside of the database",
        ),
    ] {
        refused(body, words);
    }
}

#[test]
fn order_has_to_be_total() {
    refused("messages from daily", "the order is not total");
    refused("messages from daily order by messages", "domain is missing");
}

#[test]
fn anything_but_one_select_is_refused() {
    refused(
        "1 from daily, '/etc/hosts.csv' order by domain",
        "file system operations are disabled",
    );
    refused("1 from daily; select 2", "more than one SQL statement");
    refused("1 from (delete from daily) order by domain", "syntax error");
    let text =
        "-- mine: a test. One row.\n-- panel: page=overview title=\"Mine\"\ndelete from daily";
    assert!(
        problems(text)[0].contains("only one statement that reads"),
        "{:?}",
        problems(text)
    );
}

#[test]
fn parameters_have_to_be_declared_used_and_given_by_the_page() {
    refused(
        "messages from daily where day = $as_of order by domain",
        "used and not declared",
    );
    let with = |params: &str, clause: &str| {
        problems(&format!(
            "-- mine: a test. One row per (day).\n-- params: {params}\n-- panel: page=overview title=\"Mine\"\n\
             select day from daily {clause} order by day"
        ))
    };
    assert_eq!(
        with("$as_of DATE", "where day < $as_of"),
        Vec::<String>::new()
    );
    assert_eq!(
        with("$as_of DATE", ""),
        ["2: `$as_of` is declared and not used"]
    );
    assert_eq!(
        with("$x DATE", "where day < $x"),
        ["2: the page `overview` gives $as_of, not `$x`"]
    );
    assert_eq!(
        with("$x", "where day < $x"),
        ["2: `$x` has to be `$name TYPE`"]
    );
    assert_eq!(
        with("$x MONEY", "where day < $x"),
        ["2: `MONEY` is not one of VARCHAR, DATE, BIGINT, BOOLEAN, TIMESTAMP, VARCHAR[]"]
    );
}

#[test]
fn what_is_asked_about_many_domains_says_which_one() {
    let with = |grain: &str, body: &str| {
        problems(&format!(
            "-- mine: a test. One row per ({grain}).\n-- params: $domains VARCHAR[]\n\
             -- panel: page=domain title=\"Mine\"\n{body}"
        ))
    };
    let of_domains = "from daily where domain in (select unnest($domains::varchar[]))";
    assert_eq!(
        with(
            "domain, day",
            &format!("select domain, day {of_domains} order by domain, day")
        ),
        Vec::<String>::new()
    );
    assert_eq!(
        with(
            "day",
            &format!("select distinct day {of_domains} order by day")
        ),
        [
            "1: what takes `$domains` has to say which one a row is about: \"One row per (domain, …)\""
        ]
    );
}

#[test]
fn parameters_are_what_pages_give() {
    let with = |params: &str, condition: &str| {
        problems(&format!(
            "-- mine: a test. One row per (domain, day).\n-- params: {params}\n\
             -- panel: page=domain title=\"Mine\"\nselect domain, day from daily where {condition} order by domain, day"
        ))
    };
    assert_eq!(
        with("$domains VARCHAR", "domain = $domains"),
        ["2: pages give `$domains` as VARCHAR[], not as VARCHAR"]
    );
    assert_eq!(
        with(
            "$domain VARCHAR, $domains VARCHAR[]",
            "domain = $domain or domain in (select unnest($domains::varchar[]))"
        ),
        ["2: a page gives `$domain` or `$domains`, not both"]
    );
}

#[test]
fn each_panel_of_a_query_is_checked_by_itself() {
    assert_eq!(
        problems(
            "-- mine: a test. One row per (day).\n\
             -- panel: page=overview title=\"Mine\" columns=day,message\n\
             -- panel: page=sources title=\"Mine\" chart=line x=day y=passes rows=5\n\
             -- panel: page=intake title=\"Mine\" columns=day,messages rows=5 about=\"This.\"\n\
             select day, messages from daily order by day, messages"
        ),
        [
            "2: there is no column `message`; columns are day, messages",
            "3: there is no column `passes`; columns are day, messages",
        ]
    );
}

#[test]
fn unknown_pages_charts_and_keys_are_all_named() {
    let found = problems(
        "-- mine: a test. One row.\n-- panel: page=here title=\"x\" chart=pie colour=red\nselect 1 as n",
    );
    assert_eq!(found.len(), 4, "{found:#?}");
    assert!(found[0].starts_with("2: there is no page `here`; pages are overview, domain"));
    assert!(found[1].contains("there is no chart `pie`"));
    assert!(found[2].contains("`colour` is not one of"));
}

#[test]
fn one_reading_statement_is_recognised() {
    for sql in [
        "select 1",
        " -- words\n with a as (select 1) select * from a;",
        "from range(3)",
        "values (1)",
        "describe select 1",
        "show tables",
        "summarize select 1",
        "table x",
    ] {
        assert_eq!(
            one_statement(sql).map_err(|e| e.to_string()),
            Ok(Kind::Select),
            "{sql}"
        );
    }
    for sql in [
        "explain select 1",
        "EXPLAIN ANALYZE select 1",
        "/* a */ explain (format json) select 1",
        "explain (select 1)",
    ] {
        assert_eq!(
            one_statement(sql).map_err(|e| e.to_string()),
            Ok(Kind::Explain),
            "{sql}"
        );
    }
}

#[test]
fn long_expressions_are_no_problem() {
    let sql = format!("select 1{}", " + 1".repeat(500));
    assert_eq!(
        one_statement(&sql).map_err(|e| e.to_string()),
        Ok(Kind::Select)
    );
}

#[test]
fn anything_that_writes_or_reaches_out_is_not_a_reading_statement() {
    for sql in [
        "",
        " -- nothing",
        "select 1; select 2",
        "delete from reports",
        "copy reports to 'x.csv'",
        "copy (select 1) to 'x.parquet'",
        "attach 'x.duckdb'",
        "install httpfs",
        "set threads = 1",
        "pragma database_list",
        "create table x (a integer)",
        "explain delete from reports",
        "explain analyze copy reports to 'x.csv'",
        "explain select 1; delete from reports",
        "explain analyze (delete from reports)",
        "call pragma_version()",
        "export database 'x'",
        "checkpoint",
        "selec 1",
    ] {
        assert!(one_statement(sql).is_err(), "{sql}");
    }
}
