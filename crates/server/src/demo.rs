//! `tidegate demo`: the whole story of a new device, played against a running broker and told step by step.

mod story;

use std::io::{IsTerminal, stdout};

use anyhow::{Context, Result};
use tidegate_fleet::{Launch, Running};

use crate::cli::Demo;

/// Plays the story; an error names the step that failed.
pub(crate) async fn run(options: Demo) -> Result<()> {
    let mut narrator = Narrator { step: 0, color: stdout().is_terminal() };
    let (_own, running) = match &options.data {
        Some(data) => (None, Running::read(data)?),
        None => {
            let launch = Launch::new(std::env::current_exe()?);
            let (own, running) = launch.start().context("starting a broker for the demonstration")?;
            (Some(own), running)
        }
    };
    story::play(&mut narrator, &running).await.with_context(|| format!("step {} failed", narrator.step))?;
    narrator.done();
    Ok(())
}

/// Tells what happens: numbered steps, the commands that would do the same, what was seen.
pub(crate) struct Narrator {
    step: u32,
    color: bool,
}

impl Narrator {
    /// A new step.
    pub(crate) fn step(&mut self, text: &str) {
        self.step += 1;
        let (on, off) = if self.color { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        println!("\n{on}{:>2}. {text}{off}", self.step);
    }

    /// The command that a person would type for it.
    pub(crate) fn command(&self, text: &str) {
        let (on, off) = if self.color { ("\x1b[36m", "\x1b[0m") } else { ("", "") };
        println!("    {on}$ {text}{off}");
    }

    /// What was seen.
    pub(crate) fn saw(&self, text: impl std::fmt::Display) {
        println!("    {text}");
    }

    fn done(&self) {
        println!("\nAll {} steps did what they should.", self.step);
    }
}
