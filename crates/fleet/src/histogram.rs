//! How long things took: a log-linear histogram, as HdrHistogram's.

use std::fmt::Write;

use serde_json::{Value, json};

/// Sub-buckets of a power of two: values are told apart to one part in 128.
const SUB: u64 = 128;
/// Values below this have a bucket each.
const LINEAR: u64 = 2 * SUB;
/// Longest value that is told apart, in microseconds: 12 days. What is longer counts as this.
const VALUE_MAX: u64 = (1 << 40) - 1;
const BUCKETS: usize = (LINEAR + (40 - 8) * SUB) as usize;

/// Counts of values in microseconds, each known to less than 1 %. 36 KiB once anything is recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    counts: Vec<u64>,
    count: u64,
    sum: u64,
    min: u64,
    max: u64,
}

impl Histogram {
    /// Counts one value, in microseconds.
    pub fn record(&mut self, micros: u64) {
        let value = micros.min(VALUE_MAX);
        if self.counts.is_empty() {
            self.counts = vec![0; BUCKETS];
        }
        self.counts[bucket_of(value)] += 1;
        self.min = if self.count == 0 { value } else { self.min.min(value) };
        self.max = self.max.max(value);
        self.count += 1;
        self.sum = self.sum.saturating_add(value);
    }

    /// Adds all of `other`.
    pub fn add(&mut self, other: &Self) {
        if other.count == 0 {
            return;
        }
        if self.count == 0 {
            self.clone_from(other);
            return;
        }
        for (own, others) in self.counts.iter_mut().zip(&other.counts) {
            *own += others;
        }
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.count += other.count;
        self.sum = self.sum.saturating_add(other.sum);
    }

    /// How many values there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The value that a share `quantile` (0 to 1) of all values does not exceed; `None` of nothing.
    pub fn quantile(&self, quantile: f64) -> Option<u64> {
        let wanted = ((quantile.clamp(0.0, 1.0) * self.count as f64).ceil() as u64).max(1);
        let mut below = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= wanted {
                return Some(highest_of(bucket).clamp(self.min, self.max));
            }
        }
        None
    }

    /// The figures that people ask for, in microseconds; null of nothing.
    pub fn json(&self) -> Value {
        let Some(p50) = self.quantile(0.5) else { return Value::Null };
        let at = |quantile| self.quantile(quantile);
        json!({
            "count": self.count, "min": self.min, "mean": self.sum / self.count, "p50": p50, "p90": at(0.9), "p99": at(0.99),
            "p999": at(0.999), "max": self.max, "buckets": self.buckets(),
        })
    }

    /// Every bucket that is not empty: its highest value, in microseconds, and how many there are.
    fn buckets(&self) -> Vec<(u64, u64)> {
        let full = self.counts.iter().enumerate().filter(|(_, count)| **count > 0);
        full.map(|(bucket, count)| (highest_of(bucket).min(self.max), *count)).collect()
    }

    /// The percentile distribution in milliseconds, in the text form that HdrHistogram's plotter reads (`.hgrm`).
    pub fn hgrm(&self) -> String {
        let mut text = String::from("       Value     Percentile TotalCount 1/(1-Percentile)\n\n");
        let mut below = 0;
        for (value, count) in self.buckets() {
            below += count;
            let share = below as f64 / self.count as f64;
            let line = if below == self.count {
                format!("{:12.3} {share:14.12} {below:10}\n", value as f64 / 1e3)
            } else {
                format!("{:12.3} {share:14.12} {below:10} {:14.2}\n", value as f64 / 1e3, 1.0 / (1.0 - share))
            };
            text.push_str(&line);
        }
        let mean = if self.count == 0 { 0.0 } else { self.sum as f64 / self.count as f64 / 1e3 };
        let _ = writeln!(text, "#[Mean    = {mean:12.3}, StdDeviation   = {:12.3}]", self.deviation() / 1e3);
        let _ = writeln!(text, "#[Max     = {:12.3}, Total count    = {:12}]", self.max as f64 / 1e3, self.count);
        let _ = writeln!(text, "#[Buckets = {:12}, SubBuckets     = {:12}]", 40 - 7, SUB);
        text
    }

    fn deviation(&self) -> f64 {
        if self.count == 0 {
            return 0.0;
        }
        let mean = self.sum as f64 / self.count as f64;
        let squares: f64 = self.buckets().iter().map(|(v, count)| (*v as f64 - mean).powi(2) * *count as f64).sum();
        (squares / self.count as f64).sqrt()
    }
}

fn bucket_of(value: u64) -> usize {
    if value < LINEAR {
        return value as usize;
    }
    let shift = value.ilog2() - 7;
    (LINEAR + u64::from(shift - 1) * SUB + (value >> shift) - SUB) as usize
}

/// The highest value of a bucket.
fn highest_of(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < LINEAR {
        return bucket;
    }
    let shift = (bucket - LINEAR) / SUB + 1;
    let sub = (bucket - LINEAR) % SUB + SUB;
    ((sub + 1) << shift) - 1
}

/// Microseconds as a person reads them: `820 us`, `12.4 ms`, `3.05 s`.
pub fn readable(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} us"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_lies_in_a_bucket_that_is_less_than_one_percent_wide() {
        for exponent in 0..40 {
            for value in [1_u64 << exponent, (1 << exponent) + (1 << exponent) / 3, (2 << exponent) - 1] {
                let bucket = bucket_of(value);
                let (highest, below) = (highest_of(bucket), bucket.checked_sub(1).map_or(0, |b| highest_of(b) + 1));
                assert!(below <= value && value <= highest, "{value}: {below}..={highest}");
                assert!(highest - below <= value / 100, "{value}: {below}..={highest}");
            }
        }
        assert_eq!(bucket_of(VALUE_MAX), BUCKETS - 1);
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut histogram = Histogram::default();
        assert_eq!((histogram.quantile(0.5), histogram.json()), (None, Value::Null));
        (1..=200).for_each(|value| histogram.record(value));
        for (quantile, expected) in [(0.0, 1), (0.5, 100), (0.99, 198), (1.0, 200), (2.0, 200)] {
            assert_eq!(histogram.quantile(quantile), Some(expected), "{quantile}");
        }
        assert_eq!(histogram.json()["mean"], 100);
        histogram.record(u64::MAX);
        assert_eq!(histogram.quantile(1.0), Some(VALUE_MAX));
    }

    #[test]
    fn two_histograms_added_are_one_of_all_values() {
        let (mut one, mut two, mut both) = (Histogram::default(), Histogram::default(), Histogram::default());
        for value in [3, 70_000, 5_000_000] {
            one.record(value);
            both.record(value);
        }
        for value in [1, 900, 80_000_000] {
            two.record(value);
            both.record(value);
        }
        one.add(&two);
        one.add(&Histogram::default());
        assert_eq!(one, both);
        let mut empty = Histogram::default();
        empty.add(&both);
        assert_eq!(empty, both);
    }

    #[test]
    fn the_distribution_is_in_the_plotters_form() {
        let mut histogram = Histogram::default();
        [1_000, 1_000, 2_000, 100_000].into_iter().for_each(|value| histogram.record(value));
        let text = histogram.hgrm();
        let rows: Vec<Vec<&str>> = text.lines().skip(2).map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows[0][1..], ["0.500000000000", "2", "2.00"]);
        assert_eq!(rows[2], ["100.000", "1.000000000000", "4"]);
        assert!(text.contains("Total count    =            4"));
    }

    #[test]
    fn people_read_microseconds_in_the_unit_that_fits() {
        for (micros, text) in [(0, "0 us"), (999, "999 us"), (12_400, "12.4 ms"), (3_050_000, "3.05 s")] {
            assert_eq!(readable(micros), text);
        }
    }
}
