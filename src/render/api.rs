//! The JSON routes that are made from the panels of the catalogue.
//!
//! A panel drawn as `figures` gives its row's columns to the object itself, one drawn as `verdict` is an object
//! `advice`; every other panel is an array under the name of the route, further ones under the name of their query, with
//! `-` and a number where it has several.

use serde::ser::{Serialize, SerializeMap, Serializer};

use super::answers::{Answers, Shown};
use super::json::{JsonRows, JsonValue, to_bytes};
use super::verdict::Advice;
use super::{Emit, Rows, Site, WINDOW_DAYS, homepage, words};
use crate::model::domain::is_host_name;
use crate::query::{Chart, Table, Value};

impl Site<'_> {
    /// `site/api/domains.json`.
    pub fn api_domains(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let answers = self.answers("api/domains", rows)?;
        let object = Object {
            site: self,
            domain: None,
            route: "domains",
            shown: self.shown("api/domains", &answers),
        };
        emit("site/api/domains.json", &to_bytes(&object)?)
    }

    /// `site/api/domains/NAME/{summary,reports,sources}.json`.
    pub(super) fn api_domain(
        &self,
        name: &str,
        answers: &Answers,
        emit: Emit<'_>,
    ) -> anyhow::Result<()> {
        for route in ["summary", "reports", "sources"] {
            let object = Object {
                site: self,
                domain: Some(name),
                route,
                shown: self.shown(&format!("api/domain_{route}"), answers),
            };
            let path = format!("site/api/domains/{name}/{route}.json");
            emit(&path, &to_bytes(&object)?)?;
        }
        Ok(())
    }

    /// `site/api/homepage.json` and `site/api/homepage/NAME.json` for each domain.
    pub fn api_homepage(&self, rows: Rows<'_>, emit: Emit<'_>) -> anyhow::Result<()> {
        let answers = self.answers("api/homepage", rows)?;
        let shown = self.shown("api/homepage", &answers);
        let tables = shown.iter().map(|shown| &*shown.table);
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
}

/// The answer of a route.
struct Object<'a> {
    site: &'a Site<'a>,
    domain: Option<&'a str>,
    route: &'a str,
    shown: Vec<Shown<'a>>,
}

impl Serialize for Object<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("as_of", &words::day(self.site.as_of))?;
        map.serialize_entry("window_days", &WINDOW_DAYS)?;
        if let Some(domain) = self.domain {
            map.serialize_entry("domain", domain)?;
        }
        let mut is_route_named = false;
        for Shown { panel, table, .. } in &self.shown {
            if panel.chart == Chart::Figures {
                for (name, value) in self.own_columns(table) {
                    map.serialize_entry(name, &JsonValue(value))?;
                }
            } else if panel.chart == Chart::Verdict {
                map.serialize_entry("advice", &Advice(table))?;
            } else {
                map.serialize_entry(
                    if is_route_named {
                        panel.id.as_str()
                    } else {
                        self.route
                    },
                    &JsonRows(table.as_ref()),
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
