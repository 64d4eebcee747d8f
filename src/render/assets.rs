//! Files that do not depend on data: style sheet, icon, description of the API, texts of the queries.

use anyhow::Context as _;
use serde_json::{Value, json};

use super::{Emit, Skin};
use crate::query::{Catalogue, EMBEDDED};

/// Path in a generation and content of what every page links to.
const ASSETS: [(&str, &[u8]); 2] = [
    (
        "site/assets/style.css",
        include_bytes!("../../templates/assets/style.css"),
    ),
    (
        "site/assets/favicon.svg",
        include_bytes!("../../templates/assets/favicon.svg"),
    ),
];

/// The content of an asset by its path in a generation, for pages that are shown before there is one.
pub fn asset(path: &str) -> Option<&'static [u8]> {
    let found = ASSETS.iter().find(|(known, _)| *known == path);
    found.map(|(_, content)| *content)
}

/// Writes `site/assets/*` and `site/api/openapi.json`.
pub fn write_assets(skin: &Skin, emit: Emit<'_>) -> anyhow::Result<()> {
    for (path, content) in ASSETS {
        emit(path, content)?;
    }
    emit("site/api/openapi.json", &openapi(skin.base_path())?)
}

/// Writes the text of every query as `site/queries/NAME.sql`, and that of every table as
/// `site/queries/schema/NAME.sql`.
pub fn write_queries(catalogue: &Catalogue, emit: Emit<'_>) -> anyhow::Result<()> {
    for (folder, queries) in [("", &catalogue.queries), ("schema/", &catalogue.tables)] {
        for (name, query) in queries {
            emit(
                &format!("site/queries/{folder}{name}.sql"),
                query.text.as_bytes(),
            )?;
        }
    }
    for (_, name, text) in EMBEDDED.iter().filter(|(folder, ..)| *folder == "models") {
        emit(&format!("site/queries/models/{name}.sql"), text.as_bytes())?;
    }
    Ok(())
}

fn openapi(base_path: &str) -> anyhow::Result<Vec<u8>> {
    let text = include_str!("../../templates/openapi.json");
    let mut document: Value =
        serde_json::from_str(text).context("reading templates/openapi.json")?;
    let url = if base_path.is_empty() { "/" } else { base_path };
    document["servers"] = json!([{ "url": url }]);
    Ok(serde_json::to_vec_pretty(&document)?)
}
