//! The `mepctl` program.

use std::process::ExitCode;

use mepctl::Streams;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let streams = Streams {
        input: &mut std::io::stdin(),
        output: &mut std::io::stdout(),
        errors: &mut std::io::stderr(),
    };
    ExitCode::from(mepctl::run(std::env::args_os(), streams).await)
}
