//! From the bytes of a `ServiceInfo` to a typed value that keeps every rule, beside `jsonschema` on the same schema.
//!
//! Both know that the same text is valid and that the same broken text is not; that is asserted before the clock runs.
#![allow(
    clippy::unwrap_used,
    reason = "a benchmark whose input is wrong has nothing to measure"
)]

mod derived;

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use jsonschema::{Draft, Validator};
use mec011_service_management::{DOCUMENT, ServiceInfo};
use mecforge_runtime::from_slice;
use serde_json::{Value, json};

/// A service as the platform answers with it: every property, two endpoints, one security entry.
fn service() -> Value {
    json!({
        "serInstanceId": "5c1b9a3e-7f2d-4a60-9a1b-0d6f3c2e8a11",
        "serName": "weather",
        "serCategory": {
            "href": "https://catalogue.example/categories/sensing",
            "id": "sensing",
            "name": "Sensing",
            "version": "1.0"
        },
        "version": "2.4.1",
        "state": "ACTIVE",
        "transportInfo": {
            "id": "rest-http",
            "name": "REST over HTTP",
            "description": "plain JSON over HTTP/1.1",
            "type": "REST_HTTP",
            "protocol": "HTTP",
            "version": "1.1",
            "endpoint": { "uris": ["https://weather.example/v2", "https://weather-backup.example/v2"] },
            "security": {
                "oAuth2Info": {
                    "grantTypes": ["OAUTH2_CLIENT_CREDENTIALS"],
                    "tokenEndpoint": "https://auth.example/token"
                }
            }
        },
        "serializer": "JSON",
        "scopeOfLocality": "MEC_HOST",
        "consumedLocalOnly": false,
        "isLocal": true,
        "livenessInterval": 60,
        "_links": {
            "self": { "href": "https://mep.example/mec_service_mgmt/v1/services/5c1b9a3e-7f2d-4a60-9a1b-0d6f3c2e8a11" },
            "liveness": { "href": "https://mep.example/mec_service_mgmt/v1/liveness/5c1b9a3e" }
        }
    })
}

/// The judge that the tests use: the schema of the repaired document, formats asserted.
fn validator() -> Validator {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let schema = json!({ "$ref": "#/components/schemas/ServiceInfo", "components": document["components"] });
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .build(&schema)
        .unwrap()
}

fn decode(criterion: &mut Criterion) {
    let validator = validator();
    let valid = service();
    let bytes = serde_json::to_vec(&valid).unwrap();
    let mut broken = valid.clone();
    broken["transportInfo"]["endpoint"]["fqdn"] = json!(["weather.example"]);
    let broken_bytes = serde_json::to_vec(&broken).unwrap();

    assert_eq!(json!(from_slice::<ServiceInfo>(&bytes).unwrap()), valid);
    assert!(from_slice::<ServiceInfo>(&broken_bytes).is_err());
    assert!(validator.is_valid(&valid) && !validator.is_valid(&broken));

    let mut group = criterion.benchmark_group("ServiceInfo");
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group.bench_function("ours: bytes to validated type", |bencher| {
        bencher.iter(|| from_slice::<ServiceInfo>(black_box(&bytes)).unwrap());
    });
    group.bench_function("serde_json and jsonschema: bytes to Value, is_valid", |bencher| {
        bencher.iter(|| validator.is_valid(&serde_json::from_slice(black_box(&bytes)).unwrap()));
    });
    group.bench_function(
        "serde_json, jsonschema and serde: bytes to Value, is_valid, typed",
        |bencher| {
            bencher.iter(|| {
                let value: Value = serde_json::from_slice(black_box(&bytes)).unwrap();
                assert!(validator.is_valid(&value));
                serde_json::from_value::<derived::ServiceInfo>(value).unwrap()
            });
        },
    );
    group.bench_function("serde_json alone: bytes to Value", |bencher| {
        bencher.iter(|| serde_json::from_slice::<Value>(black_box(&bytes)).unwrap());
    });
    group.bench_function("serde alone: bytes to a type without rules", |bencher| {
        bencher.iter(|| serde_json::from_slice::<derived::ServiceInfo>(black_box(&bytes)).unwrap());
    });
    group.bench_function("jsonschema alone: is_valid on a Value", |bencher| {
        bencher.iter(|| validator.is_valid(black_box(&valid)));
    });
    group.bench_function("ours: a refusal with pointer and rule", |bencher| {
        bencher.iter(|| from_slice::<ServiceInfo>(black_box(&broken_bytes)).is_err());
    });
    group.bench_function("serde_json and jsonschema: a refusal, first error", |bencher| {
        bencher.iter(|| {
            let value = serde_json::from_slice(black_box(&broken_bytes)).unwrap();
            validator.validate(&value).is_err()
        });
    });
    group.finish();
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    decode(&mut criterion);
    criterion.final_summary();
}
