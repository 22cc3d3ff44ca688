//! Figures: medians over rounds, a table for people, one JSON line each for programs.

use serde_json::json;

/// One thing that was measured once per round.
#[derive(Debug, Default, Clone)]
pub(super) struct Series(pub(super) Vec<f64>);

impl Series {
    /// The middle one, or the mean of the two middle ones.
    pub(super) fn median(&self) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        match (sorted.len() / 2, sorted.len() % 2) {
            (_, _) if sorted.is_empty() => f64::NAN,
            (middle, 1) => sorted[middle],
            (middle, _) => f64::midpoint(sorted[middle - 1], sorted[middle]),
        }
    }

    /// Standard deviation by mean: how much the rounds differ.
    pub(super) fn spread(&self) -> f64 {
        let count = self.0.len() as f64;
        let mean = self.0.iter().sum::<f64>() / count;
        (self.0.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt() / mean
    }

    /// Round by round, ours by theirs.
    pub(super) fn ratio(&self, other: &Self) -> Self {
        Self(self.0.iter().zip(&other.0).map(|(ours, theirs)| ours / theirs).collect())
    }
}

/// Figures of one benchmark, in the order in which they are told.
pub(super) struct Figures {
    bench: &'static str,
    told: Vec<(String, Series, &'static str)>,
}

impl Figures {
    pub(super) fn new(bench: &'static str) -> Self {
        Self { bench, told: Vec::new() }
    }

    /// One more.
    pub(super) fn tell(&mut self, figure: impl Into<String>, series: Series, unit: &'static str) {
        self.told.push((figure.into(), series, unit));
    }

    /// Writes the table, then the lines.
    pub(super) fn print(&self) {
        let width = self.told.iter().map(|(figure, ..)| figure.chars().count()).max().unwrap_or(0);
        println!("\n{:width$}  {:>10}  {:>8}  unit", "figure", "median", "spread");
        for (figure, series, unit) in &self.told {
            let spread = if series.0.len() < 2 { String::new() } else { format!("{:.0} %", 100.0 * series.spread()) };
            println!("{figure:width$}  {:>10}  {spread:>8}  {unit}", significant(series.median()));
        }
        println!();
        for (figure, series, unit) in &self.told {
            let (median, rounds) = (series.median(), &series.0);
            println!(
                "{}",
                json!({ "bench": self.bench, "figure": figure, "median": median, "unit": unit, "rounds": rounds })
            );
        }
    }
}

/// Three or more digits that mean something.
pub(super) fn significant(value: f64) -> String {
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_ratios_are_taken_round_by_round() {
        for (rounds, median) in [(vec![3.0, 1.0, 2.0], 2.0), (vec![4.0, 1.0, 2.0, 3.0], 2.5), (vec![7.0], 7.0)] {
            assert_eq!(Series(rounds).median(), median);
        }
        assert!(Series::default().median().is_nan());
        assert_eq!(Series(vec![2.0, 2.0]).spread(), 0.0);
        assert_eq!(Series(vec![2.0, 9.0]).ratio(&Series(vec![4.0, 3.0])).0, [0.5, 3.0]);
        assert_eq!([12.34, 1234.5, 0.876].map(significant), ["12.3", "1234", "0.88"]);
    }
}
