//! What a run came to: for people, for programs, for plotters.

use std::{fmt::Write, fs, path::Path, sync::Arc, time::Duration};

use serde_json::{Value, json};

use crate::{FleetError, Histogram, Verdict, histogram::readable, plan::Plan, tally::Tally, trouble::Trouble};

/// Most troubles in the table.
const TROUBLES_SHOWN: usize = 8;

/// What a run came to.
pub struct Report {
    plan: Arc<Plan>,
    tally: Tally,
    ramp: Duration,
    lasted: Duration,
}

impl Report {
    pub(crate) fn new(plan: Arc<Plan>, tally: Tally, ramp: Duration, lasted: Duration) -> Self {
        Self { plan, tally, ramp, lasted }
    }

    /// What verification came to.
    pub fn verdict(&self) -> &Verdict {
        &self.tally.verdict
    }

    /// Devices that have been in.
    pub fn arrived(&self) -> u64 {
        self.tally.arrived
    }

    /// From a device's first attempt until it worked.
    pub fn working(&self) -> &Histogram {
        &self.tally.working
    }

    /// What is wrong; empty when nothing is.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = self.tally.verdict.faults();
        let never_in = u64::from(self.plan.devices()) - self.tally.arrived;
        for (count, what) in [
            (self.tally.unacked, "never acknowledged"),
            (self.tally.unsent, "due and not sent"),
            (self.tally.refused_messages.values().sum(), "refused by the broker"),
            (self.tally.sessions_lost, "kept sessions that the broker had forgotten"),
            (never_in, "devices that were never let in"),
        ] {
            if count > 0 {
                faults.push(format!("{count} {what}"));
            }
        }
        faults
    }

    /// Why no device was let in, in one line.
    pub(crate) fn why_nobody(plan: &Plan, tally: &Tally) -> String {
        let most = tally.troubles.iter().max_by_key(|(_, (count, _))| *count);
        let worst: Option<(&Trouble, u32)> = match (&tally.hopeless, most) {
            (Some((trouble, device)), _) => Some((trouble, *device)),
            (None, Some((trouble, (_, device)))) => Some((trouble, *device)),
            (None, None) => None,
        };
        let (place, attempts) = (&plan.broker.named, tally.attempts);
        match worst {
            Some((trouble, device)) => {
                let name = plan.name(device);
                format!(
                    "no device was let in at {place}: {} (first met by {name}; {attempts} attempts)",
                    trouble.line()
                )
            }
            None => format!("no device was let in at {place}: there was no time for it"),
        }
    }

    /// The table for people.
    pub fn table(&self) -> String {
        let Tally { attempts, refused, failed, lost, ended, sessions_lost, .. } = self.tally;
        let (mut text, tally) = (String::new(), &self.tally);
        let mut row = |name: &str, what: String| {
            // A string takes all that is written.
            let _ = writeln!(text, "{name:<10} {what}");
        };
        let seconds = |duration: Duration| format!("{:.1} s", duration.as_secs_f64());
        row("run", format!("{}; all in after {}", seconds(self.lasted), seconds(self.ramp)));
        row(
            "devices",
            format!("{} of {} have been in, {} still are", tally.arrived, self.plan.devices(), tally.connected),
        );
        let sessions =
            if sessions_lost > 0 { format!(", {sessions_lost} kept sessions forgotten") } else { String::new() };
        row(
            "attempts",
            format!(
                "{attempts}: {refused} refused, {failed} failed; {lost} connections lost, {ended} ended by the scenario{sessions}"
            ),
        );
        let [zero, one, two] = tally.sent;
        row(
            "sent",
            format!("{} (QoS 0 {zero}, QoS 1 {one}, QoS 2 {two}), {} acknowledged", zero + one + two, tally.acked),
        );
        let extra = [
            (tally.resent, "sent again"),
            (tally.abandoned, "of unknown fate: their clean session ended"),
            (tally.skipped, "skipped: due while the device was away for long"),
            (tally.unsent, "due and not sent"),
            (tally.unacked, "never acknowledged"),
        ];
        extra.iter().filter(|(count, _)| *count > 0).for_each(|(count, what)| row("", format!("{count} {what}")));
        for (code, count) in &tally.refused_messages {
            row("", format!("{count} refused with 0x{:02x} ({code:?})", code.byte()));
        }
        row("received", tally.received.to_string());
        row("verified", self.verdict_row());
        for (trouble, (count, device)) in self.troubles().into_iter().take(TROUBLES_SHOWN) {
            row("met", format!("{count} x {} (first: {})", trouble.line(), self.plan.name(device)));
        }
        let _ = writeln!(
            text,
            "\n{:<10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}",
            "", "count", "p50", "p90", "p99", "p99.9", "max"
        );
        for (name, histogram) in self.histograms() {
            let at = |quantile| histogram.quantile(quantile).map_or_else(|| "-".into(), readable);
            let (p50, p90, p99, p999, max) = (at(0.5), at(0.9), at(0.99), at(0.999), at(1.0));
            let count = histogram.count();
            let _ = writeln!(text, "{name:<10} {count:>9} {p50:>9} {p90:>9} {p99:>9} {p999:>9} {max:>9}");
        }
        text
    }

    fn verdict_row(&self) -> String {
        let verdict = &self.tally.verdict;
        let faults = verdict.faults();
        let mut parts = vec![match (verdict.verified, faults.is_empty()) {
            (0, true) => "nothing: no device subscribes to what another publishes".into(),
            (count, true) => format!("{count} deliveries: nothing lost, duplicated or reordered"),
            (count, false) => format!("{count} deliveries: {}", faults.join(", ")),
        }];
        for (count, what) in [
            (verdict.lost_qos0, "lost at QoS 0"),
            (verdict.redelivered, "delivered again, as QoS 1 allows"),
            (verdict.unjudged, "not judged"),
            (verdict.foreign, "of others"),
        ] {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        parts.join("; ")
    }

    fn troubles(&self) -> Vec<(&Trouble, (u64, u32))> {
        let mut troubles: Vec<_> = self.tally.troubles.iter().map(|(trouble, met)| (trouble, *met)).collect();
        troubles.sort_by_key(|(_, (count, _))| std::cmp::Reverse(*count));
        troubles
    }

    fn histograms(&self) -> [(&'static str, &Histogram); 4] {
        let Tally { connect, working, ack, latency, .. } = &self.tally;
        [("connect", connect), ("working", working), ("ack", ack), ("delivery", latency)]
    }

    /// Everything, for programs. Times are in microseconds unless they say otherwise.
    pub fn json(&self) -> Value {
        let tally = &self.tally;
        let troubles: Vec<Value> = self
            .troubles()
            .into_iter()
            .map(|(trouble, (count, device))| {
                json!({ "what": trouble.what(), "hint": trouble.hint(), "count": count, "first": self.plan.name(device) })
            })
            .collect();
        let refused: Vec<Value> = tally
            .refused_messages
            .iter()
            .map(|(code, count)| json!({ "reasonCode": code.byte(), "name": format!("{code:?}"), "count": count }))
            .collect();
        let histograms: serde_json::Map<String, Value> =
            self.histograms().into_iter().map(|(name, histogram)| (name.to_owned(), histogram.json())).collect();
        json!({
            "broker": self.plan.broker.named,
            "seconds": self.lasted.as_secs_f64(),
            "rampSeconds": self.ramp.as_secs_f64(),
            "devices": self.plan.devices(),
            "arrived": tally.arrived,
            "connected": tally.connected,
            "attempts": tally.attempts,
            "refused": tally.refused,
            "failed": tally.failed,
            "lost": tally.lost,
            "ended": tally.ended,
            "sessionsLost": tally.sessions_lost,
            "sent": { "qos0": tally.sent[0], "qos1": tally.sent[1], "qos2": tally.sent[2] },
            "acknowledged": tally.acked,
            "resent": tally.resent,
            "abandoned": tally.abandoned,
            "skipped": tally.skipped,
            "unsent": tally.unsent,
            "unacknowledged": tally.unacked,
            "refusedMessages": refused,
            "received": tally.received,
            "verdict": tally.verdict.json(),
            "faults": self.faults(),
            "good": self.faults().is_empty(),
            "troubles": troubles,
            "histograms": histograms,
        })
    }

    /// Writes `connect.hgrm`, `working.hgrm`, `ack.hgrm` and `delivery.hgrm`, in milliseconds, for HdrHistogram's plotter.
    pub fn write_histograms(&self, directory: &Path) -> Result<(), FleetError> {
        let error = |path: &Path| {
            let path = path.to_owned();
            move |source| FleetError::File { what: "cannot write", path, source }
        };
        fs::create_dir_all(directory).map_err(error(directory))?;
        for (name, histogram) in self.histograms() {
            let path = directory.join(format!("{name}.hgrm"));
            fs::write(&path, histogram.hgrm()).map_err(error(&path))?;
        }
        Ok(())
    }
}
