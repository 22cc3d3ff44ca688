//! The table: for people, and as JSON lines below it.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde_json::json;

use super::{
    super::{
        figures::{Series, significant},
        machine,
    },
    brokers::Who,
    rows::{Group, Target},
};

/// What was measured of one group, row by row, round by round.
pub(super) struct Seen {
    rows: Vec<Kinds>,
    floors: usize,
}

/// Of one row.
#[derive(Default, Clone)]
struct Kinds {
    floor: [Series; 2],
    tidegate: Series,
    mosquitto: Series,
}

impl Seen {
    pub(super) fn new(rows: usize) -> Self {
        Self { rows: vec![Kinds::default(); rows], floors: 0 }
    }

    /// The figures of one run. The floor is measured before and after the others, if it is.
    pub(super) fn note(&mut self, who: Who, figures: Vec<f64>) {
        for (kinds, figure) in self.rows.iter_mut().zip(figures) {
            let series = match who {
                Who::Floor => &mut kinds.floor[self.floors % 2],
                Who::Tidegate => &mut kinds.tidegate,
                Who::Mosquitto => &mut kinds.mosquitto,
            };
            series.0.push(figure);
        }
        self.floors += usize::from(who == Who::Floor);
    }
}

impl Kinds {
    /// Round by round, the mean of the floor's two.
    fn floor(&self) -> Series {
        let [before, after] = &self.floor;
        if before.0.len() == after.0.len() {
            return Series(
                before.0.iter().zip(&after.0).map(|(before, after)| f64::midpoint(*before, *after)).collect(),
            );
        }
        Series(before.0.iter().chain(&after.0).copied().collect())
    }

    /// How much the floor's two of a round differ, as a share of the floor: the median.
    fn spread(&self) -> f64 {
        let [before, after] = &self.floor;
        let differ = before.0.iter().zip(&after.0).map(|(a, b)| (a - b).abs() / f64::midpoint(*a, *b));
        Some(Series(differ.collect()).median()).filter(|spread| spread.is_finite()).unwrap_or(0.0)
    }

    /// Whether the target holds; a miss smaller than the floor's own spread is none.
    fn verdict(&self, target: Target) -> &'static str {
        let (is, most) = match target {
            Target::TimesFloor(times) => (self.tidegate.ratio(&self.floor()).median(), times),
            Target::AtMost(most) => (self.tidegate.median(), most),
            Target::AsMosquitto => (self.tidegate.ratio(&self.mosquitto).median(), 1.0),
            Target::Told => return "",
        };
        match is / most {
            within if within <= 1.0 => "yes",
            beyond if beyond - 1.0 <= self.spread() => "yes, within the floor's spread",
            beyond if beyond.is_nan() => "?",
            _ => "no",
        }
    }
}

/// All groups so far.
#[derive(Default)]
pub(super) struct Table(Vec<(&'static Group, Seen)>);

impl Table {
    pub(super) fn add(&mut self, group: &'static Group, seen: Seen) {
        self.0.push((group, seen));
    }

    pub(super) fn print(&self) {
        print!("\n{}\n{}", self.markdown(), self.lines());
    }

    fn markdown(&self) -> String {
        let mut text = "\
| operation | unit | floor | Tidegate | by the floor | at most | holds | Mosquitto | Mosquitto by Tidegate |\n\
| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"
            .to_owned();
        for (group, seen) in &self.0 {
            for (row, kinds) in group.rows.iter().zip(&seen.rows) {
                let floor = kinds.floor();
                let figure = |series: &Series| match series.median() {
                    median if median.is_finite() => significant(median),
                    _ => "–".to_owned(), // of nothing, or by nothing
                };
                let spread = match kinds.spread() {
                    0.0 => String::new(),
                    spread => format!(" ±{:.0} %", 100.0 * spread),
                };
                let at_most = match row.target {
                    Target::TimesFloor(times) => format!("{times}x the floor"),
                    Target::AtMost(most) => format!("{most}"),
                    Target::AsMosquitto => "Mosquitto's".to_owned(),
                    Target::Told => String::new(),
                };
                text += &format!(
                    "| {} | {} | {}{spread} | **{}** | {} | {at_most} | {} | {} | {} |\n",
                    row.title,
                    row.unit,
                    figure(&floor),
                    figure(&kinds.tidegate),
                    figure(&kinds.tidegate.ratio(&floor)),
                    kinds.verdict(row.target),
                    figure(&kinds.mosquitto),
                    figure(&kinds.mosquitto.ratio(&kinds.tidegate)),
                );
            }
        }
        text
    }

    fn lines(&self) -> String {
        let mut text = String::new();
        for (group, seen) in &self.0 {
            for (row, kinds) in group.rows.iter().zip(&seen.rows) {
                let line = json!({
                    "bench": "mqtt", "rows": group.name, "figure": row.title, "unit": row.unit,
                    "tidegate": kinds.tidegate.0, "mosquitto": kinds.mosquitto.0,
                    "floor": [kinds.floor[0].0, kinds.floor[1].0],
                });
                text += &format!("{line}\n");
            }
        }
        text
    }

    /// Keeps the table of `program` with the machine's description.
    pub(super) fn record(&self, file: &Path, pairs: u32, seconds: f64, program: &str) -> Result<()> {
        fs::create_dir_all(file.parent().context("a file lies in a directory")?)?;
        let text = format!(
            "# Messages, connects, idle connections\n\n`cargo xtask bench mqtt --pairs {pairs} --seconds {seconds}` of {}\n\n\
             Servers on one core, generator on another, alternately; medians, ratios taken round by round. Tidegate with a\n\
             policy of four statements; the null broker is the floor; Mosquitto without access control and persistence.\n\
             Every run was correct: nothing lost, duplicated or reordered.\n\n{}\n```json\n{}```\n",
            machine::described(program),
            self.markdown(),
            self.lines()
        );
        fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))
    }
}

/// Figures of a run, for the line of its round.
pub(super) fn list(figures: &[f64]) -> String {
    figures.iter().map(|figure| significant(*figure)).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_holds_up_to_the_spread_of_the_floor() {
        let kinds = |tidegate: f64, floor: [f64; 2]| Kinds {
            floor: floor.map(|floor| Series(vec![floor])),
            tidegate: Series(vec![tidegate]),
            mosquitto: Series(vec![3.0]),
        };
        for (tidegate, floor, target, verdict) in [
            (2.0, [1.0, 1.0], Target::TimesFloor(2.0), "yes"),
            (2.1, [1.0, 1.0], Target::TimesFloor(2.0), "no"),
            (2.1, [0.95, 1.05], Target::TimesFloor(2.0), "yes, within the floor's spread"),
            (2.0, [1.0, 1.0], Target::AtMost(2.0), "yes"),
            (3.0, [1.0, 1.0], Target::AsMosquitto, "yes"),
            (3.1, [1.0, 1.0], Target::AsMosquitto, "no"),
            (9.9, [1.0, 1.0], Target::Told, ""),
        ] {
            assert_eq!(kinds(tidegate, floor).verdict(target), verdict, "{tidegate} {floor:?} {target:?}");
        }
    }

    #[test]
    fn the_floor_is_the_mean_of_both_of_a_round() {
        let mut seen = Seen::new(1);
        for (who, figure) in
            [(Who::Floor, 1.0), (Who::Tidegate, 4.0), (Who::Floor, 3.0), (Who::Floor, 5.0), (Who::Floor, 7.0)]
        {
            seen.note(who, vec![figure]);
        }
        assert_eq!(seen.rows[0].floor().0, [2.0, 6.0]);
        assert_eq!(seen.rows[0].tidegate.0, [4.0]);
    }
}
