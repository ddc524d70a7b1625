//! All stages on ETSI's own documents: with their overlays nothing is left that a judge of JSON Schema refuses.

use std::path::Path;

use mecforge_document::{Document, Finding, Node, Pointer, Value, load, prepare};
use serde_json::json;

use crate::corpus::{directory, documents, load_document};
use crate::load::list;

/// The newest release of each API, by the name of its overlay.
const NEWEST: [(&str, &str); 17] = [
    (
        "mec010-app-grant",
        "mec/gs010-2-app-pkg-lcm-api/HEAD/MEC01002_AppGrant.yaml",
    ),
    (
        "mec010-app-lifecycle-management",
        "mec/gs010-2-app-pkg-lcm-api/HEAD/MEC01002_AppLcm.yaml",
    ),
    (
        "mec010-app-package-management",
        "mec/gs010-2-app-pkg-lcm-api/HEAD/MEC01002_AppPkgMgmt.yaml",
    ),
    (
        "mec011-app-support",
        "mec/gs011-app-enablement-api/v3.1.1/MecAppSupportApi.yaml",
    ),
    (
        "mec011-service-management",
        "mec/gs011-app-enablement-api/v3.1.1/MecServiceMgmtApi.yaml",
    ),
    (
        "mec012-radio-network-information",
        "mec/gs012-rnis-api/HEAD/RniAPI.yaml",
    ),
    ("mec013-location", "mec/gs013-location-api/HEAD/LocationAPI.yaml"),
    (
        "mec014-ue-identity",
        "mec/gs014-ue-identity-api/HEAD/UEidentityAPI.yaml",
    ),
    (
        "mec015-bandwidth-management",
        "mec/gs015-bandwith-mgmt-api/HEAD/BwManagementApi.yaml",
    ),
    (
        "mec015-traffic-steering",
        "mec/gs015-bandwith-mgmt-api/HEAD/TrafficSteeringApi.yaml",
    ),
    (
        "mec016-ue-application",
        "mec/gs016-dev-app-api/HEAD/UEAppInterfaceApi.yaml",
    ),
    (
        "mec021-application-mobility",
        "mec/gs021-amsi-api/HEAD/MEC021_AppMobilityService.yaml",
    ),
    (
        "mec028-wlan-information",
        "mec/gs028-wai-api/HEAD/WlanInformationApi.yaml",
    ),
    (
        "mec029-fixed-access-information",
        "mec/gs029-fai-api/HEAD/MEC029_FAI.yaml",
    ),
    (
        "mec030-v2x-information",
        "mec/gs030-vis-api/HEAD/MEC030_V2XInformationServices.yaml",
    ),
    ("mec033-iot", "mec/gs033-iot-api/HEAD/MEC033_IoT.yaml"),
    (
        "mec040-federation-enablement",
        "mec/gs040-fed-enablement-api/HEAD/MEC040_fedEnablement.yaml",
    ),
];

fn overlays(id: &str) -> Vec<Document> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../etsi-specs/overlays")
        .join(format!("{id}.yaml"));
    match std::fs::read_to_string(&path) {
        Ok(text) => vec![
            load::load_text(&format!("{id}.yaml"), &text)
                .unwrap_or_else(|faults| panic!("{}", list(&faults))),
        ],
        Err(_) => Vec::new(),
    }
}

fn prepared(path: &str, overlays: &[Document]) -> (Document, Vec<Finding>) {
    let document = load_document(&directory(), path);
    prepare(document, overlays, false).unwrap_or_else(|faults| panic!("{path}:\n{}", list(&faults)))
}

/// Shows `visit` every schema that stands in `components` or as that of a body, a parameter or a header.
fn schema_roots(node: &Node, pointer: &Pointer, found: &mut Vec<Pointer>) {
    match &node.value {
        Value::Object(members) => {
            for (key, member) in members {
                let place = pointer.child(key);
                if key == "schema" {
                    found.push(place);
                } else if place.as_str() == "/components/schemas" {
                    found.extend(member.as_object().unwrap().keys().map(|name| place.child(name)));
                } else {
                    schema_roots(member, &place, found);
                }
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                schema_roots(element, &pointer.index(index), found);
            }
        }
        _ => {}
    }
}

/// Has the judge read every schema of a document, each with all that it refers to.
#[track_caller]
fn check_schemas(name: &str, document: &Document) {
    let mut roots = Vec::new();
    schema_roots(&document.root, &Pointer::root(), &mut roots);
    assert!(!roots.is_empty(), "{name}");
    let mut whole = document.root.to_json();
    for root in &roots {
        let schema = whole.pointer(root.as_str()).unwrap();
        if let Err(error) = jsonschema::draft202012::meta::validate(schema) {
            panic!("{name}: #{root}: {error} at {}", error.instance_path());
        }
    }
    let encoded = |root: &Pointer| {
        root.as_str()
            .replace('%', "%25")
            .replace('{', "%7B")
            .replace('}', "%7D")
            .replace('#', "%23")
    };
    let all: Vec<serde_json::Value> = roots
        .iter()
        .map(|root| json!({"$ref": format!("#{}", encoded(root))}))
        .collect();
    whole["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    whole["anyOf"] = all.into();
    if let Err(error) = jsonschema::draft202012::options()
        .should_validate_formats(true)
        .build(&whole)
    {
        panic!("{name}: {error} at {}", error.instance_path());
    }
}

/// Checks that nothing is left that only our own stages understand.
#[track_caller]
fn check_marks(name: &str, document: &Document) {
    let text = serde_json::to_string(&document.root).unwrap();
    for mark in [
        "\"readOnly\"",
        "\"writeOnly\"",
        "x-mecforge-wrapped",
        "\"x-etsi-mec-extensible\"",
        "SEE_DESCRIPTION",
    ] {
        assert!(
            !text.contains(&format!("{mark}:")) && !text.contains(&format!("[{mark}]")),
            "{name}: {mark} is left"
        );
    }
}

#[test]
fn newest_documents_settle_with_their_overlays() {
    for (id, path) in NEWEST {
        let (document, findings) = prepared(path, &overlays(id));
        check_schemas(id, &document);
        check_marks(id, &document);
        for finding in &findings {
            let told = !finding.class.is_empty() && !finding.defect.is_empty() && !finding.repair.is_empty();
            assert!(told && finding.line > 0, "{id}: {finding:?}");
        }
    }
}

#[test]
fn every_document_settles_without_overlays() {
    let paths = documents(&directory());
    for path in &paths {
        let (document, _) = prepared(path, &[]);
        check_schemas(path, &document);
        check_marks(path, &document);
    }
}

#[test]
fn preparing_twice_gives_the_same() {
    for (id, path) in NEWEST {
        let (first, findings) = prepared(path, &overlays(id));
        let (second, again) = prepared(path, &overlays(id));
        assert_eq!(
            serde_json::to_string(&first.root).unwrap(),
            serde_json::to_string(&second.root).unwrap(),
            "{id}"
        );
        assert_eq!(findings, again, "{id}");
    }
}

#[test]
fn the_documents_have_the_defects_that_were_counted() {
    let mut findings = Vec::new();
    for (_, path) in NEWEST {
        findings.extend(prepared(path, &[]).1);
    }
    let count = |class: &str| findings.iter().filter(|finding| finding.class == class).count();
    // Counted by a script of its own on the documents of 2026-07-25.
    let counted = [
        ("placeholder-enum", 55),
        ("missing-location", 26),
        ("body-without-content", 7),
        ("no-responses", 1),
        ("contradicting-type", 16),
        ("misspelt-key", 19),
        ("placeholder-property", 4),
        ("blank-in-name", 2),
        ("untyped-schema", 6),
        ("unreferenced-schema", 51),
        ("wrapped-body", 134),
    ];
    for (class, expected) in counted {
        assert_eq!(count(class), expected, "{class}");
    }
}

#[test]
fn without_repair_only_the_dialect_changes() {
    let document = load_document(&directory(), NEWEST[4].1);
    let (document, findings) = prepare(document, &overlays(NEWEST[4].0), true).unwrap();
    assert_eq!(list(&findings), "");
    let path = Pointer::from_tokens(["paths", "/resource_uri_allocated_by_MEC_platform"]);
    assert!(document.root.pointer(&path).is_some());
}

const DOCUMENT: &str = "openapi: 3.1.0
info: {title: t, version: v}
paths: {/a: {post: {responses: {'400': {description: Bad.}}}}}
components:
  schemas:
    A: {type: string, enum: [SEE_DESCRIPTION]}
    B: {type: string, enum: [SEE_DESCRIPTION]}
    C: {description: Text.}
    D: {description: Gone.}
";

const OVERLAY: &str = "overlay: 1.0.0
info: {title: t, version: v}
actions:
- {target: $.components.schemas.A, description: Known values, update: {enum: [X]}}
- {target: $.components.schemas.C, description: A text, update: {type: string}}
- {target: $.components.schemas.D, description: Not needed, remove: true}
- {target: \"$.paths['/a'].post\", description: No content, update: {responses: {'204': {description: Done}}}}
";

#[test]
fn findings_say_what_overlays_have_mended() {
    let document = load::load_text("x.yaml", DOCUMENT).unwrap();
    let overlay = load::load_text("o.yaml", OVERLAY).unwrap();
    let (_, findings) = prepare(document, &[overlay], false).unwrap();
    let told: Vec<String> = findings
        .iter()
        .filter(|finding| finding.class != "erratum")
        .map(|finding| {
            format!(
                "{} {} {} {}",
                finding.pointer, finding.class, finding.repair, finding.widened
            )
        })
        .collect();
    let expected = [
        "/components/schemas/A unreferenced-schema kept, as a type of its own false",
        "/components/schemas/B unreferenced-schema kept, as a type of its own false",
        "/components/schemas/C unreferenced-schema kept, as a type of its own false",
        "/components/schemas/D unreferenced-schema replaced or removed by an overlay false",
        "/components/schemas/A placeholder-enum mended by an overlay false",
        "/components/schemas/B placeholder-enum \"enum\" removed, any value of the type is accepted true",
        "/components/schemas/C untyped-schema mended by an overlay false",
        "/components/schemas/D untyped-schema replaced or removed by an overlay false",
        "/paths/~1a/post no-success-response mended by an overlay false",
    ];
    assert_eq!(told, expected);
}

#[test]
fn faults_of_all_overlays_come_at_once() {
    let document = load::load_text("x.yaml", DOCUMENT).unwrap();
    let overlay = load::load_text("o.yaml", &OVERLAY.replace("schemas.A", "schemas.Z")).unwrap();
    let other = load::load_text("p.yaml", &OVERLAY.replace("overlay: 1.0.0", "overlay: 2.0.0")).unwrap();
    let faults = prepare(document, &[overlay, other], false).unwrap_err();
    let places: Vec<(&str, u32)> = faults
        .iter()
        .map(|fault| (fault.file.as_str(), fault.line))
        .collect();
    assert_eq!(places, [("o.yaml", 4), ("p.yaml", 1)]);
}
