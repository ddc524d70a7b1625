//! What a hostile target sends stays text in every form.

use mecforge_report::{Report, TextOptions, badge, compare, har, html, json, junit, read, sarif, text};

use crate::sample;

const HOSTILE: &str = "</code></pre><script>alert(1)</script>\"'><img src=x onerror=alert(1)>]]>&\u{0}\u{8}\u{1b}[31m\u{1b}]0;owned\u{7}\u{202e}gnp.exe\u{200b}\u{feff}\r\n\u{fffe}\u{85}";

/// The sample with the hostile text in every string of it, through its JSON form; enumerations are left alone.
fn report() -> Report {
    let mut value: serde_json::Value = serde_json::from_str(&json(&sample::report())).unwrap();
    let fixed = ["format", "severity", "verdict", "result", "end"];
    poison(&mut value, &fixed);
    serde_json::from_value(value).unwrap()
}

fn poison(value: &mut serde_json::Value, fixed: &[&str]) {
    match value {
        serde_json::Value::String(text) => text.push_str(HOSTILE),
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| poison(item, fixed)),
        serde_json::Value::Object(members) => {
            let open = members
                .iter_mut()
                .filter(|(name, _)| !fixed.contains(&name.as_str()));
            open.for_each(|(_, member)| poison(member, fixed));
        }
        _ => {}
    }
}

#[track_caller]
fn assert_nothing_hides(form: &str) {
    for character in [
        '\0', '\u{8}', '\u{1b}', '\r', '\u{7}', '\u{85}', '\u{202e}', '\u{200b}', '\u{feff}', '\u{fffe}',
    ] {
        assert!(!form.contains(character), "{character:?} is in the form");
    }
}

#[test]
fn html_has_no_markup_of_the_targets() {
    let hostile = report();
    for page in [html(&hostile), compare(&sample::report(), &hostile).html()] {
        assert_nothing_hides(&page);
        assert_eq!(page.matches("<script").count(), 1, "one script: ours");
        assert!(!page.contains("<img"));
        assert!(
            page.contains("&lt;script&gt;alert(1)")
                && page.contains("⟨U+202E⟩")
                && page.contains("⟨U+001B⟩[31m")
        );
    }
}

#[test]
fn no_address_but_those_of_the_web_becomes_a_link() {
    let mut report = sample::report();
    report.findings[0].references[0].url = Some("javascript:alert(1)".to_owned());
    assert!(!html(&report).contains("javascript:"));
}

#[test]
fn xml_stays_well_formed() {
    let report = report();
    for form in [junit(&report), badge(&report)] {
        assert_nothing_hides(&form);
        let document = roxmltree::Document::parse(&form).unwrap();
        assert!(
            document
                .descendants()
                .all(|node| !node.has_tag_name("script") && !node.has_tag_name("img"))
        );
    }
}

#[test]
fn the_terminal_gets_no_command() {
    let report = report();
    let options = TextOptions {
        reports: vec![HOSTILE.to_owned()],
        ..TextOptions::default()
    };
    let comparison = compare(&sample::report(), &report);
    for form in [text(&report, &options), comparison.text(), comparison.markdown()] {
        assert_nothing_hides(&form);
    }
    assert!(!comparison.markdown().contains("<script"));
}

#[test]
fn json_forms_stay_json() {
    let report = report();
    assert_eq!(read(&json(&report)).unwrap(), report);
    for form in [sarif(&report), har(&report)] {
        serde_json::from_str::<serde_json::Value>(&form).unwrap();
    }
}

#[test]
fn gigantic_reports_give_forms_of_bounded_size() {
    let megabyte = "é<".repeat(1 << 19);
    let mut report = sample::report();
    let finding = &mut report.findings[0];
    finding.actual.clone_from(&megabyte);
    finding.curl.clone_from(&megabyte);
    finding.evidence[1].response = Some(sample::answer(200, &megabyte));
    finding.evidence[1].request.url.clone_from(&megabyte);
    report.findings = vec![report.findings[0].clone(); 300];
    for (number, finding) in report.findings.iter_mut().enumerate() {
        finding.title = format!("A fault of number {number}");
    }
    let page = html(&report);
    assert!(page.contains("and 100 more in <code>report.json</code>"));
    assert!(
        page.contains("more bytes (report.json has 1,572,864)"),
        "cut bodies say so"
    );
    assert!(page.len() < 40_000_000, "{} bytes", page.len());
    for form in [junit(&report), text(&report, &TextOptions::default())] {
        assert!(form.len() < 2_000_000, "{} bytes", form.len());
    }
    assert!(sarif(&report).len() < 12_000_000);
}
