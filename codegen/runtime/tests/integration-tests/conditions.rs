//! Conditional requests (RFC 9110 section 13) and entity tags.

use mecforge_runtime::{EntityTag, Preconditions};

use crate::support::{api, call};

#[tokio::test]
async fn get_answers_not_modified() {
    for (header, status) in [
        ("If-None-Match: \"1\"", 304),
        ("If-None-Match: W/\"1\"", 304),
        ("If-None-Match: \"0\", \"1\"", 304),
        ("If-None-Match: , \"0\" ,, \"1\"", 304),
        ("If-None-Match: *", 304),
        ("If-None-Match: \"2\"", 200),
        ("If-Match: \"1\"", 200),
        ("If-Match: *", 200),
        ("If-Match: \"2\"", 412),
        ("If-Match: W/\"1\"", 412),
        ("If-None-Match: 1", 400),
        ("If-None-Match: \"1\" \"2\"", 400),
        ("If-None-Match: \"1", 400),
        ("If-None-Match:  ", 400),
    ] {
        let answer = call(api(), "GET", "/things/1", &[header], "").await;
        assert_eq!(answer.status, status, "{header}");
    }
    let answer = call(api(), "GET", "/things/1", &["If-None-Match: \"1\""], "").await;
    assert_eq!(
        (
            answer.header("etag"),
            answer.header("content-type"),
            answer.body.len()
        ),
        ("\"1\"", "", 0)
    );
    // A condition does not hide that the resource is missing.
    assert_eq!(
        call(api(), "GET", "/things/absent", &["If-None-Match: *"], "")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn changes_are_made_only_under_their_conditions() {
    for (header, status) in [
        ("If-Match: \"1\"", 200),
        ("If-Match: *", 200),
        ("If-Match: \"2\"", 412),
        ("If-Match: W/\"1\"", 412),
        ("If-None-Match: *", 412),
        ("If-None-Match: \"1\"", 412),
        ("If-None-Match: \"2\"", 200),
        ("If-Match: nonsense", 412),
    ] {
        let answer = call(api(), "PUT", "/things/1", &[header], "").await;
        assert_eq!(answer.status, status, "{header}");
        if status != 200 {
            let parameter = answer.json()["parameter"].as_str().unwrap().to_ascii_lowercase();
            assert!(header.to_ascii_lowercase().starts_with(&parameter), "{parameter}");
        }
    }
}

#[test]
fn conditions_on_a_missing_resource() {
    let tag = EntityTag::strong("1");
    assert!(!Preconditions::if_match(tag.clone()).if_match_holds(None));
    assert!(Preconditions::if_none_match(tag).if_none_match_holds(None));
    assert!(Preconditions::default().check(None).is_ok());
}

#[test]
fn every_text_makes_a_valid_and_distinct_tag() {
    let texts = ["", "a", "a b", "a\"b", "a%20b", "\u{e9}", "a\\b", "\n"];
    let mut tags: Vec<String> = texts
        .iter()
        .map(|text| EntityTag::strong(text).to_string())
        .collect();
    for (text, tag) in texts.iter().zip(&tags) {
        assert_eq!(EntityTag::parse(tag), Some(EntityTag::strong(text)), "{tag}");
        assert_eq!(EntityTag::strong(text).to_header_value().to_str().unwrap(), tag);
    }
    tags.sort();
    tags.dedup();
    assert_eq!(tags.len(), texts.len());
    assert_eq!(EntityTag::parse("W/\"x\""), Some(EntityTag::weak("x")));
    assert_eq!(EntityTag::parse("\"x\" y"), None);
    assert_eq!(EntityTag::parse("w/\"x\""), None);
}
