//! Lists, explanations, wrong usage.

use crate::server::suite;

fn text(arguments: &[&str]) -> (i32, String) {
    let output = suite(arguments);
    let text =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap(), text)
}

#[test]
fn lists_profiles_and_explains_every_check() {
    let (code, profiles) = text(&["profiles"]);
    assert_eq!(code, 0);
    assert!(
        profiles.contains("mec011-v3.1.1") && profiles.contains("mec040"),
        "{profiles}"
    );
    let (_, checks) = text(&["checks"]);
    let ids: Vec<_> = checks
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(ids.len() > 25, "{checks}");
    for id in ids {
        let (code, explained) = text(&["explain", id]);
        assert_eq!(code, 0, "{explained}");
        assert!(explained.contains("Rests on:"), "{explained}");
    }
}

#[test]
fn wrong_usage_is_one_sentence_and_exit_2() {
    let cases: [(&[&str], &str); 7] = [
        (
            &["run", "--target", "http://127.0.0.1:1", "--profile", "mec999"],
            "mec-conformance profiles",
        ),
        (
            &["run", "--target", "nowhere", "--profile", "mec011-v3.1.1"],
            "http://host:port",
        ),
        (
            &[
                "run",
                "--target",
                "http://127.0.0.1:1",
                "--profile",
                "mec011-v3.1.1",
                "--only",
                "check=nothing",
            ],
            "there is no check",
        ),
        (
            &[
                "run",
                "--target",
                "http://127.0.0.1:1",
                "--profile",
                "mec011-v3.1.1",
                "--base-path",
                "nobody=/x",
            ],
            "not under test",
        ),
        (
            &[
                "run",
                "--target",
                "http://127.0.0.1:1",
                "--profile",
                "mec011-v3.1.1",
                "--fixtures",
                "/nowhere.toml",
            ],
            "/nowhere.toml",
        ),
        (&["explain", "nothing"], "there is no check"),
        (&["replay", "report.json"], "REPORT#ID"),
    ];
    for (arguments, wanted) in cases {
        let (code, text) = text(arguments);
        assert_eq!(code, 2, "{arguments:?}: {text}");
        assert!(text.contains(wanted), "{arguments:?}: {text}");
    }
}
