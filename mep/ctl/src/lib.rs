//! A command-line client of a MEC platform: services, applications, subscriptions, rules, notifications, time.
//!
//! Mp1 is spoken through the generated clients, Mm5 and administration through a small client of their own. What
//! is printed for people are tables without colours; with `--json` it is JSON, with the members that the APIs
//! have. [`run`] is the whole program, so that tests can call it without a process.

mod arguments;
mod commands;
mod events;
mod failure;
mod files;
mod platform;
mod show;
mod when;

use std::ffi::OsString;
use std::io::{Read, Write};

use clap::{CommandFactory, Parser};

use arguments::{Arguments, Command};
use failure::Failure;
use platform::Platform;
use show::Output;

/// Everything has worked.
pub const SUCCESS: u8 = 0;
/// The platform has refused it, could not be reached, or has failed.
pub const FAILED: u8 = 1;
/// The arguments, or a file that they name, are wrong; nothing has been sent.
pub const USAGE: u8 = 2;

/// Where a command reads and writes.
pub struct Streams<'a> {
    /// Standard input, for a file called `-`.
    pub input: &'a mut dyn Read,
    /// Standard output: results.
    pub output: &'a mut dyn Write,
    /// Standard error: why there are none.
    pub errors: &'a mut dyn Write,
}

/// Runs a command line, whose first part is the program's name, and returns the exit code.
pub async fn run<T: Into<OsString> + Clone>(
    command_line: impl IntoIterator<Item = T>,
    streams: Streams<'_>,
) -> u8 {
    let Streams {
        input,
        output,
        errors,
    } = streams;
    let arguments = match Arguments::try_parse_from(command_line) {
        Ok(arguments) => arguments,
        Err(error) if error.use_stderr() => {
            let _ = write!(errors, "{error}");
            return USAGE;
        }
        // --help and --version.
        Err(error) => return finish(write!(output, "{error}").map_err(Failure::from), errors),
    };
    let mut output = Output::new(output, arguments.json);
    finish(dispatch(arguments, input, &mut output).await, errors)
}

async fn dispatch(
    arguments: Arguments,
    input: &mut dyn Read,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    let platform = Platform::new(&arguments.connection)?;
    match arguments.command {
        Command::Services(command) => commands::services::run(command, &platform, input, output).await,
        Command::Apps(command) => commands::apps::run(command, &platform, input, output).await,
        Command::Subscriptions(command) => commands::subscriptions::run(command, &platform, output).await,
        Command::Dns(command) => commands::dns::run(command, &platform, output).await,
        Command::Traffic(command) => commands::traffic::run(command, &platform, output).await,
        Command::Notifications(command) => commands::notifications::run(command, &platform, output).await,
        Command::Time => commands::time::run(&platform, output).await,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "mepctl", &mut script);
            output.raw(&script)
        }
    }
}

/// The exit code of an outcome, and the sentence that goes with a failure.
fn finish(outcome: Result<(), Failure>, errors: &mut dyn Write) -> u8 {
    match outcome {
        Ok(()) => SUCCESS,
        // Who reads has seen enough, as `head` has.
        Err(Failure::Output(error)) if error.kind() == std::io::ErrorKind::BrokenPipe => SUCCESS,
        Err(failure) => {
            let _ = writeln!(errors, "mepctl: {failure}");
            match failure {
                Failure::Usage(_) => USAGE,
                _ => FAILED,
            }
        }
    }
}
