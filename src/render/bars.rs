//! Horizontal bars and tiles of figures.

use super::cell::{is_number, write_cell, write_meter};
use super::chart::series_class;
use super::html::Html;
use super::plot::{Plot, column};
use super::words::{grouped, heading};
use crate::query::{Panel, Table, Value};

/// Bars drawn; the data table has all rows.
const BARS_SHOWN: usize = 12;

/// Writes one bar a row with its name and value as text beside it.
pub fn write_bars(
    html: &mut Html,
    base_path: &str,
    panel: &Panel,
    plot: &Plot,
    table: &Table,
) -> Result<(), String> {
    let names = column(table, panel.x.as_deref().unwrap_or(&table.columns[0]))?;
    let top = if plot.is_percent {
        1000
    } else {
        plot.largest_sum().max(1)
    };
    html.raw("<ol class=\"bars\">");
    for (row, slot) in table.rows.iter().zip(&plot.slots).take(BARS_SHOWN) {
        html.raw("<li><span class=\"name\">");
        write_cell(html, base_path, &table.columns[names], &row[names]);
        html.raw("</span><span class=\"value\">")
            .text(&value_words(plot, &slot.values))
            .raw("</span>");
        write_bar(html, plot, &slot.values, top);
        html.raw("</li>");
    }
    html.raw("</ol>");
    if table.rows.len() > BARS_SHOWN {
        html.raw("<p class=\"more\">And ")
            .text(&grouped(count(table.rows.len() - BARS_SHOWN)));
        html.raw(" more in the data table.</p>");
    }
    Ok(())
}

fn value_words(plot: &Plot, values: &[Option<i64>]) -> String {
    let words = plot.series.iter().zip(values).map(|(name, value)| {
        let amount = match value {
            None => "\u{2013}".to_owned(),
            Some(tenths) if plot.is_percent => format!("{}.{}%", tenths / 10, tenths % 10),
            Some(number) => grouped(*number),
        };
        if plot.series.len() == 1 {
            amount
        } else {
            format!("{} {amount}", heading(name))
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

fn write_bar(html: &mut Html, plot: &Plot, values: &[Option<i64>], top: i64) {
    html.raw("<svg class=\"bar\" viewBox=\"0 0 1000 10\" preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    html.raw("<rect class=\"track\" width=\"1000\" height=\"10\"/>");
    let mut left = 0;
    for (at, value) in values.iter().enumerate() {
        let share = i128::from(value.unwrap_or(0)) * 1000 / i128::from(top);
        let width = i64::try_from(share).unwrap_or(1000).min(1000 - left);
        html.raw("<rect class=\"")
            .raw(series_class(&plot.series[at], at))
            .raw("\" x=\"")
            .int(left);
        html.raw("\" width=\"").int(width).raw("\" height=\"10\"/>");
        left += width;
    }
    html.raw("</svg>");
}

/// Writes each column of each row as a tile.
pub fn write_figures(
    html: &mut Html,
    base_path: &str,
    panel: &Panel,
    table: &Table,
) -> Result<(), String> {
    let named = panel
        .y
        .iter()
        .map(|name| column(table, name))
        .collect::<Result<Vec<_>, _>>()?;
    let shown = if named.is_empty() {
        (0..table.columns.len()).collect()
    } else {
        named
    };
    for row in &table.rows {
        html.raw("<dl class=\"figures ")
            .raw(columns_class(shown.len()))
            .raw("\">");
        for at in &shown {
            let (name, value) = (&table.columns[*at], &row[*at]);
            html.raw("<div><dt>").text(&heading(name)).raw("</dt>");
            html.raw(match value {
                Value::Int(1..) if name == "failing" => "<dd class=\"bad\">",
                value if is_number(value) => "<dd>",
                _ => "<dd class=\"words\">",
            });
            write_cell(html, base_path, name, value);
            write_meter(html, name, value);
            html.raw("</dd></div>");
        }
        html.raw("</dl>");
    }
    Ok(())
}

/// Tiles beside each other on a wide screen, such that the rows are even, or the last one lacks least.
fn columns_class(tiles: usize) -> &'static str {
    const CLASSES: [(usize, &str); 4] = [(6, "by-6"), (5, "by-5"), (4, "by-4"), (3, "by-3")];
    if tiles <= 6 {
        return ["by-3", "by-3", "by-3", "by-3", "by-4", "by-5", "by-6"][tiles];
    }
    let lacking = |columns: usize| (columns - tiles % columns) % columns;
    CLASSES
        .iter()
        .min_by_key(|(columns, _)| lacking(*columns))
        .map_or("by-4", |(_, class)| class)
}

fn count(rows: usize) -> i64 {
    i64::try_from(rows).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_tiles_are_even_where_they_can_be() {
        for (tiles, expect) in [
            (1, "by-3"),
            (4, "by-4"),
            (6, "by-6"),
            (7, "by-4"),
            (8, "by-4"),
            (10, "by-5"),
            (11, "by-6"),
            (12, "by-6"),
        ] {
            assert_eq!(columns_class(tiles), expect, "{tiles}");
        }
    }
}
