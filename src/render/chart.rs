//! Charts as inline SVG from rows: stacked columns, lines and bars.
//!
//! The drawing stretches with its box; all words stand around it as HTML, so they stay readable on a phone. Colours and
//! sizes come from classes of the style sheet: the content security policy allows no inline style.

use super::html::Html;
use super::plot::{Grid, Plot, Slot};
use super::words::{compact, grouped, heading};
use crate::query::Chart;

/// Height of the drawing in its own units.
const HEIGHT: i64 = 1000;
/// Width of one slot in the drawing's own units.
const SLOT_WIDTH: i64 = 20;
/// Space left and right of a column.
const COLUMN_GAP: i64 = 2;
/// Up to as many slots each has its label; beyond, the first, the middle and the last.
const LABELLED_SLOTS: usize = 6;
/// Fewer slots than this are drawn on a part of the width, or their columns would be walls.
const FEW_SLOTS: usize = 12;

/// Writes a stacked or line chart. `id` is unique on the page; `title` names the chart for those who do not see it.
pub fn write_chart(html: &mut Html, id: &str, title: &str, chart: Chart, plot: &Plot) {
    let largest = if chart == Chart::Stacked {
        plot.largest_sum()
    } else {
        plot.largest()
    };
    let grid = if plot.is_percent && chart == Chart::Line {
        Grid {
            step: 250,
            lines: 4,
        }
    } else {
        Grid::holding(largest)
    };
    html.raw("<figure class=\"chart\">");
    write_legend(html, plot);
    html.raw(if plot.slots.len() < FEW_SLOTS {
        "<div class=\"plot few\">"
    } else {
        "<div class=\"plot\">"
    });
    write_vertical_axis(html, &grid, plot.is_percent);
    write_svg_head(html, id, title, plot, chart);
    write_grid(html, plot, grid.lines);
    match chart {
        Chart::Line => write_lines(html, plot, grid.top()),
        _ => write_columns(html, plot, grid.top()),
    }
    html.raw("</svg>");
    write_horizontal_axis(html, &plot.slots);
    html.raw("</div></figure>");
}

fn write_legend(html: &mut Html, plot: &Plot) {
    html.raw("<ul class=\"legend\">");
    for (at, name) in plot.series.iter().enumerate() {
        html.raw(
            "<li><svg class=\"swatch\" viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"",
        );
        html.raw(series_class(name, at))
            .raw("\" width=\"10\" height=\"10\" rx=\"3\"/></svg>");
        html.text(&heading(name)).raw("</li>");
    }
    html.raw("</ul>");
}

fn write_vertical_axis(html: &mut Html, grid: &Grid, is_percent: bool) {
    html.raw("<div class=\"yaxis\" aria-hidden=\"true\">");
    for line in (0..=grid.lines).rev() {
        let value = grid.step.saturating_mul(line);
        let label = if is_percent {
            format!("{}%", value / 10)
        } else {
            compact(value)
        };
        html.raw("<span>").text(&label).raw("</span>");
    }
    html.raw("</div>");
}

fn write_svg_head(html: &mut Html, id: &str, title: &str, plot: &Plot, chart: Chart) {
    let width = plot_width(plot);
    html.raw("<svg class=\"drawing\" viewBox=\"0 0 ")
        .int(width)
        .raw(" ")
        .int(HEIGHT);
    html.raw("\" preserveAspectRatio=\"none\" role=\"img\" aria-labelledby=\"")
        .text(id)
        .raw("-t ")
        .text(id)
        .raw("-d\">");
    html.raw("<title id=\"")
        .text(id)
        .raw("-t\">")
        .text(title)
        .raw("</title>");
    html.raw("<desc id=\"").text(id).raw("-d\">");
    html.raw(if chart == Chart::Line {
        "Line chart of "
    } else {
        "Stacked columns of "
    });
    let names: Vec<String> = plot.series.iter().map(|name| heading(name)).collect();
    html.text(&names.join(", "));
    if let (Some(first), Some(last)) = (plot.slots.first(), plot.slots.last()) {
        html.raw(", from ")
            .text(&first.label)
            .raw(" to ")
            .text(&last.label);
    }
    html.raw(". The same numbers stand in the data table that follows.</desc>");
}

fn plot_width(plot: &Plot) -> i64 {
    i64::try_from(plot.slots.len()).unwrap_or(1).max(1) * SLOT_WIDTH
}

fn write_grid(html: &mut Html, plot: &Plot, lines: i64) {
    let width = plot_width(plot);
    for line in 0..=lines {
        html.raw(if line == lines {
            "<path class=\"base\" d=\"M0 "
        } else {
            "<path class=\"grid\" d=\"M0 "
        });
        html.int(HEIGHT * line / lines)
            .raw("h")
            .int(width)
            .raw("\" vector-effect=\"non-scaling-stroke\"/>");
    }
}

fn write_columns(html: &mut Html, plot: &Plot, top: i64) {
    for (slot, left) in plot.slots.iter().zip((0..).step_by(20)) {
        html.raw("<g class=\"slot\"><title>");
        write_slot_words(html, plot, slot);
        html.raw("</title><rect class=\"hit\" x=\"")
            .int(left)
            .raw("\" width=\"")
            .int(SLOT_WIDTH);
        html.raw("\" height=\"").int(HEIGHT).raw("\"/>");
        // Each edge is that of the sum so far, so the top of the column is exactly the total.
        let (mut sum, mut bottom) = (0_i64, HEIGHT);
        for (at, value) in slot.values.iter().enumerate() {
            sum = sum.saturating_add(value.unwrap_or(0));
            let edge = HEIGHT - share_of(sum, top);
            let height = bottom - edge;
            if height == 0 {
                continue;
            }
            bottom = edge;
            html.raw("<rect class=\"")
                .raw(series_class(&plot.series[at], at))
                .raw("\" x=\"")
                .int(left + COLUMN_GAP);
            html.raw("\" y=\"")
                .int(bottom)
                .raw("\" width=\"")
                .int(SLOT_WIDTH - 2 * COLUMN_GAP);
            html.raw("\" height=\"").int(height).raw("\"/>");
        }
        html.raw("</g>");
    }
}

/// `2026-11-12: Passed 1 234, Failing 5`.
fn write_slot_words(html: &mut Html, plot: &Plot, slot: &Slot) {
    html.text(&slot.label).raw(":");
    for (at, (name, value)) in plot.series.iter().zip(&slot.values).enumerate() {
        html.raw(if at == 0 { " " } else { ", " })
            .text(&heading(name))
            .raw(" ");
        html.text(&amount_words(*value, plot.is_percent));
    }
}

fn amount_words(value: Option<i64>, is_percent: bool) -> String {
    match value {
        None => "\u{2013}".to_owned(),
        Some(tenths) if is_percent => format!("{}.{}%", tenths / 10, tenths % 10),
        Some(number) => grouped(number),
    }
}

fn write_lines(html: &mut Html, plot: &Plot, top: i64) {
    for (at, name) in plot.series.iter().enumerate() {
        html.raw("<path class=\"line ")
            .raw(series_class(name, at))
            .raw("\" d=\"");
        let mut is_pen_down = false;
        for (slot, x) in plot.slots.iter().zip((SLOT_WIDTH / 2..).step_by(20)) {
            let Some(value) = slot.values[at] else {
                is_pen_down = false;
                continue;
            };
            html.raw(if is_pen_down { "L" } else { "M" })
                .int(x)
                .raw(" ")
                .int(HEIGHT - share_of(value, top));
            // A point without neighbours is a dot: a line of no length with round ends.
            html.raw(if is_pen_down { "" } else { "h0" });
            is_pen_down = true;
        }
        html.raw("\" vector-effect=\"non-scaling-stroke\"/>");
    }
    for (slot, left) in plot.slots.iter().zip((0..).step_by(20)) {
        html.raw("<g class=\"slot\"><title>");
        write_slot_words(html, plot, slot);
        html.raw("</title><rect class=\"hit\" x=\"")
            .int(left)
            .raw("\" width=\"")
            .int(SLOT_WIDTH);
        html.raw("\" height=\"").int(HEIGHT).raw("\"/></g>");
    }
}

/// The label of every slot where there are few, else those of the first, the middle and the last.
fn write_horizontal_axis(html: &mut Html, slots: &[Slot]) {
    html.raw(if slots.len() <= LABELLED_SLOTS {
        "<div class=\"xaxis each\" aria-hidden=\"true\">"
    } else {
        "<div class=\"xaxis\" aria-hidden=\"true\">"
    });
    let last = slots.len().saturating_sub(1);
    let is_labelled =
        |at: usize| slots.len() <= LABELLED_SLOTS || [0, last / 2, last].contains(&at);
    for (_, slot) in slots.iter().enumerate().filter(|(at, _)| is_labelled(*at)) {
        html.raw("<span>").text(&slot.label).raw("</span>");
    }
    html.raw("</div>");
}

/// Units of the drawing for `value`: its exact share, so a tiny value may be no more than a hair or nothing.
fn share_of(value: i64, top: i64) -> i64 {
    let share = i128::from(value) * i128::from(HEIGHT) / i128::from(top.max(1));
    i64::try_from(share).unwrap_or(HEIGHT).min(HEIGHT)
}

/// Colour of a series: by meaning where the name has one, so that the same thing looks the same on every page.
pub fn series_class(name: &str, at: usize) -> &'static str {
    match name {
        "passed" | "compliant" | "delivered" | "accepted" | "pass_rate_percent" => "c-good",
        "failing" | "failed" | "rejected" | "threat" | "refused" => "c-bad",
        // A milder failure has a milder tone of the same colour.
        "quarantined" => "c-mild",
        "misconfigured" | "conflict" => "c-warn",
        // Often the same line as one of its parts, which must show through.
        "both_aligned_percent" => "c-2 dashed",
        "forwarded_pass" => "c-6",
        "forwarded_fail" => "c-4",
        "known_unapproved" => "c-3",
        "unknown" | "disposition_unknown" => "c-7",
        _ => ["c-0", "c-1", "c-2", "c-3", "c-4", "c-5", "c-6", "c-7"][at % 8],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute<'a>(tag: &'a str, name: &str) -> &'a str {
        let (_, rest) = tag.split_once(&format!(" {name}=\"")).unwrap();
        rest.split('"').next().unwrap()
    }

    #[test]
    fn a_stack_is_exactly_as_high_as_its_sum() {
        let plot = Plot {
            slots: vec![Slot {
                label: "2026-01-01".into(),
                values: vec![Some(9_000), Some(1), Some(2), Some(0), None, Some(997)],
            }],
            series: (b'a'..=b'f')
                .map(|name| char::from(name).to_string())
                .collect(),
            is_percent: false,
        };
        let mut html = Html::default();
        write_columns(&mut html, &plot, 20_000);
        let drawn = html.as_str().split("<rect ").skip(2);
        let heights: Vec<i64> = drawn
            .map(|tag| attribute(&format!(" {tag}"), "height").parse().unwrap())
            .collect();
        assert_eq!(heights.iter().sum::<i64>(), 500, "{heights:?}");
        assert_eq!(heights, [450, 50], "what is below a unit is not drawn");
    }
}
