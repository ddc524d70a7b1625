//! `lint`: each defect with its place, and broken documents told as they should be.

use crate::checkout::Checkout;

#[test]
fn prints_defects_by_place_and_counts_them_by_class() {
    let checkout = Checkout::new();
    let document = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\npaths:\n  /a:\n    post:\n      responses:\n        \
                    '201':\n          description: x\ncomponents:\n  schemas:\n    A:\n      type: object\n      \
                    description': x\n";
    checkout.write("a.yaml", document);
    let file = checkout.path("a.yaml");
    let file = file.to_str().unwrap();
    let said = checkout.run(&["lint", "--input", file]);
    assert!(said.success, "{}", said.stderr);
    let lines: Vec<_> = said.stdout.lines().collect();
    let place = |line: &str| {
        line.strip_prefix(file)
            .and_then(|rest| rest.split(':').nth(1)?.parse::<u32>().ok())
    };
    assert!(
        lines.iter().map(|line| place(line).unwrap()).is_sorted(),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.contains(": #/paths/~1a/post/responses/201: missing-location: "))
    );
    assert!(
        lines.iter().any(|line| line.contains("misspelt-key: ")),
        "{lines:#?}"
    );
    assert!(
        said.stderr
            .lines()
            .any(|line| line.split_whitespace().collect::<Vec<_>>() == ["misspelt-key", "1"])
    );
    assert!(
        said.stderr.trim_end().ends_with(&lines.len().to_string()),
        "{}",
        said.stderr
    );
}

/// Broken documents, with the line at which each fault lies and a word of the message.
#[test]
fn tells_faults_with_file_line_and_pointer() {
    let head = "openapi: 3.1.0\ninfo: {title: T, version: '1'}\n";
    for (name, text, line) in [
        (
            "truncated.yaml",
            "paths: {/a: {get: {responses: {'200': {descr\n",
            4,
        ),
        ("tabs.yaml", "paths:\n\t/a: {}\n", 4),
        ("types.yaml", "paths: 7\n", 3),
        (
            "dangling.yaml",
            "paths:\n  /a:\n    $ref: '#/components/pathItems/none'\n",
            4,
        ),
        (
            "cyclic.yaml",
            "paths: {}\ncomponents:\n  schemas:\n    A:\n      $ref: '#/components/schemas/A'\n",
            6,
        ),
        ("duplicate.yaml", "paths: {}\npaths: {}\n", 4),
        ("elsewhere.yaml", "paths:\n  /a:\n    $ref: 'none.yaml#/a'\n", 4),
    ] {
        let checkout = Checkout::new();
        checkout.write(name, &format!("{head}{text}"));
        let file = checkout.path(name);
        let file = file.to_str().unwrap();
        for verb in [
            &["lint", "--input", file][..],
            &["generate", "--input", file, "--out", "/nonexistent/out"],
        ] {
            let said = checkout.run(verb);
            assert!(!said.success, "{name}");
            assert_eq!(said.stdout, "", "{name}");
            let first = said
                .stderr
                .lines()
                .find(|line| line.starts_with("error: "))
                .unwrap();
            assert!(
                first.starts_with(&format!("error: {file}:{line}:")),
                "{name}: {}",
                said.stderr
            );
            assert!(first.contains(": #"), "{name}: {}", said.stderr);
        }
    }
}

#[test]
fn refuses_a_file_that_is_not_there() {
    Checkout::new()
        .run(&["lint", "--input", "nowhere.yaml"])
        .failed_with(&["nowhere.yaml"]);
}
