//! The list of valid cases: witnesses, limits, combinations and oddities, chosen fairly up to a limit.

use std::collections::BTreeSet;
use std::rc::Rc;

use serde_json::Value;

use crate::cases::{Limited, ValidCase, ValidKind, fairly};
use crate::generate::Plan;
use crate::model::NodeId;
use crate::pairwise;
use crate::pointer;
use crate::schema::Inner;
use crate::vary;
use crate::witness::Witness;

/// A valid case before it is built.
pub(crate) struct Candidate<'a> {
    pub(crate) kind: ValidKind,
    pub(crate) what: String,
    pub(crate) rule: String,
    pub(crate) place: String,
    pub(crate) make: Make<'a>,
}

/// How a case is built.
pub(crate) enum Make<'a> {
    /// The witness as it is.
    Ready(&'a Witness),
    /// The witness with another value at the candidate's place; by the plan if the witness isn't valid with it.
    Replace(&'a Witness, Value, Option<Box<Plan>>),
    /// An instance for the plan.
    Build(Box<Plan>),
    /// An instance with these of the optional places, or with one more or less where rules tie them together.
    Combine(BTreeSet<String>, Rc<Vec<String>>),
}

/// At most `limit` cases.
pub(crate) fn cases(schema: &Inner, limit: usize) -> Limited<ValidCase> {
    let candidates = fairly(candidates(schema));
    let total = candidates.len();
    let mut cases: Vec<ValidCase> = Vec::new();
    let mut looked_at = 0;
    let mut seen = BTreeSet::new();
    for candidate in candidates {
        if cases.len() >= limit {
            break;
        }
        looked_at += 1;
        let Some(value) = build(schema, &candidate) else {
            continue;
        };
        // A value may stand for several rules, but is not given twice for one.
        let named = matches!(candidate.kind, ValidKind::Boundary | ValidKind::Branch);
        if !seen.insert(format!(
            "{}\n{value}",
            if named { candidate.rule.as_str() } else { "" }
        )) {
            continue;
        }
        let Candidate {
            kind,
            what,
            rule,
            place,
            ..
        } = candidate;
        cases.push(ValidCase {
            value,
            kind,
            what,
            schema_pointer: rule,
            instance_pointer: place,
        });
    }
    Limited {
        cases,
        truncated: total - looked_at,
    }
}

fn build(schema: &Inner, candidate: &Candidate<'_>) -> Option<Value> {
    let planned = |plan: &Plan| {
        schema
            .generate(plan, None)
            .filter(|value| schema.options.permits_all(value))
    };
    match &candidate.make {
        Make::Ready(witness) => Some(witness.value.clone()),
        Make::Build(plan) => planned(plan),
        Make::Combine(present, places) => pairwise::nearest(present, places).find_map(|plan| planned(&plan)),
        Make::Replace(witness, value, plan) => {
            let replaced = pointer::replaced(&witness.value, &candidate.place, value.clone());
            replaced.filter(|value| schema.accepts(value)).or_else(|| {
                let found = planned(plan.as_ref()?)?;
                (found.pointer(&candidate.place) == Some(value)).then_some(found)
            })
        }
    }
}

/// Everything that could become a case, with the group that it shares its turns with.
fn candidates(schema: &Inner) -> Vec<(String, Candidate<'_>)> {
    let mut all = Vec::new();
    let witnesses = schema.witnesses();
    for (index, witness) in witnesses.list.iter().enumerate() {
        let candidate = Candidate {
            kind: witness.kind,
            what: witness.what.clone(),
            rule: witness.schema_pointer.clone(),
            place: witness.instance_pointer.clone(),
            make: Make::Ready(witness),
        };
        all.push((format!("witness {index}"), candidate));
    }
    let mut sites = BTreeSet::new();
    for id in 0..schema.model.nodes.len() {
        let Some(witness) = witnesses.with(id).first().copied() else {
            continue;
        };
        let Some(place) = witness.walk.places.get(&id).and_then(|places| places.first()) else {
            continue;
        };
        let site = Site {
            schema,
            id,
            witness,
            place,
        };
        all.extend(vary::limits(&site));
        // What the place as a whole allows is tried once, whichever schema described it first.
        let nodes = witness.walk.sites.get(place).cloned().unwrap_or_default();
        if sites.insert(nodes) {
            all.extend(vary::oddities(&site));
        }
    }
    all.extend(pairwise::rows(schema));
    all
}

/// A node at a place of a witness.
pub(crate) struct Site<'a> {
    pub(crate) schema: &'a Inner,
    pub(crate) id: NodeId,
    pub(crate) witness: &'a Witness,
    pub(crate) place: &'a str,
}

impl<'a> Site<'a> {
    /// The value at the place.
    pub(crate) fn value(&self) -> &'a Value {
        self.witness.value.pointer(self.place).unwrap_or(&Value::Null)
    }

    /// A plan that leads here, with the value pinned or the items counted by the caller.
    pub(crate) fn plan(&self) -> Plan {
        let route = self
            .schema
            .routes
            .routes
            .iter()
            .find(|route| route.node == self.id);
        let wishes = route.map(|route| route.wishes.clone()).unwrap_or_default();
        let wanted = (!self.place.is_empty()).then(|| self.place.to_owned());
        Plan {
            wishes,
            wanted,
            ..Plan::default()
        }
    }

    /// A case of this kind with another value here.
    pub(crate) fn replaced(
        &self,
        kind: ValidKind,
        keyword: &str,
        what: String,
        value: Value,
    ) -> Candidate<'a> {
        let plan = Plan {
            pin: Some((self.place.to_owned(), value.clone())),
            ..self.plan()
        };
        let own = &self.schema.model[self.id].pointer;
        let rule = if keyword.is_empty() {
            own.clone()
        } else {
            format!("{own}/{keyword}")
        };
        let place = self.place.to_owned();
        Candidate {
            kind,
            what,
            rule,
            place,
            make: Make::Replace(self.witness, value, Some(Box::new(plan))),
        }
    }
}
