//! HTTP's own rules, room by room: what exists, methods, media types, conditions, sizes, writing of addresses, versions.

mod conditional;
mod conditional_changes;
mod dates;
mod encoding;
mod existence;
mod filtered;
mod limits;
mod media;
mod messages;
mod methods;
mod queries;
mod safety;
mod slashes;
mod versions;

use std::sync::Arc;

use crate::suite::{Check, Plan, Suite, syntax};

/// What ETSI says of the statuses of all its RESTful APIs.
const PRINCIPLES: &str = "ETSI GS MEC 009";

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[
    &syntax::FIELDS,
    &syntax::TELLS,
    &existence::UNKNOWN,
    &existence::APPLICATION,
    &existence::PATH,
    &existence::CASE,
    &methods::METHOD,
    &methods::REFUSED,
    &methods::ALLOW,
    &media::MALFORMED,
    &media::MEDIA,
    &media::CODING,
    &media::NAMES,
    &media::ACCEPT,
    &media::ANY,
    &methods::HEAD,
    &methods::HEAD_TYPE,
    &safety::SAFE,
    &safety::ONE,
    &safety::TWICE,
    &conditional::READ,
    &conditional::DATES,
    &conditional_changes::CHANGE,
    &dates::SINCE,
    &dates::UNMODIFIED,
    &dates::ORDER,
    &encoding::PATH,
    &encoding::TWICE,
    &encoding::QUERY,
    &queries::REPEATED,
    &queries::UNION,
    &queries::EMPTY,
    &queries::PLUS,
    &slashes::TRAILING,
    &slashes::ENCODED,
    &limits::LARGE,
    &messages::HOST,
    &messages::FRAMING,
    &messages::FORMS,
    &messages::ORDER,
    &messages::NOTHING_AFTER,
    &messages::DATE,
    &versions::OTHER,
    &versions::OLD,
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for api in 0..suite.apis.len() {
        existence::plan(suite, plan, api);
        methods::plan(suite, plan, api);
        media::plan(suite, plan, api);
        safety::plan(suite, plan, api);
        conditional::plan(suite, plan, api);
        conditional_changes::plan(suite, plan, api);
        dates::plan(suite, plan, api);
        encoding::plan(suite, plan, api);
        queries::plan(suite, plan, api);
        slashes::plan(suite, plan, api);
        limits::plan(suite, plan, api);
        messages::plan(suite, plan, api);
        versions::plan(suite, plan, api);
    }
}
