//! One panel of a page: heading, drawing, data table, link to the query.

use super::answers::Shown;
use super::bars::{write_bars, write_figures};
use super::chart::write_chart;
use super::html::Html;
use super::plot::Plot;
use super::table::write_table;
use super::verdict::write_verdict;
use super::words::capitalised;
use crate::query::{Chart, Panel, Table};

/// Writes the section of a panel. `anchor` is an extra target for links, or empty.
pub(super) fn write_panel(
    html: &mut Html,
    base_path: &str,
    shown: &Shown<'_>,
    anchor: &'static str,
) {
    let Shown {
        query,
        panel,
        table,
    } = shown;
    let id = panel.id.as_str();
    html.raw("<section class=\"panel ")
        .raw(width_class(panel.chart))
        .raw(if query.name.ends_with("_gone_quiet") {
            " alarm"
        } else {
            ""
        })
        .raw("\" aria-labelledby=\"p-")
        .text(id);
    html.raw("-h\"");
    if !anchor.is_empty() {
        html.raw(" id=\"").raw(anchor).raw("\"");
    }
    html.raw("><header><h2 id=\"p-")
        .text(id)
        .raw("-h\">")
        .text(&panel.title)
        .raw("</h2>");
    write_query_link(html, base_path, &query.name, &panel.title);
    html.raw("</header>");
    let about = (panel.about.clone()).unwrap_or_else(|| about(&query.description));
    if !about.is_empty() && panel.chart != Chart::Figures {
        html.raw("<p class=\"about\">").text(&about).raw("</p>");
    }
    write_answer(html, base_path, panel, table);
    html.raw("</section>\n");
}

/// Writes the link to the text of a query.
pub fn write_query_link(html: &mut Html, base_path: &str, query_name: &str, title: &str) {
    html.raw("<a class=\"sql\" href=\"")
        .text(base_path)
        .raw("/queries/")
        .text(query_name)
        .raw(".sql\">SQL");
    html.raw("<span class=\"unseen\"> of ")
        .text(title)
        .raw("</span></a>");
}

fn width_class(chart: Chart) -> &'static str {
    match chart {
        Chart::Stacked | Chart::Table | Chart::Verdict => "wide",
        Chart::Figures => "wide plain",
        Chart::Line | Chart::Bars => "half",
    }
}

/// The description without the sentence about its rows, which is for those who write SQL.
fn about(description: &str) -> String {
    let text = description
        .split("One row")
        .next()
        .unwrap_or_default()
        .trim();
    capitalised(text)
}

fn write_answer(html: &mut Html, base_path: &str, panel: &Panel, table: &Table) {
    if table.rows.is_empty() {
        html.raw("<p class=\"empty\">Nothing to show: there is no row in this period.</p>");
        return;
    }
    let mut drawing = Html::default();
    let drawn = draw(&mut drawing, base_path, panel, table);
    match &drawn {
        Ok(()) => html.append(&drawing),
        Err(problem) => html
            .raw("<p class=\"problem\">This panel cannot be drawn: ")
            .text(problem)
            .raw(".</p>"),
    };
    match (panel.chart, drawn) {
        (Chart::Figures, Ok(())) => {}
        (Chart::Table, _) | (_, Err(_)) => write_table(html, base_path, &panel.title, table),
        _ => {
            html.raw("<details><summary>Data table<span class=\"unseen\"> of ")
                .text(&panel.title);
            html.raw("</span></summary>");
            write_table(html, base_path, &panel.title, table);
            html.raw("</details>");
        }
    }
}

fn draw(html: &mut Html, base_path: &str, panel: &Panel, table: &Table) -> Result<(), String> {
    match panel.chart {
        Chart::Table => {}
        Chart::Figures => write_figures(html, base_path, panel, table)?,
        Chart::Verdict => write_verdict(html, table)?,
        Chart::Bars => write_bars(html, base_path, panel, &Plot::new(panel, table)?, table)?,
        Chart::Line | Chart::Stacked => {
            let plot = Plot::new(panel, table)?;
            write_chart(
                html,
                &format!("p-{}-c", panel.id),
                &panel.title,
                panel.chart,
                &plot,
            );
        }
    }
    Ok(())
}
