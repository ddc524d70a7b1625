//! What a run reached: statuses, parameters, properties, constraints, transitions.

mod properties;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use mecforge_api::{Api, Content, Location, Operation, resolve};
use mecforge_instances::{Constraint, Schema};
use mecforge_report::{
    ConstraintCoverage, Coverage, OperationCoverage, ParameterCoverage, PropertyCoverage, SchemaCoverage,
    StatusCoverage, Transition,
};
use serde_json::Value;

use super::call::{Exchange, Intent, Payload};
use super::state::Suite;

/// Counts what is reached while a run goes on.
#[derive(Default)]
pub struct Recorder {
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    statuses: BTreeMap<(usize, usize, u16), u64>,
    /// (API, operation, parameter) to valid, invalid.
    parameters: BTreeMap<(usize, usize, String), (u64, u64)>,
    /// (API, keyword's pointer) to satisfied, violated.
    constraints: BTreeMap<(usize, String), (u64, u64)>,
    /// (API, schema's pointer) to what was seen of its instances.
    properties: BTreeMap<(usize, String), Seen>,
    transitions: BTreeMap<(String, String, String, String), u64>,
}

/// Property to sent, received; of properties that are declared and others alike.
type Seen = BTreeMap<String, (u64, u64)>;

/// More properties than any of ETSI's schemas has: what is beyond is not counted, as clients may send anything.
const MOST_PROPERTIES: usize = 5_000;

impl Counts {
    fn properties(&mut self, at: usize, instance: Option<Instance>, count: impl Fn(&mut (u64, u64))) {
        let Some((pointer, names)) = instance else { return };
        let seen = self.properties.entry((at, pointer)).or_default();
        for name in names {
            if let Some(entry) = seen.get_mut(&name) {
                count(entry);
            } else if seen.len() < MOST_PROPERTIES {
                count(seen.entry(name).or_default());
            }
        }
    }
}

/// The pointer of an instance's schema, and the properties that it has.
type Instance = (String, BTreeSet<String>);

fn instance(api: &Api, content: Option<&Content>, instance: &Value) -> Option<Instance> {
    let pointer = content?.schema.as_deref()?;
    Some((resolve(&api.document, pointer), properties::present(instance)))
}

impl Recorder {
    fn with<T>(&self, count: impl FnOnce(&mut Counts) -> T) -> T {
        count(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts an exchange.
    pub(super) fn exchange(&self, suite: &Suite, exchange: &Exchange) {
        let call = &exchange.call;
        let Some(index) = call.operation else { return };
        let api = &suite.apis[call.api].api;
        let operation = &api.operations[index];
        let answered = operation
            .response(exchange.status())
            .and_then(|response| response.json());
        let sent = match &call.payload {
            Payload::Json(sent) => instance(api, operation.json_body(), sent),
            _ => None,
        };
        let received = exchange.body().and_then(|body| instance(api, answered, body));
        self.with(|counts| {
            counts.properties(call.api, sent, |entry| entry.0 += 1);
            counts.properties(call.api, received, |entry| entry.1 += 1);
            *counts.statuses.entry((call.api, index, exchange.status())).or_default() += 1;
            for parameter in &operation.parameters {
                let present = match parameter.location {
                    Location::Query => call.query.iter().any(|(name, _)| *name == parameter.name),
                    Location::Header => call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(&parameter.name)),
                    Location::Path => true,
                    Location::Cookie => false,
                };
                if present {
                    let broken = matches!(&call.intent, Intent::Breaks(pointer) if pointer.starts_with(&parameter.pointer) || pointer.starts_with(&parameter.schema));
                    let entry = counts.parameters.entry((call.api, index, parameter.name.clone())).or_default();
                    match broken {
                        true => entry.1 += 1,
                        false => entry.0 += 1,
                    }
                }
            }
            if let Intent::Breaks(pointer) = &call.intent {
                counts.constraints.entry((call.api, pointer.clone())).or_default().1 += 1;
            }
        });
    }

    /// Counts a constraint that a valid request was made for.
    pub fn satisfied(&self, api: usize, pointer: &str) {
        self.with(|counts| counts.constraints.entry((api, pointer.to_owned())).or_default().0 += 1);
    }

    /// Counts a transition of a state model.
    pub fn transition(&self, model: &str, from: &str, action: &str, to: &str) {
        let key = (
            model.to_owned(),
            from.to_owned(),
            action.to_owned(),
            to.to_owned(),
        );
        self.with(|counts| *counts.transitions.entry(key).or_default() += 1);
    }

    /// The coverage for the report.
    pub fn coverage(&self, suite: &Suite) -> Coverage {
        self.with(|counts| Coverage {
            operations: operations(suite, counts),
            schemas: schemas(suite, counts),
            transitions: counts
                .transitions
                .iter()
                .map(|((model, from, action, to), count)| Transition {
                    model: model.clone(),
                    from: from.clone(),
                    action: action.clone(),
                    to: to.clone(),
                    count: *count,
                })
                .collect(),
        })
    }
}

fn operations(suite: &Suite, counts: &Counts) -> Vec<OperationCoverage> {
    let mut all = Vec::new();
    for (at, state) in suite.apis.iter().enumerate() {
        for operation in &state.api.operations {
            let came: BTreeMap<u16, u64> = counts
                .statuses
                .range((at, operation.index, 0)..=(at, operation.index, u16::MAX))
                .map(|((_, _, status), count)| (*status, *count))
                .collect();
            let requests = came.values().sum();
            let mut statuses: Vec<_> = operation
                .responses
                .iter()
                .map(|response| {
                    let hits = |status: &u16| {
                        operation
                            .response(*status)
                            .is_some_and(|found| found.status == response.status)
                    };
                    let count = came
                        .iter()
                        .filter(|(status, _)| hits(status))
                        .map(|(_, count)| count)
                        .sum();
                    StatusCoverage {
                        status: response.status.to_string(),
                        declared: true,
                        count,
                        reason: (count == 0).then(|| reason(&response.status.to_string(), requests)),
                    }
                })
                .collect();
            statuses.extend(
                came.iter()
                    .filter(|(status, _)| operation.response(**status).is_none())
                    .map(|(status, count)| StatusCoverage {
                        status: match status {
                            0 => "no answer".to_owned(),
                            status => status.to_string(),
                        },
                        declared: false,
                        count: *count,
                        reason: None,
                    }),
            );
            let parameters = operation.parameters.iter().map(|parameter| {
                let key = (at, operation.index, parameter.name.clone());
                let (valid, invalid) = counts.parameters.get(&key).copied().unwrap_or_default();
                ParameterCoverage {
                    location: parameter.location.as_str().to_owned(),
                    name: parameter.name.clone(),
                    valid,
                    invalid,
                    absent: requests.saturating_sub(valid + invalid),
                }
            });
            all.push(OperationCoverage {
                api: state.api.id.clone(),
                operation: operation.key.clone(),
                requests,
                statuses,
                parameters: parameters.collect(),
            });
        }
    }
    all
}

fn reason(status: &str, requests: u64) -> String {
    let text = match (requests, status) {
        (0, _) => "no request was sent to this operation",
        (_, "401" | "403") => "needs credentials that lack a right; none were given",
        (_, "414") => "no address of this run was long enough for this target",
        (_, "429") => "the rate of this run was not refused",
        (_, "409") => "no request of this run was in conflict",
        (_, "412") => "no precondition failed in this run",
        _ => "no request of this run led to it",
    };
    text.to_owned()
}

/// The schemas of request bodies and answers: which rules were tried, which properties were seen.
fn schemas(suite: &Suite, counts: &Counts) -> Vec<SchemaCoverage> {
    let mut all: BTreeMap<(usize, String), SchemaCoverage> = BTreeMap::new();
    for (at, state) in suite.apis.iter().enumerate() {
        for operation in &state.api.operations {
            for pointer in schemas_of(&state.api, operation) {
                all.entry((at, pointer.clone()))
                    .or_insert_with(|| SchemaCoverage {
                        api: state.api.id.clone(),
                        properties: seen(counts, at, &state.api, &pointer),
                        pointer,
                        constraints: Vec::new(),
                    });
            }
            let Some(schema) = state.body_schema(operation.index) else {
                continue;
            };
            let pointer = resolve(&state.api.document, schema.pointer());
            if let Some(entry) = all
                .get_mut(&(at, pointer))
                .filter(|entry| entry.constraints.is_empty())
            {
                entry.constraints = tried(counts, at, &schema);
            }
        }
    }
    all.into_values()
        .filter(|schema| !schema.constraints.is_empty() || !schema.properties.is_empty())
        .collect()
}

/// The schemas of an operation's JSON body and of its JSON answers.
fn schemas_of(api: &Api, operation: &Operation) -> Vec<String> {
    let answers = operation.responses.iter().filter_map(|response| response.json());
    let contents = operation.json_body().into_iter().chain(answers);
    contents
        .filter_map(|content| content.schema.as_deref())
        .map(|pointer| resolve(&api.document, pointer))
        .collect()
}

fn tried(counts: &Counts, api: usize, schema: &Schema) -> Vec<ConstraintCoverage> {
    let constraint = |constraint: Constraint| {
        let key = (api, constraint.schema_pointer.clone());
        let (satisfied, violated) = counts.constraints.get(&key).copied().unwrap_or_default();
        ConstraintCoverage {
            pointer: constraint.schema_pointer,
            satisfied,
            violated,
            reason: (violated == 0).then(|| "no request that breaks only this rule was sent".to_owned()),
        }
    };
    schema.constraints().into_iter().map(constraint).collect()
}

fn seen(counts: &Counts, at: usize, api: &Api, pointer: &str) -> Vec<PropertyCoverage> {
    let declared = properties::declared(&api.document, pointer);
    let seen = counts.properties.get(&(at, pointer.to_owned()));
    let property = |name: String| {
        let times = seen.and_then(|seen| seen.get(&name)).copied();
        let (sent, received) = times.unwrap_or_default();
        PropertyCoverage { name, sent, received }
    };
    declared.into_iter().map(property).collect()
}
