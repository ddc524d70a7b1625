//! Shows what a run is up to: a bar on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::signals::Signals;
use crate::engine::Engine;

/// How often a line is written where there is no terminal.
const LINES: Duration = Duration::from_secs(15);

/// Runs an engine, shows its progress on stderr, and lets Ctrl-C or SIGTERM end it; a report can then still be made.
pub(super) async fn observed(engine: &Arc<Engine>, only: Option<&str>) -> Result<(), String> {
    let terminal = std::io::stderr().is_terminal();
    let bar = match terminal {
        true => ProgressBar::new(0),
        false => ProgressBar::hidden(),
    };
    if let Ok(style) = ProgressStyle::with_template("{elapsed_precise} {bar:20} {wide_msg}") {
        bar.set_style(style);
    }
    let mut ticks = tokio::time::interval(Duration::from_millis(200));
    let mut told = Duration::ZERO;
    let mut signals = Signals::new().map_err(|error| format!("signals can't be heard: {error}"))?;
    let run = engine.run(only);
    tokio::pin!(run);
    let result = loop {
        tokio::select! {
            result = &mut run => break result,
            () = signals.next() => engine.interrupt(),
            _ = ticks.tick() => {
                let progress = engine.progress();
                bar.set_length(progress.planned);
                bar.set_position(progress.done);
                bar.set_message(progress.to_string());
                if !terminal && progress.elapsed >= told + LINES {
                    told = progress.elapsed;
                    let seconds = Duration::from_secs(told.as_secs());
                    let _ = writeln!(std::io::stderr(), "{}: {progress}", humantime::format_duration(seconds));
                }
            }
        }
    };
    bar.finish_and_clear();
    result
}
