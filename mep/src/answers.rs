//! Answers to reads that need not be computed again: kept until anything in the store changes.
//!
//! Only for operations that the wiring names, whose answers depend on the store, the configuration and the request's
//! target and `Host`, and on nothing else. A request that carries anything which could make a difference (a
//! condition, a credential, an unknown header, an authenticated principal) is not answered from here.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use axum::body::Body;
use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use hyper::body::Body as _;
use mecforge_runtime::operation::Operation;
use mecforge_runtime::server::{Answered, Principal, Problem};
use mecforge_store::{Changes, View};

use crate::telemetry::metrics::Series;

/// Answers are kept in so many parts, each with a lock of its own.
const PARTS: usize = 16;
/// The most bytes of answers that a part keeps. A part that is full starts again from nothing.
const FULL: usize = 2 * 1024 * 1024;
/// Larger answers are not kept.
const LARGEST: u64 = 64 * 1024;

/// Headers that make no difference to an answer. `Accept` is looked at.
const HARMLESS: [HeaderName; 6] = [
    header::HOST,
    header::USER_AGENT,
    header::CONNECTION,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    HeaderName::from_static("x-request-id"),
];

/// A kept answer.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    generation: u64,
    host: HeaderValue,
    target: PathAndQuery,
    headers: HeaderMap,
    body: Bytes,
    /// The operation that answered.
    pub(crate) operation: &'static Operation,
    /// Where the answer is counted.
    pub(crate) series: Series,
}

impl Kept {
    /// About how many bytes it takes, with what the map and the headers need.
    fn size(&self) -> usize {
        self.body.len() + self.target.as_str().len() + self.host.len() + 512
    }

    /// The answer as a response.
    pub(crate) fn response(&self) -> Response<Body> {
        let mut response = Response::new(Body::from(self.body.clone()));
        *response.headers_mut() = self.headers.clone();
        response
    }
}

/// A request whose answer may be kept.
#[derive(Debug)]
pub(crate) struct Question {
    generation: u64,
    hash: u64,
    host: HeaderValue,
    target: PathAndQuery,
}

#[derive(Debug, Default)]
struct Part {
    answers: HashMap<u64, Arc<Kept>>,
    bytes: usize,
}

/// The kept answers, as a [`View`] of the store: every change makes all of them old.
#[derive(Debug)]
pub(crate) struct Answers {
    generation: AtomicU64,
    operations: Vec<&'static Operation>,
    hasher: RandomState,
    parts: [RwLock<Part>; PARTS],
}

impl Answers {
    /// Nothing yet. To be attached to the store after every index that the operations read: views see changes in the
    /// order in which they were attached, and this one must be last.
    pub(crate) fn new(operations: Vec<&'static Operation>) -> Self {
        Self {
            generation: AtomicU64::new(0),
            operations,
            hasher: RandomState::new(),
            parts: std::array::from_fn(|_| RwLock::default()),
        }
    }

    /// What a request asks, if its answer may be kept.
    pub(crate) fn question(&self, request: &Request<Body>) -> Option<Question> {
        if *request.method() != Method::GET
            || !request.body().is_end_stream()
            || !request
                .headers()
                .iter()
                .all(|(name, value)| is_harmless(name, value))
            || request
                .extensions()
                .get::<Principal>()
                .is_some_and(|principal| *principal != Principal::Anonymous)
        {
            return None;
        }
        let host = request.headers().get(header::HOST)?;
        let target = request.uri().path_and_query()?;
        if request.uri().authority().is_some() {
            return None;
        }
        let hash = self.hasher.hash_one((host.as_bytes(), target.as_str()));
        // Read before the answer is computed: a change meanwhile makes the answer old before it is kept.
        let generation = self.generation.load(Ordering::Acquire);
        Some(Question {
            generation,
            hash,
            host: host.clone(),
            target: target.clone(),
        })
    }

    /// The kept answer to a question, if it is still true.
    pub(crate) fn get(&self, question: &Question) -> Option<Arc<Kept>> {
        let part = self.part(question).read().unwrap_or_else(PoisonError::into_inner);
        let kept = part.answers.get(&question.hash)?;
        let same = kept.generation == question.generation
            && kept.host == question.host
            && kept.target.as_str() == question.target.as_str();
        same.then(|| kept.clone())
    }

    /// Keeps an answer if it may be kept, and gives it back.
    pub(crate) async fn keep(
        &self,
        question: Question,
        response: Response<Body>,
        series: impl FnOnce(&'static Operation) -> Series,
    ) -> Response<Body> {
        let operation = response.extensions().get::<Answered>().map(|answered| answered.0);
        let Some(operation) = operation.filter(|operation| self.is_named(operation)) else {
            return response;
        };
        if response.status() != StatusCode::OK
            || response.size_hint().exact().is_none_or(|size| size > LARGEST)
        {
            return response;
        }
        let (parts, body) = response.into_parts();
        // The body is in memory already, so this neither waits nor fails.
        let Ok(body) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
            return Problem::internal("a body in memory could not be read").into_http();
        };
        let Question {
            generation,
            hash,
            host,
            target,
        } = question;
        let series = series(operation);
        let kept = Kept {
            generation,
            host,
            target,
            headers: parts.headers.clone(),
            body: body.clone(),
            operation,
            series,
        };
        let size = kept.size();
        let mut part = self.parts[part_of(hash)]
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if part.bytes + size > FULL {
            *part = Part::default();
        }
        part.bytes += size;
        if let Some(old) = part.answers.insert(hash, Arc::new(kept)) {
            part.bytes -= old.size();
        }
        drop(part);
        Response::from_parts(parts, Body::from(body))
    }

    fn is_named(&self, operation: &'static Operation) -> bool {
        self.operations
            .iter()
            .any(|named| std::ptr::eq(*named, operation))
    }

    fn part(&self, question: &Question) -> &RwLock<Part> {
        &self.parts[part_of(question.hash)]
    }
}

fn part_of(hash: u64) -> usize {
    usize::try_from(hash % PARTS as u64).unwrap_or_default()
}

fn is_harmless(name: &HeaderName, value: &HeaderValue) -> bool {
    HARMLESS.contains(name)
        || (*name == header::ACCEPT && matches!(value.as_bytes(), b"*/*" | b"application/json"))
}

impl View for Answers {
    fn apply(&self, _: &Changes) {
        self.generation.fetch_add(1, Ordering::AcqRel);
    }
}
