//! Lists: filters that are combined, filters that nothing passes, filters that exclude each other, filters of any list, pages.

mod attributes;
mod combinations;
mod commas;
mod filter;
mod paging;
mod selected;
mod selection;
mod services;

use std::sync::Arc;

use mecforge_report::Severity;

use crate::suite::{Check, Group, Plan, Source, Suite};

/// The clauses of MEC 011 that say what the query parameters of lists of services are.
const CLAUSES: Source = Source::Etsi("ETSI GS MEC 011", "8.2.3.3.1 and 8.2.6.3.1");

static COMBINED: Check = Check {
    id: "filters-combine",
    group: Group::State,
    title: "filters narrow each other, and several values of one widen it",
    severity: Severity::Error,
    explanation: "Five services that differ in everything that can be filtered by, one of them without any optional property and one of another application, are read without filter; each combination of filters must then give exactly those that fit all of them, once each, in both lists. Absent properties have the value that 8.1.2.2 gives them (scopeOfLocality MEC_HOST, consumedLocalOnly and isLocal true). is_local=false may mean remote services, or local and remote ones: the standard says both, and the report names what the platform does. Objects of others are only looked at if they don't fit.",
    sources: &[CLAUSES, Source::Etsi("ETSI GS MEC 011", "8.1.2.2")],
};

static EMPTY: Check = Check {
    id: "empty-list-is-a-list",
    group: Group::State,
    title: "a list that nothing passes is an empty list",
    severity: Severity::Error,
    explanation: "A filter with a value that no service has is answered 200 with an empty list: a response has 0 to N services. 404 says that the address names no resource, but the same list exists with another filter.",
    sources: &[CLAUSES, Source::Etsi("ETSI GS MEC 009", "404 Not Found")],
};

static EXCLUSIVE: Check = Check {
    id: "refuses-exclusive-parameters",
    group: Group::Input,
    title: "query parameters that exclude each other are refused together",
    severity: Severity::Error,
    explanation: "Of ser_instance_id, ser_name and ser_category_id a request has one or none; two of them are incorrect parameters, which are answered 400. Any 4xx is right. Each alone is accepted before that.",
    sources: &[CLAUSES],
};

static WHOLE: Check = Check {
    id: "filter-values-are-whole",
    group: Group::State,
    title: "a comma in the value of a filter is part of the value",
    severity: Severity::Warning,
    explanation: "The document gives several values as several parameters (style form, explode), so that an encoded comma separates nothing: a service whose name has a comma is found by its name, and one that is called as the part behind the comma is not. Platforms that refuse such names are not judged.",
    sources: &[Source::Document, Source::Rfc(3986, "2.2")],
};

static PAGES: Check = Check {
    id: "pages-are-disjoint",
    group: Group::State,
    title: "the pages of a list have every object once",
    severity: Severity::Error,
    explanation: "Where a list comes with a Link of relation next, the pages are followed to their end (at most 50): no object is on two pages, every object that was made before is on one, and no page leads back to one that was read.",
    sources: &[Source::Etsi("ETSI GS MEC 009", "6"), Source::Rfc(8288, "3")],
};

/// The checks of this module.
pub(super) static CHECKS: &[&Check] = &[
    &COMBINED,
    &EMPTY,
    &EXCLUSIVE,
    &WHOLE,
    &PAGES,
    &selection::SELECT,
    &attributes::ATTRIBUTES,
];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan) {
    for api in 0..suite.apis.len() {
        combinations::plan(suite, plan, api);
        paging::plan(suite, plan, api);
        selection::plan(suite, plan, api);
        attributes::plan(suite, plan, api);
    }
}
