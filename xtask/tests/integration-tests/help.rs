//! What `--help` says, word for word: it is read more often than any page about it.

use crate::checkout::Checkout;

#[test]
fn says_what_each_verb_does() {
    let checkout = Checkout::new();
    for verb in ["", "pull", "generate", "lint", "test", "bench", "mutants", "tidy"] {
        let arguments = [verb, "--help"];
        let said = checkout.run(if verb.is_empty() {
            &arguments[1..]
        } else {
            &arguments
        });
        let name = if verb.is_empty() { "xtask" } else { verb };
        expectorate::assert_contents(
            format!("tests/integration-tests/golden/help-{name}.txt"),
            said.succeeded(),
        );
    }
}
