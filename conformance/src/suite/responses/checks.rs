//! What is demanded of every answer.

use mecforge_report::Severity;

use crate::suite::check::{Check, Group, Source};

/// ETSI's rules for the RESTful APIs of MEC.
const PRINCIPLES: &str = "ETSI GS MEC 009";

/// The checks.
pub static CHECKS: &[Check] = &[
    Check {
        id: "answers-completely",
        group: Group::Responses,
        title: "every request is answered with one complete HTTP message in time",
        severity: Severity::Error,
        explanation: "A connection that is reset or closed in the middle, an answer that is no HTTP, has no end or takes longer than the time-out, is a breach. Seen once and not again, it is reported as flaky.",
        sources: &[Source::Rfc(9112, "6.3")],
    },
    Check {
        id: "no-server-error",
        group: Group::Responses,
        title: "no request is answered with a 5xx",
        severity: Severity::Error,
        explanation: "Whatever a client sends, the platform says what is wrong with it (4xx) or does it. 503 with Retry-After is taken as being busy, and not held against it; 501 for a method that no document declares neither.",
        sources: &[Source::Rfc(9110, "15.6"), Source::Document],
    },
    Check {
        id: "response-status",
        group: Group::Responses,
        title: "the status of every answer is declared for its operation",
        severity: Severity::Error,
        explanation: "A success must be declared. Of refusals, those that HTTP itself defines are accepted everywhere, as no document lists them all; others must be declared.",
        sources: &[Source::Document],
    },
    Check {
        id: "response-media-type",
        group: Group::Responses,
        title: "the body of every answer has a declared media type",
        severity: Severity::Error,
        explanation: "Judged where the document declares bodies for the status; parameters such as charset are ignored.",
        sources: &[Source::Document, Source::Rfc(9110, "8.3")],
    },
    Check {
        id: "response-schema",
        group: Group::Responses,
        title: "the body of every answer obeys its schema",
        severity: Severity::Error,
        explanation: "JSON bodies are judged by the schema that the document declares for the status. Properties that no schema names are allowed.",
        sources: &[Source::Document],
    },
    Check {
        id: "response-headers",
        group: Group::Responses,
        title: "declared header fields are there and obey their schemas",
        severity: Severity::Error,
        explanation: "Required header fields must be there; Location is demanded of every 201 that declares it.",
        sources: &[Source::Document],
    },
    Check {
        id: "problem-details",
        group: Group::Responses,
        title: "refusals are problem documents that agree with their status",
        severity: Severity::Error,
        explanation: "Where the document declares application/problem+json for a status, the body must be one, and its member status, if there, must be the status of the answer.",
        sources: &[Source::Etsi(PRINCIPLES, "6.15"), Source::Rfc(9457, "3.1")],
    },
    Check {
        id: "no-body-where-none-is",
        group: Group::Responses,
        title: "204 and 304 have no body and no Content-Length above 0",
        severity: Severity::Error,
        explanation: "A 204 ends with its header section; anything after it is taken for the next answer.",
        sources: &[Source::Rfc(9110, "15.3.5")],
    },
    Check {
        id: "no-internals",
        group: Group::Responses,
        title: "refusals tell nothing of the platform's insides",
        severity: Severity::Error,
        explanation: "Stack traces, panic messages, paths of source files and SQL errors help an attacker and no client.",
        sources: &[
            Source::Practice("OWASP API Security Top 10 2023, API8"),
            Source::Rfc(9457, "5"),
        ],
    },
    Check {
        id: "challenges",
        group: Group::Responses,
        title: "401 carries WWW-Authenticate and 405 carries Allow",
        severity: Severity::Error,
        explanation: "Both fields are what the status is for: how to authenticate, which methods there are.",
        sources: &[Source::Rfc(9110, "15.5.2"), Source::Rfc(9110, "15.5.6")],
    },
];
