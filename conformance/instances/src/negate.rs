//! Ways to make a schema fail: each is a choice, and what it demands is merged like any other demand.

use serde_json::{Number, Value};

use crate::chooser::Chooser;
use crate::facets::{Demand, Facets, least};
use crate::model::{Model, NodeId, Types};

/// One way to fail a schema.
enum Way {
    /// Fails whatever the value is.
    Anyhow,
    Exclude(Vec<Value>),
    Property(String, NodeId),
    Forbid(String),
    Item(NodeId),
    OtherType(Types),
    Below(Number),
    Above(Number),
    Shorter(u64),
    Longer(u64),
    Fewer(u64),
    More(u64),
    All(Vec<Demand>),
    /// A keyword that can't be failed by construction (`pattern`, `format`): left to trying.
    Luck,
}

/// Takes one way to make the node fail.
pub(crate) fn negate(
    model: &Model,
    id: NodeId,
    facets: &mut Facets,
    pending: &mut Vec<Demand>,
    chooser: &mut Chooser<'_>,
) {
    let mut ways = ways(model, id);
    if ways.is_empty() {
        facets.impossible = true;
        return;
    }
    let index = if ways.len() == 1 {
        0
    } else {
        chooser.choose(None, ways.len())
    };
    match ways.swap_remove(index) {
        Way::Anyhow | Way::Luck => {}
        Way::Exclude(values) => facets.excluded.extend(values),
        Way::Property(name, schema) => {
            facets
                .properties
                .entry(name.clone())
                .or_default()
                .push(Demand::Fail(schema));
            facets.required.insert(name);
            facets.types = facets.types.and(Types::OBJECT);
        }
        Way::Forbid(name) => {
            facets.forbidden.insert(name);
        }
        Way::Item(schema) => {
            facets.contains.push((Demand::Fail(schema), 1));
            facets.types = facets.types.and(Types::ARRAY);
        }
        Way::OtherType(types) => facets.types = facets.types.without(types),
        Way::Below(limit) => facets.cap(limit, true),
        Way::Above(limit) => facets.raise(limit, true),
        Way::Shorter(length) => facets.max_length = least(facets.max_length, Some(length)),
        Way::Longer(length) => facets.min_length = facets.min_length.max(length),
        Way::Fewer(count) => facets.max_items = least(facets.max_items, Some(count)),
        Way::More(count) => facets.min_items = facets.min_items.max(count),
        Way::All(demands) => pending.extend(demands),
    }
}

fn ways(model: &Model, id: NodeId) -> Vec<Way> {
    let node = &model[id];
    if let Some(verdict) = node.boolean {
        return if verdict { Vec::new() } else { vec![Way::Anyhow] };
    }
    let mut ways = Vec::new();
    let fail = |id: &NodeId| Demand::Fail(*id);
    ways.extend(node.constant.clone().map(|value| Way::Exclude(vec![value])));
    ways.extend(node.enumeration.clone().map(Way::Exclude));
    ways.extend(
        node.properties
            .iter()
            .map(|(name, schema)| Way::Property(name.clone(), *schema)),
    );
    ways.extend(node.required.iter().rev().cloned().map(Way::Forbid));
    ways.extend(node.items.map(Way::Item));
    ways.extend(
        node.reference
            .iter()
            .chain(&node.all_of)
            .map(|inner| Way::All(vec![fail(inner)])),
    );
    if !node.any_of.is_empty() {
        ways.push(Way::All(node.any_of.iter().map(fail).collect()));
    }
    if !node.one_of.is_empty() {
        ways.push(Way::All(node.one_of.iter().map(fail).collect()));
    }
    ways.extend(node.not.map(|inner| Way::All(vec![Demand::Hold(inner)])));
    if let Some(condition) = node.condition {
        ways.extend(
            node.then
                .map(|then| Way::All(vec![Demand::Hold(condition), Demand::Fail(then)])),
        );
        ways.extend(
            node.otherwise
                .map(|otherwise| Way::All(vec![Demand::Fail(condition), Demand::Fail(otherwise)])),
        );
    }
    ways.extend(node.minimum.clone().map(Way::Below));
    ways.extend(node.maximum.clone().map(Way::Above));
    ways.extend(
        node.min_length
            .filter(|min| *min > 0)
            .map(|min| Way::Shorter(min - 1)),
    );
    ways.extend(node.max_length.map(|max| Way::Longer(max + 1)));
    ways.extend(
        node.min_items
            .filter(|min| *min > 0)
            .map(|min| Way::Fewer(min - 1)),
    );
    ways.extend(node.max_items.map(|max| Way::More(max + 1)));
    ways.extend(node.types.map(Way::OtherType));
    if node.pattern.is_some()
        || node.format.is_some()
        || node.unique
        || node.contains.is_some()
        || node.multiple_of.is_some()
    {
        ways.push(Way::Luck);
    }
    ways
}
