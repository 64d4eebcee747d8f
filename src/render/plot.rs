//! Rows as points of a chart: one slot for each day or name, one integer for each series.
//!
//! All arithmetic that ends in the drawing is on integers, so every machine draws the same bytes.

use super::cell::percent_tenths;
use super::words::{is_percent, shown};
use crate::model::day::Day;
use crate::query::{Chart, Panel, Table, Value};

/// Columns of one chart; days beyond this are drawn one slot a row.
const SLOTS_MAX: i64 = 800;

/// What a chart draws.
pub struct Plot {
    /// Left to right.
    pub slots: Vec<Slot>,
    /// Column names of the series, in the order of drawing.
    pub series: Vec<String>,
    /// Whether the values are tenths of a percent.
    pub is_percent: bool,
}

/// One position on the horizontal axis.
pub struct Slot {
    /// The day or the name.
    pub label: String,
    /// One value a series; `None` where the row or the value is missing.
    pub values: Vec<Option<i64>>,
}

impl Plot {
    /// The points of `table` that `panel` asks for, or one sentence saying which column is missing.
    pub fn new(panel: &Panel, table: &Table) -> Result<Self, String> {
        let x = column(
            table,
            panel.x.as_deref().unwrap_or_else(|| first_column(table)),
        )?;
        let series = series_names(panel, table, x);
        let columns = series
            .iter()
            .map(|name| column(table, name))
            .collect::<Result<Vec<_>, _>>()?;
        if columns.is_empty() {
            return Err("its query has no column of numbers".to_owned());
        }
        let is_percent = series.iter().all(|name| is_percent(name));
        let points = Points {
            table,
            x,
            columns: &columns,
            is_percent,
        };
        // Months and names stand side by side; only days have gaps to keep.
        let is_over_time = panel.chart != Chart::Bars && table.columns[x] == "day";
        let slots = is_over_time
            .then(|| points.by_day())
            .flatten()
            .unwrap_or_else(|| points.by_row());
        Ok(Self {
            slots,
            series,
            is_percent,
        })
    }

    /// The largest sum over the series of a slot; at least 0.
    pub fn largest_sum(&self) -> i64 {
        let sums = self.slots.iter().map(|slot| {
            slot.values
                .iter()
                .flatten()
                .fold(0, |sum: i64, v| sum.saturating_add(*v))
        });
        sums.max().unwrap_or(0).max(0)
    }

    /// The largest single value; at least 0.
    pub fn largest(&self) -> i64 {
        self.slots
            .iter()
            .flat_map(|slot| slot.values.iter().flatten())
            .copied()
            .max()
            .unwrap_or(0)
            .max(0)
    }
}

struct Points<'a> {
    table: &'a Table,
    x: usize,
    columns: &'a [usize],
    is_percent: bool,
}

impl Points<'_> {
    fn slot(&self, label: String, row: &[Value]) -> Slot {
        let values = self.columns.iter().map(|at| {
            row.get(*at)
                .and_then(|value| amount(value, self.is_percent))
        });
        Slot {
            label,
            values: values.collect(),
        }
    }

    fn by_row(&self) -> Vec<Slot> {
        let name = &self.table.columns[self.x];
        self.table
            .rows
            .iter()
            .map(|row| self.slot(shown(name, &row[self.x]), row))
            .collect()
    }

    /// One slot for every day from the first to the last, so that days without rows leave a gap.
    fn by_day(&self) -> Option<Vec<Slot>> {
        let days = self
            .table
            .rows
            .iter()
            .map(|row| as_day(&row[self.x]))
            .collect::<Option<Vec<Day>>>()?;
        let (first, last) = (*days.iter().min()?, *days.iter().max()?);
        if (last - first).num_days() >= SLOTS_MAX {
            return None;
        }
        let is_one_row_a_day = days.windows(2).all(|pair| pair[0] < pair[1]);
        is_one_row_a_day.then(|| {
            let mut rows = days.iter().zip(&self.table.rows).peekable();
            first
                .iter_days()
                .take_while(|day| *day <= last)
                .map(|day| {
                    let row = rows
                        .next_if(|(at, _)| **at == day)
                        .map_or(&[][..], |(_, row)| row.as_slice());
                    self.slot(super::words::day(day), row)
                })
                .collect()
        })
    }
}

fn as_day(value: &Value) -> Option<Day> {
    if let Value::Day(day) = value {
        Some(*day)
    } else {
        None
    }
}

/// Where a column stands.
pub fn column(table: &Table, name: &str) -> Result<usize, String> {
    table
        .columns
        .iter()
        .position(|column| column == name)
        .ok_or_else(|| format!("its query has no column {name}"))
}

fn first_column(table: &Table) -> &str {
    table.columns.first().map_or("", String::as_str)
}

/// The columns named by the panel, else every column of numbers.
fn series_names(panel: &Panel, table: &Table, x: usize) -> Vec<String> {
    if !panel.y.is_empty() {
        return panel.y.clone();
    }
    let is_drawn = |at: usize| {
        at != x
            && table
                .rows
                .first()
                .is_some_and(|row| super::cell::is_number(&row[at]))
    };
    let names = table
        .columns
        .iter()
        .enumerate()
        .filter(|(at, _)| is_drawn(*at));
    names.map(|(_, name)| name.clone()).collect()
}

/// A value on the vertical axis; negative ones are drawn as 0.
#[expect(clippy::cast_possible_truncation, reason = "clamped before")]
fn amount(value: &Value, is_percent: bool) -> Option<i64> {
    match value {
        Value::Int(number) if is_percent => Some(number.saturating_mul(10).clamp(0, 1000)),
        Value::Int(number) => Some((*number).max(0)),
        Value::Double(number) if is_percent => Some(percent_tenths(*number)),
        Value::Double(number) => Some(number.round().clamp(0.0, 1e15) as i64),
        _ => None,
    }
}

/// The horizontal lines behind a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Distance of two lines.
    pub step: i64,
    /// Lines above the base.
    pub lines: i64,
}

impl Grid {
    /// Four to six steps of 1, 2, 2.5 or 5 times a power of ten that hold `largest` with the least air above it.
    pub fn holding(largest: i64) -> Self {
        let mut power: i64 = 1;
        let mut best: Option<Self> = None;
        while power.saturating_mul(30) < largest {
            power = power.saturating_mul(10);
        }
        for step in [power, power * 2, power / 2 * 5, power.saturating_mul(5)] {
            for lines in 4..=6 {
                let grid = Self { step, lines };
                let holds = step >= power && grid.top() >= largest;
                if holds && best.is_none_or(|best| grid.top() < best.top()) {
                    best = Some(grid);
                }
            }
        }
        best.unwrap_or(Self {
            step: largest / 4 + 1,
            lines: 4,
        })
    }

    /// The value at the upper edge.
    pub fn top(&self) -> i64 {
        self.step.saturating_mul(self.lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_the_grid_hold_the_largest_value_with_little_air() {
        for (largest, step, lines) in [
            (0, 1, 4),
            (1, 1, 4),
            (4, 1, 4),
            (5, 1, 5),
            (9, 2, 5),
            (20, 5, 4),
            (21, 5, 5),
            (90, 20, 5),
            (1000, 200, 5),
            (4001, 1000, 5),
            (21_200, 5000, 5),
            (268_000, 50_000, 6),
        ] {
            assert_eq!(Grid::holding(largest), Grid { step, lines }, "{largest}");
        }
    }

    #[test]
    fn no_number_is_too_large_for_the_grid() {
        for largest in (0..63).map(|bit| (1_i64 << bit) + 7).chain([i64::MAX]) {
            let grid = Grid::holding(largest);
            assert!(grid.step > 0 && grid.top() >= largest, "{largest} {grid:?}");
        }
    }

    #[test]
    fn days_without_rows_leave_a_gap() {
        let day = |text: &str| Value::Day(text.parse().unwrap());
        let table = Table {
            columns: vec!["day".into(), "messages".into()],
            rows: vec![
                vec![day("2026-01-01"), Value::Int(3)],
                vec![day("2026-01-03"), Value::Int(5)],
            ],
        };
        let panel = Panel {
            chart: crate::query::Chart::Line,
            x: Some("day".into()),
            y: vec!["messages".into()],
            ..Panel::default()
        };
        let plot = Plot::new(&panel, &table).unwrap();
        let values: Vec<_> = plot.slots.iter().map(|slot| slot.values[0]).collect();
        assert_eq!(values, [Some(3), None, Some(5)]);
    }
}
