//! The trend of a digest: as a picture, in a sentence, and as a table.

use crate::model::day::Day;
use crate::model::words::grouped;

use super::letter::percent;
use super::pixels::{Canvas, GLYPH_HEIGHT, text_width};

/// Pixels of the picture: shown at half of that, so that it is sharp on good screens.
const WIDTH: usize = 1128;
const HEIGHT: usize = 340;
/// Days at most; of more, the last.
const MOST_DAYS: usize = 62;

/// The plot inside of the picture.
const LEFT: usize = 96;
const RIGHT: usize = WIDTH - 8;
const TOP: usize = 20;
const BOTTOM: usize = HEIGHT - 44;
/// How large glyphs are drawn.
const SCALE: usize = 3;

/// Messages a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trend(Vec<(Day, i64, i64)>);

impl Trend {
    /// Days in order, with messages that passed and that failed; `None` of no day.
    pub fn new(days: &[(Day, i64, i64)]) -> Option<Self> {
        let begin = days.len().saturating_sub(MOST_DAYS);
        let days: Vec<(Day, i64, i64)> = days[begin..]
            .iter()
            .map(|(day, passed, failed)| (*day, (*passed).max(0), (*failed).max(0)))
            .collect();
        (!days.is_empty()).then_some(Self(days))
    }

    /// What the picture shows.
    pub fn words(&self) -> String {
        let sum = |of: fn(&(Day, i64, i64)) -> i64| {
            let sum = self
                .0
                .iter()
                .fold(0_i64, |sum, day| sum.saturating_add(of(day)));
            grouped(sum)
        };
        let most = self.0.iter().max_by_key(|day| (total(day), day.0));
        let (Some(first), Some(last), Some(most)) = (self.0.first(), self.0.last(), most) else {
            return String::new();
        };
        format!(
            "Messages a day from {} to {}: {} passed, {} failed; most on {}, {}",
            first.0,
            last.0,
            sum(|day| day.1),
            sum(|day| day.2),
            most.0,
            grouped(total(most))
        )
    }

    /// Day, passed, failed and pass rate, the newest first.
    pub fn rows(&self) -> impl Iterator<Item = [String; 4]> + '_ {
        self.0.iter().rev().map(|day| {
            let (passed, failed) = (day.1, day.2);
            [
                day.0.to_string(),
                grouped(passed),
                grouped(failed),
                percent(passed, total(day)),
            ]
        })
    }

    /// The picture as a PNG file; `None` where it cannot be made, which a mail can do without.
    pub fn png(&self) -> Option<Vec<u8>> {
        let mut canvas = Canvas::new(WIDTH, HEIGHT);
        let top = round_up(self.0.iter().map(total).max().unwrap_or(0));
        for quarter in 0..=2_i64 {
            let y = BOTTOM - share(quarter, 2, BOTTOM - TOP);
            canvas.fill(LEFT..RIGHT, y..y + 2, Canvas::LINE);
            let label = compact(top / 2 * quarter);
            let x = (LEFT - 12).saturating_sub(text_width(&label, SCALE));
            canvas.text(x, y.saturating_sub(GLYPH_HEIGHT * SCALE / 2), SCALE, &label);
        }
        for (at, day) in self.0.iter().enumerate() {
            let bars = self.slot(at);
            let failed = share(day.2, top, BOTTOM - TOP).max(usize::from(day.2 > 0) * 4);
            let passed = share(day.1, top, BOTTOM - TOP).max(usize::from(day.1 > 0) * 4);
            let middle = BOTTOM.saturating_sub(failed);
            canvas.fill(bars.clone(), middle..BOTTOM, Canvas::FAILED);
            canvas.fill(bars, middle.saturating_sub(passed)..middle, Canvas::PASSED);
        }
        self.label_days(&mut canvas);
        canvas.png()
    }

    /// Where a day's bar stands.
    fn slot(&self, at: usize) -> std::ops::Range<usize> {
        let width = RIGHT - LEFT;
        let begin = LEFT + at * width / self.0.len();
        let end = LEFT + (at + 1) * width / self.0.len();
        let gap = ((end - begin) / 5).clamp(1, 12);
        begin + gap..(end - gap).max(begin + gap + 1)
    }

    /// First, middle and last day, where they have room.
    fn label_days(&self, canvas: &mut Canvas) {
        let last = self.0.len() - 1;
        let mut free_from = 0;
        for at in [0, last / 2, last] {
            let Some(day) = self.0.get(at) else { continue };
            let label = day.0.format("%m-%d").to_string();
            let (slot, width) = (self.slot(at), text_width(&label, SCALE));
            let middle = (slot.start + slot.end) / 2;
            let x = middle.saturating_sub(width / 2).clamp(LEFT, RIGHT - width);
            if x >= free_from {
                canvas.text(x, BOTTOM + 14, SCALE, &label);
                free_from = x + width + 4 * SCALE;
            }
        }
    }
}

fn total(day: &(Day, i64, i64)) -> i64 {
    day.1.saturating_add(day.2)
}

/// `part` of `whole` as pixels of `length`.
fn share(part: i64, whole: i64, length: usize) -> usize {
    let pixels = i128::from(part) * length as i128 / i128::from(whole.max(1));
    usize::try_from(pixels).unwrap_or(0).min(length)
}

/// The next even number with one digit that is not zero: good for two steps of an axis.
fn round_up(number: i64) -> i64 {
    let mut unit = 1_i64;
    while unit.saturating_mul(10) < number {
        unit = unit.saturating_mul(10);
    }
    [2, 4, 6, 8, 10]
        .into_iter()
        .map(|steps| unit.saturating_mul(steps))
        .find(|top| *top >= number)
        .unwrap_or(i64::MAX)
        .max(2)
}

/// `1500` as `1.5k`.
fn compact(number: i64) -> String {
    for (unit, name) in [(1_000_000_000, 'G'), (1_000_000, 'M'), (1_000, 'k')] {
        if number >= unit {
            let tenths = number % unit / (unit / 10);
            return match tenths {
                0 => format!("{}{name}", number / unit),
                _ => format!("{}.{tenths}{name}", number / unit),
            };
        }
    }
    number.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(numbers: &[(i64, i64)]) -> Trend {
        let days: Vec<(Day, i64, i64)> = "2024-02-01"
            .parse::<Day>()
            .unwrap()
            .iter_days()
            .zip(numbers)
            .map(|(day, (passed, failed))| (day, *passed, *failed))
            .collect();
        Trend::new(&days).unwrap()
    }

    #[test]
    fn a_trend_is_told_in_a_sentence_and_a_table() {
        let trend = trend(&[(10, 0), (1200, 300), (0, 0)]);
        assert_eq!(
            trend.words(),
            "Messages a day from 2024-02-01 to 2024-02-03: 1\u{202f}210 passed, 300 failed; most on 2024-02-02, \
             1\u{202f}500"
        );
        let rows: Vec<[String; 4]> = trend.rows().collect();
        assert_eq!(rows[0], ["2024-02-03", "0", "0", "\u{2013}"]);
        assert_eq!(rows[1], ["2024-02-02", "1\u{202f}200", "300", "80.0%"]);
    }

    #[test]
    fn axes_end_at_round_numbers() {
        for (number, expect) in [
            (0, 2),
            (1, 2),
            (3, 4),
            (10, 10),
            (11, 20),
            (61, 80),
            (999, 1000),
        ] {
            assert_eq!(round_up(number), expect, "{number}");
        }
        assert_eq!(round_up(i64::MAX), i64::MAX);
        assert_eq!(
            (compact(1500), compact(20), compact(4_000_000)),
            ("1.5k".into(), "20".into(), "4M".into())
        );
    }

    #[test]
    fn every_trend_has_a_small_picture() {
        for numbers in [
            vec![(0, 0)],
            vec![(5, 1); 30],
            vec![(i64::MAX, i64::MAX); 3],
            vec![(-5, 7); 400],
        ] {
            let picture = trend(&numbers).png().unwrap();
            assert_eq!(&picture[1..4], b"PNG");
            assert!(picture.len() < 20_000, "{}", picture.len());
        }
        assert_eq!(Trend::new(&[]), None);
    }
}
