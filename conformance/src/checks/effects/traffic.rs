//! Traffic rules: what a command of the operator's sees while they are active, and when they are not.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::time::Instant;

use super::{Rule, Rules};
use crate::suite::{Context, Failure, Outcome, Stop};

/// How long one call of the command may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before the command is called again.
const PAUSE: Duration = Duration::from_millis(500);

pub(super) async fn works(context: &mut Context, rules: Rules, command: &str) -> Outcome {
    let all = rules.all(context).await?;
    let (mut judged, mut reason) = (false, None);
    for rule in &all {
        let outcome = one(context, rules, rule, command).await;
        // The rule is as it was, whatever came of it.
        let restored = rules.put(context, rule, rule.body.clone()).await;
        match outcome {
            Ok(()) => judged = true,
            Err(Stop::Inconclusive(why)) => reason = Some(why),
            Err(other) => return Err(other),
        }
        restored?;
    }
    match reason.filter(|_| !judged) {
        Some(reason) => Err(Stop::Inconclusive(reason)),
        None => Ok(()),
    }
}

async fn one(context: &mut Context, rules: Rules, rule: &Rule, command: &str) -> Outcome {
    for (state, argument, wanted) in [("ACTIVE", "active", true), ("INACTIVE", "inactive", false)] {
        rules.set(context, rule, state).await?;
        let body = rule.in_state(state).to_string();
        let end = Instant::now() + context.suite.options.clock.notification;
        loop {
            let seen = seen(command, argument, &body).await?;
            if seen == wanted {
                break;
            }
            if Instant::now() >= end {
                let title = match wanted {
                    true => "an active traffic rule has no effect",
                    false => "an inactive traffic rule has its effect",
                };
                let expected = format!("the command of --probe sees the effect: {wanted}");
                return Err(Failure::new(title, expected, format!("{seen}, for {body}")).stop());
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
    Ok(())
}

/// Whether the command sees the effect.
async fn seen(command: &str, argument: &str, rule: &str) -> Result<bool, Stop> {
    let unclear = |why: String| Stop::Inconclusive(format!("the command of --probe {why}"));
    let calling = async {
        let mut child = tokio::process::Command::new("sh")
            .arg("-c")
            .arg(format!("{command} {argument}"))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            // A command that does not read is right, too.
            let _ = stdin.write_all(rule.as_bytes()).await;
        }
        child.wait().await
    };
    let status = tokio::time::timeout(PATIENCE, calling).await;
    let status = status
        .map_err(|_| unclear(format!("takes longer than {} s", PATIENCE.as_secs())))?
        .map_err(|error| unclear(format!("can't be started: {error}")))?;
    match status.code() {
        Some(0) => Ok(true),
        Some(1) => Ok(false),
        _ => Err(unclear(format!("can't tell: it ends with {status}"))),
    }
}
