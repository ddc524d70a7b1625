//! `Location` in every form that RFC 3986 has, and one that a gateway has left without its prefix.

use axum::Router;
use axum::http::{HeaderValue, header};
use axum::middleware::map_response;
use axum::response::Response;
use serde_json::Value;

use crate::server::{Fault, router, serve, test};

/// The small server behind a prefix, where `written` is how `/v1/things/ID` is told.
fn behind(written: fn(&str) -> String) -> (i32, String, Value) {
    let rewritten = move |mut response: Response| async move {
        let location = response.headers().get(header::LOCATION).cloned();
        if let Some(location) = location.as_ref().and_then(|value| value.to_str().ok()) {
            let written = HeaderValue::from_str(&written(location)).unwrap();
            response.headers_mut().insert(header::LOCATION, written);
        }
        response
    };
    let gateway = Router::new()
        .nest("/gateway", router(Fault::None))
        .layer(map_response(rewritten));
    let address = format!("http://{}", serve(gateway));
    test(&address, &["--base-path", "things=/gateway/v1", "--cases", "600"])
}

fn found(report: &Value) -> Vec<(&str, &str)> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|finding| {
            (
                finding["check"].as_str().unwrap(),
                finding["severity"].as_str().unwrap(),
            )
        })
        .collect()
}

#[test]
fn every_form_of_a_reference_is_followed() {
    let forms: [fn(&str) -> String; 4] = [
        |path| format!("/gateway{path}"),
        |path| path.trim_start_matches("/v1/").to_owned(),
        |path| format!("./{}", path.trim_start_matches("/v1/")),
        |path| format!("../v1/things/../{}", path.trim_start_matches("/v1/")),
    ];
    for form in forms {
        let (code, text, report) = behind(form);
        let location = report["requirements"].as_array().unwrap().iter();
        let mut location = location.filter(|one| one["check"] == "location");
        assert_eq!(location.next().unwrap()["verdict"], "pass", "{text}");
        assert!(
            !found(&report)
                .iter()
                .any(|(check, _)| check.starts_with("location")),
            "{text}"
        );
        assert_eq!(code, 0, "{text}");
    }
}

#[test]
fn a_location_without_the_prefix_is_warned_of() {
    let (code, text, report) = behind(str::to_owned);
    assert_eq!(code, 0, "{text}");
    assert!(
        found(&report).contains(&("location-as-it-stands", "warning")),
        "{text}"
    );
}

#[test]
fn a_location_at_another_authority_is_not_asked() {
    let (_, text, report) = behind(|path| format!("http://inside.example:8080{path}"));
    assert!(
        !found(&report)
            .iter()
            .any(|(check, _)| check.starts_with("location")),
        "{text}"
    );
}
