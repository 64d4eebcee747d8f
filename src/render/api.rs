//! The JSON routes that are made from the panels of the catalogue.
//!
//! A panel drawn as `figures` gives its row's columns to the object itself; every other panel is an array under the
//! name of the route, further ones under the name of their query.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::json::{JsonRows, JsonValue, to_bytes};
use super::{Emit, Rows, Site, WINDOW_DAYS, homepage, words};
use crate::model::domain::is_host_name;
use crate::query::{Chart, Params, Query, Table, Value};

impl Site<'_> {
    /// `site/api/domains.json`.
    pub fn api_domains(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        self.write_api(
            "api/domains",
            "domains",
            &Params::new(),
            "site/api/domains.json",
            rows,
            emit,
        )
    }

    /// `site/api/domains/NAME/{summary,reports,sources}.json`; nothing for a name that is not a host name.
    pub fn api_domain(&self, name: &str, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        if !is_host_name(name) {
            return Ok(());
        }
        let params = Params::from([("domain".to_owned(), Value::Text(name.to_owned()))]);
        for route in ["summary", "reports", "sources"] {
            let (page, path) = (
                format!("api/domain_{route}"),
                format!("site/api/domains/{name}/{route}.json"),
            );
            self.write_api(&page, route, &params, &path, rows, emit)?;
        }
        Ok(())
    }

    /// `site/api/homepage.json` and `site/api/homepage/NAME.json` for each domain.
    pub fn api_homepage(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let answers = self.answers("api/homepage", &Params::new(), rows)?;
        let tables = answers.iter().map(|(_, table)| table);
        let page = homepage::from_tables(tables, &self.window_words());
        emit("site/api/homepage.json", &to_bytes(&page)?)?;
        for domain in page
            .domains
            .iter()
            .filter(|domain| is_host_name(&domain.domain))
        {
            emit(
                &format!("site/api/homepage/{}.json", domain.domain),
                &to_bytes(domain)?,
            )?;
        }
        Ok(())
    }

    fn write_api(
        &self,
        page: &str,
        route: &str,
        params: &Params,
        path: &str,
        rows: Rows<'_>,
        emit: Emit<'_>,
    ) -> anyhow::Result<()> {
        let answers = self.answers(page, params, rows)?;
        let object = Object {
            site: self,
            domain: params.get("domain"),
            route,
            answers: &answers,
        };
        emit(path, &to_bytes(&object)?)
    }
}

/// The answer of a route.
struct Object<'a> {
    site: &'a Site<'a>,
    domain: Option<&'a Value>,
    route: &'a str,
    answers: &'a [(&'a Query, Table)],
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("as_of", &words::day(self.site.as_of))?;
        map.serialize_entry("window_days", &WINDOW_DAYS)?;
        if let Some(domain) = self.domain {
            map.serialize_entry("domain", &JsonValue(domain))?;
        }
        let mut is_route_named = false;
        for (query, table) in self.answers {
            let chart = query.panel.as_ref().map(|panel| panel.chart);
            if chart == Some(Chart::Figures) {
                for (name, value) in self.own_columns(table) {
                    map.serialize_entry(name, &JsonValue(value))?;
                }
            } else {
                map.serialize_entry(
                    if is_route_named {
                        query.name.as_str()
                    } else {
                        self.route
                    },
                    &JsonRows(table),
                )?;
                is_route_named = true;
            }
        }
        map.end()
    }
}

impl Object<'_> {
    /// The first row, without the names that the object already has.
    fn own_columns<'t>(&self, table: &'t Table) -> impl Iterator<Item = (&'t String, &'t Value)> {
        let is_taken = |name: &str| {
            name == "as_of" || name == "window_days" || (name == "domain" && self.domain.is_some())
        };
        let row = table.rows.first().map_or(&[][..], Vec::as_slice);
        table
            .columns
            .iter()
            .zip(row)
            .filter(move |(name, _)| !is_taken(name))
    }
}
