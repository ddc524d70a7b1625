//! What `--help` says of each command, and completions.

use crate::command::mepctl;

#[tokio::test]
async fn help_says_what_there_is() {
    let nouns = [
        "services",
        "apps",
        "subscriptions",
        "dns",
        "traffic",
        "notifications",
    ];
    let commands: Vec<Vec<&str>> = [vec![]]
        .into_iter()
        .chain(nouns.iter().map(|noun| vec![*noun]))
        .collect();
    let verbs = [
        vec!["services", "list"],
        vec!["services", "watch"],
        vec!["services", "register"],
        vec!["apps", "terminate"],
        vec!["subscriptions", "create"],
        vec!["notifications", "replay"],
        vec!["time"],
        vec!["completions"],
    ];
    let mut text = String::new();
    for mut command in commands.into_iter().chain(verbs) {
        text.push_str(&format!("$ mepctl {} --help\n", command.join(" ")).replace("  ", " "));
        command.push("--help");
        text.push_str(&mepctl("http://127.0.0.1:8080", &command).await.ok());
        text.push('\n');
    }
    expectorate::assert_contents("tests/output/help.txt", &text);
}

#[tokio::test]
async fn shells_get_completions() {
    for (shell, mark) in [
        ("bash", "complete -F"),
        ("zsh", "#compdef mepctl"),
        ("fish", "complete -c mepctl"),
    ] {
        let script = mepctl("http://127.0.0.1:8080", &["completions", shell])
            .await
            .ok();
        assert!(
            script.contains(mark) && script.contains("deactivate"),
            "{shell}: {script}"
        );
    }
}
