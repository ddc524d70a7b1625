//! The schema as callers see it: judge, generators and lists of cases behind one cheap handle.

use std::sync::{Arc, OnceLock};

use serde_json::Value;

use crate::cases::{InvalidCase, Limited, ValidCase};
use crate::generate::{Generator, Inclusion, Plan};
use crate::judge::{self, Breach};
use crate::model::Model;
use crate::options::{Options, Unsupported};
use crate::read;
use crate::routes::{Constraint, Routes};
use crate::witness::Witnesses;
use crate::{invalid, shrink, valid};

/// How many valid cases [`Schema::valid_cases`] gives.
pub const VALID_CASES: usize = 400;
/// How many invalid cases [`Schema::invalid_cases`] gives.
pub const INVALID_CASES: usize = 600;

/// A schema at a JSON pointer of a document; cheap to clone.
#[derive(Clone, Debug)]
pub struct Schema(Arc<Inner>);

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) document: Arc<Value>,
    pub(crate) pointer: String,
    pub(crate) options: Options,
    pub(crate) model: Model,
    pub(crate) validator: jsonschema::Validator,
    pub(crate) routes: Routes,
    witnesses: OnceLock<Witnesses>,
}

impl Schema {
    /// The schema at `pointer`, with references into the same document followed, and formats asserted.
    ///
    /// # Errors
    /// If there is no schema, or it refers to what isn't there, or a keyword is malformed.
    pub fn new(document: &Arc<Value>, pointer: &str) -> Result<Schema, Unsupported> {
        Schema::with_options(document, pointer, &Options::default())
    }

    /// The schema at `pointer`, judged and generated as the options say.
    ///
    /// # Errors
    /// As [`Schema::new`].
    pub fn with_options(
        document: &Arc<Value>,
        pointer: &str,
        options: &Options,
    ) -> Result<Schema, Unsupported> {
        let model = read::read(document, pointer, options.formats)?;
        let validator = judge::compile(document, pointer, &model, options)?;
        let routes = Routes::find(&model, options);
        let (document, pointer, options) = (Arc::clone(document), pointer.to_owned(), options.clone());
        let witnesses = OnceLock::new();
        Ok(Schema(Arc::new(Inner {
            document,
            pointer,
            options,
            model,
            validator,
            routes,
            witnesses,
        })))
    }

    /// JSON pointer of the schema in its document.
    pub fn pointer(&self) -> &str {
        &self.0.pointer
    }

    /// Whether the judge accepts an instance.
    pub fn is_valid(&self, instance: &Value) -> bool {
        self.0.validator.is_valid(instance)
    }

    /// Every rule that an instance breaks, as the judge sees it, in a stable order.
    pub fn errors(&self, instance: &Value) -> Vec<Breach> {
        judge::breaches(&self.0.validator, &self.0.document, instance)
    }

    /// Every keyword that can be violated, each once, the nearest to the root first.
    ///
    /// What only tells the alternatives of `oneOf` and `anyOf` apart (lists of required names) counts as their keyword.
    pub fn constraints(&self) -> Vec<Constraint> {
        self.0.routes.constraints.clone()
    }

    /// The `schema_pointer`s of the constraints that apply to a valid instance, and that it therefore satisfies.
    pub fn satisfied(&self, instance: &Value) -> Vec<String> {
        if !self.is_valid(instance) {
            return Vec::new();
        }
        let walk = self.0.model.walk(instance);
        let owners: std::collections::BTreeSet<&str> = walk
            .places
            .keys()
            .map(|id| self.0.model[*id].pointer.as_str())
            .collect();
        let applies = |constraint: &&Constraint| {
            let end = match constraint.keyword.as_str() {
                "required" | "dependentRequired" => constraint
                    .schema_pointer
                    .rfind(&format!("/{}/", constraint.keyword)),
                _ => constraint.schema_pointer.rfind('/'),
            };
            end.is_some_and(|end| owners.contains(&constraint.schema_pointer[..end]))
        };
        let found = self.0.routes.constraints.iter().filter(applies);
        found
            .map(|constraint| constraint.schema_pointer.clone())
            .collect()
    }

    /// The simplest instance: only what is required.
    pub fn minimal(&self) -> Option<Value> {
        self.0.generate(&Plan::default(), None)
    }

    /// An instance with every optional property that may stand together.
    pub fn full(&self) -> Option<Value> {
        let plan = Plan {
            inclusion: Inclusion::All,
            ..Plan::default()
        };
        self.0.generate(&plan, None).or_else(|| self.minimal())
    }

    /// A random instance; the same generator state gives the same instance.
    pub fn random(&self, rng: &mut fastrand::Rng) -> Option<Value> {
        let percent = [20, 50, 80][rng.usize(0..3)];
        let plan = Plan {
            inclusion: Inclusion::Chance(percent),
            ..Plan::default()
        };
        let rng = rng.fork();
        self.0.generate(&plan, Some(rng)).or_else(|| self.minimal())
    }

    /// Valid instances that between them show every limit, alternative and combination; at most [`VALID_CASES`].
    pub fn valid_cases(&self) -> Vec<ValidCase> {
        self.valid_cases_within(VALID_CASES).cases
    }

    /// As [`Schema::valid_cases`], with another limit, and the number of those that were cut off.
    pub fn valid_cases_within(&self, limit: usize) -> Limited<ValidCase> {
        valid::cases(&self.0, limit)
    }

    /// Instances that each break exactly one rule, made from a valid one where that is possible; at most [`INVALID_CASES`].
    ///
    /// What `base` doesn't reach is broken in an extension of it, or else in an instance made for the purpose.
    pub fn invalid_cases(&self, base: &Value) -> Vec<InvalidCase> {
        self.invalid_cases_within(base, INVALID_CASES).cases
    }

    /// As [`Schema::invalid_cases`], with another limit, and the number of those that were cut off.
    pub fn invalid_cases_within(&self, base: &Value, limit: usize) -> Limited<InvalidCase> {
        invalid::cases(&self.0, base, limit)
    }

    /// A few of the ways to break exactly one rule of a valid instance, as chance decides; at most `limit`, and none if the
    /// instance is not valid. Far cheaper than [`Schema::invalid_cases`]; the same generator state gives the same cases.
    pub fn random_invalid(&self, base: &Value, rng: &mut fastrand::Rng, limit: usize) -> Vec<InvalidCase> {
        invalid::drawn(&self.0, base, rng, limit)
    }

    /// Smaller valid variants of a valid instance, the smallest first.
    pub fn shrink(&self, value: &Value) -> Vec<Value> {
        shrink::variants(&self.0, value)
    }
}

impl Inner {
    /// An instance for the plan that the judge accepts.
    pub(crate) fn generate(&self, plan: &Plan, rng: Option<fastrand::Rng>) -> Option<Value> {
        let value = Generator::new(&self.model, &self.options, plan, rng).root()?;
        self.validator.is_valid(&value).then_some(value)
    }

    /// Valid instances that between them reach every schema that can be reached.
    pub(crate) fn witnesses(&self) -> &Witnesses {
        self.witnesses.get_or_init(|| Witnesses::gather(self))
    }

    /// Whether the judge and the caller's rules accept an instance.
    pub(crate) fn accepts(&self, value: &Value) -> bool {
        self.model.accepts(crate::model::ROOT, value)
            && self.options.permits_all(value)
            && self.validator.is_valid(value)
    }
}
