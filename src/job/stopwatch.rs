//! How long the steps of a run took, by a clock that the caller brings.

use std::cell::RefCell;
use std::collections::BTreeMap;

/// Sums of time and other figures, by name.
pub struct Stopwatch<'a> {
    elapsed_us: &'a dyn Fn() -> u64,
    figures: RefCell<BTreeMap<&'static str, f64>>,
}

impl<'a> Stopwatch<'a> {
    /// `elapsed_us` gives the microseconds since the start of the run.
    pub fn new(elapsed_us: &'a dyn Fn() -> u64) -> Self {
        Self {
            elapsed_us,
            figures: RefCell::default(),
        }
    }

    /// Milliseconds since the start of the run.
    pub fn elapsed_ms(&self) -> u64 {
        (self.elapsed_us)() / 1000
    }

    /// Does the work and adds its milliseconds to the figure `name`.
    pub fn time<T>(&self, name: &'static str, work: impl FnOnce() -> T) -> T {
        let start_us = (self.elapsed_us)();
        let result = work();
        let took_us = (self.elapsed_us)().saturating_sub(start_us);
        self.add(name, took_us as f64 / 1000.0);
        result
    }

    /// Adds to a figure.
    pub fn add(&self, name: &'static str, amount: f64) {
        *self.figures.borrow_mut().entry(name).or_default() += amount;
    }

    /// All figures, sorted by name, and the time since the start as `total_ms`.
    pub fn figures(&self) -> BTreeMap<&'static str, f64> {
        let mut figures = self.figures.borrow().clone();
        figures.insert("total_ms", (self.elapsed_us)() as f64 / 1000.0);
        figures
    }
}
