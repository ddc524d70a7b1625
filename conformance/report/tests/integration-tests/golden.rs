//! Golden files of the sample in every form; `EXPECTORATE=overwrite` writes them.

use mecforge_report::{
    Finding, Report, Result, TextOptions, badge, compare, html, json, junit, read, sarif, text,
};

use crate::sample;

#[test]
fn the_sample_in_every_form() {
    let report = sample::report();
    let options = TextOptions {
        reports: vec!["report/report.html".to_owned()],
        ..TextOptions::default()
    };
    let forms = [
        ("tests/data/sample-report.json", json(&report)),
        ("tests/output/sample.txt", text(&report, &options)),
        ("tests/output/sample.html", html(&report)),
        ("tests/output/sample.junit.xml", junit(&report)),
        ("tests/output/sample.sarif", sarif(&report)),
        ("tests/output/sample.svg", badge(&report)),
    ];
    for (path, form) in forms {
        expectorate::assert_contents(path, &form);
    }
    assert_eq!(read(&json(&report)).unwrap(), report);
}

#[test]
fn a_comparison_in_every_form() {
    let comparison = compare(&sample::report(), &crate::compare::later());
    let forms = [
        ("txt", comparison.text()),
        ("md", comparison.markdown()),
        ("html", comparison.html()),
    ];
    for (extension, form) in forms {
        expectorate::assert_contents(format!("tests/output/comparison.{extension}"), &form);
    }
}

#[test]
fn the_badge_says_the_result() {
    let mut report = sample::report();
    let say = |report: &Report| {
        let badge = badge(report);
        let document = roxmltree::Document::parse(&badge).unwrap();
        document
            .root_element()
            .attribute("aria-label")
            .unwrap()
            .to_owned()
    };
    assert_eq!(say(&report), "MEC 011 v3.1.1: 2 failures");
    report.summary.result = Result::Conforms;
    assert_eq!(say(&report), "MEC 011 v3.1.1: conforms");
    report.summary.result = Result::Inconclusive;
    assert_eq!(say(&report), "MEC 011 v3.1.1: inconclusive");
}

#[test]
fn text_counts_what_it_does_not_show_and_colours_only_when_asked() {
    let mut report = sample::report();
    let different = |number: usize| Finding {
        title: format!("A registered service loses property {number}"),
        ..sample::lost_property()
    };
    report.findings = (0..23).map(different).collect();
    let plain = text(&report, &TextOptions::default());
    assert!(plain.contains("and 3 more in report.json"), "{plain}");
    assert!(!plain.contains('\u{1b}'));
    let coloured = text(
        &report,
        &TextOptions {
            colour: true,
            ..TextOptions::default()
        },
    );
    assert!(coloured.contains("\u{1b}[1;31mFails\u{1b}[0m"));
}
