//! How it goes: one line that renews itself on a terminal, plain lines elsewhere. On standard error, so that standard output
//! holds results alone.

use std::{
    io::{IsTerminal, Write, stderr},
    time::{Duration, Instant},
};

use tidegate_fleet::{Figures, readable, scenario::Period};

use super::{ELSEWHERE, ON_A_TERMINAL};

/// Characters of a progress bar.
const BAR: usize = 40;

/// Where progress is shown.
pub(super) struct Screen {
    terminal: bool,
    interval: Duration,
    last: Option<Instant>,
}

impl Screen {
    /// Shows something every `interval`.
    pub(super) fn new(interval: Option<Period>) -> Self {
        let terminal = stderr().is_terminal();
        let usual = if terminal { ON_A_TERMINAL } else { ELSEWHERE };
        Self { terminal, interval: interval.unwrap_or(usual).0.max(Duration::from_millis(100)), last: None }
    }

    pub(super) fn interval(&self) -> Duration {
        self.interval
    }

    /// One line that stays.
    pub(super) fn say(&mut self, text: &str) {
        self.clear();
        self.print(&format!("{text}\n"));
    }

    /// How a run stands.
    pub(super) fn figures(&mut self, figures: &Figures) {
        self.line(&figures_line(figures));
    }

    /// How many of `all` are made.
    pub(super) fn bar(&mut self, there: usize, all: usize) {
        let ends = there >= all;
        let pause = if self.terminal { Duration::from_millis(100) } else { self.interval };
        if self.last.is_some_and(|last| last.elapsed() < pause) && !ends {
            return;
        }
        self.last = Some(Instant::now());
        if self.terminal {
            self.line(&bar_line(there, all));
        } else {
            self.line(&format!("{there} of {all} devices"));
        }
    }

    /// Takes the line away that renews itself.
    pub(super) fn clear(&mut self) {
        if self.terminal {
            self.print("\r\x1b[K");
        }
    }

    fn line(&mut self, text: &str) {
        if self.terminal {
            self.print(&format!("\r{text}\x1b[K"));
        } else {
            self.print(&format!("{text}\n"));
        }
    }

    fn print(&mut self, text: &str) {
        let mut out = stderr().lock();
        // Whoever closed it does not want to see it.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
}

fn figures_line(figures: &Figures) -> String {
    let Figures { phase, devices, connected, refused, lost, sent, acked, received, .. } = figures;
    let time = |micros: Option<u64>| micros.map_or_else(|| "-".into(), readable);
    format!(
        "{:6.1} s {phase:<6} connected {connected}/{devices}  refused {refused}  lost {lost}  sent {sent}  acked {acked}  received {received}  p50 {}  p99 {}",
        figures.elapsed.as_secs_f64(),
        time(figures.p50),
        time(figures.p99),
    )
}

fn bar_line(there: usize, all: usize) -> String {
    let full = there * BAR / all.max(1);
    format!("[{}{}] {there} of {all} devices", "#".repeat(full), " ".repeat(BAR - full.min(BAR)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_grows_and_figures_fill_a_line() {
        assert_eq!(bar_line(0, 10), format!("[{}] 0 of 10 devices", " ".repeat(40)));
        assert!(bar_line(10, 10).starts_with(&format!("[{}]", "#".repeat(40))));
        let figures = Figures {
            elapsed: Duration::from_millis(12_340),
            phase: "ramp",
            devices: 9,
            connected: 8,
            refused: 7,
            lost: 6,
            sent: 5,
            acked: 4,
            received: 3,
            p50: Some(900),
            p99: None,
        };
        assert_eq!(
            figures_line(&figures),
            "  12.3 s ramp   connected 8/9  refused 7  lost 6  sent 5  acked 4  received 3  p50 900 us  p99 -"
        );
    }
}
