//! Sequences of steps: made by proptest's strategies from the case's seed, run against the platform one after the
//! other, and shortened while they still show the same fault.

use proptest::collection::vec;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::family::Family;
use super::machine::Machine;
use crate::suite::{Context, Failure, Mode, Outcome, Stop};

/// The most sequences that are tried to shorten one.
const TRIES: usize = 60;

/// One step: what is done, to which object, with what content. Every step means something in every state, so that
/// a sequence stays a sequence when steps are taken out of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// What is done, out of 100.
    pub(super) action: u8,
    /// Which of the objects, counted around.
    pub(super) which: u8,
    /// The content that is written, or the view that is read; 0 is the smallest body.
    pub(super) content: u16,
}

impl From<(u8, u8, u16)> for Step {
    fn from((action, which, content): (u8, u8, u16)) -> Self {
        Step {
            action,
            which,
            content,
        }
    }
}

/// With what every sequence ends: all lists and some objects are read, before and after a replacement and a removal.
fn ending(family: &Family) -> Vec<Step> {
    let applications = if family.by_application { 2 } else { 1 };
    let list = |list| u16::try_from(list).unwrap_or(0);
    let lists = || {
        (0..family.lists.len())
            .flat_map(move |at| (0..applications).map(move |which| (Step::LIST, which, list(at))))
    };
    let second = (0..applications - 1).map(|_| (Step::CREATE, 2, 0));
    let items = |count: u8| (0..count).map(|which| (Step::READ, which, u16::from(which % 2)));
    let gone = (0..2).map(|which| (Step::GONE, which, 0));
    // Everything is written, then one property after the other is changed.
    let changes = [
        (Step::REPLACE, 0, 7),
        (Step::REPLACE, 0, 3),
        (Step::PATCH, 0, 1),
        (Step::PATCH, 0, 4),
        (Step::PATCH, 0, 3),
    ];
    let changes = changes
        .into_iter()
        .filter(|(action, ..)| *action != Step::PATCH || family.patch.is_some());
    // Each way to ask for what is another's, with a replacement and with a removal.
    let foreign = (0..6).map(|way| (Step::FOREIGN, 0, way));
    let foreign = foreign.filter(|_| family.by_application);
    let before = second
        .chain(lists())
        .chain(items(3))
        .chain(changes)
        .chain(foreign);
    let after = lists().chain(items(2)).chain([(Step::DELETE, 0, 0)]);
    let end = lists().chain(gone);
    before.chain(after).chain(end).map(Step::from).collect()
}

fn whole(steps: &[(u8, u8, u16)], family: &Family) -> Vec<Step> {
    let steps = steps.iter().copied().map(Step::from);
    steps.chain(ending(family)).collect()
}

/// Runs a random sequence. Where it fails when it is tried again, the shortest that fails as well is reported.
pub(super) async fn run(context: &mut Context, family: &Family) -> Outcome {
    let mut seed = [0; 32];
    context.rng.fill(&mut seed);
    let config = Config {
        failure_persistence: None,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &seed));
    let steps = vec((0_u8..100, 0_u8..8, 0_u16..1000), 3..=30);
    let tree = steps
        .new_tree(&mut runner)
        .map_err(|reason| Stop::Inconclusive(format!("no sequence can be made: {reason}")))?;
    let first = whole(&tree.current(), family);
    let failure = match Machine::run(context, family, &first).await {
        Err(Stop::Fail(failure)) if context.mode == Mode::Again => *failure,
        other => return other,
    };
    let original = context.trace.clone();
    match shorten(context, family, first, tree, &failure).await {
        Some(shorter) => Err(shorter.minimal().stop()),
        None => {
            context.trace = original;
            Err(failure.stop())
        }
    }
}

/// Finds the shortest sequence that fails in the same way, and leaves its exchanges as evidence; none where the end of
/// the run comes first, or the fault does not show any more.
async fn shorten(
    context: &mut Context,
    family: &Family,
    first: Vec<Step>,
    mut tree: impl ValueTree<Value = Vec<(u8, u8, u16)>>,
    failure: &Failure,
) -> Option<Failure> {
    let place = (context.start(), context.reported.len());
    let mut best = first;
    let mut tries = 0;
    let mut go_on = tree.simplify();
    while go_on && tries < TRIES {
        tries += 1;
        let shorter = whole(&tree.current(), family);
        go_on = match attempt(context, family, &shorter, failure, place).await? {
            Some(_) => {
                best = shorter;
                tree.simplify()
            }
            None => tree.complicate(),
        };
    }
    let (mut at, mut improved) = (0, false);
    while tries < 4 * TRIES {
        let Some(shorter) = smaller(&best).get(at).cloned() else {
            // What could not be done before may be possible now.
            match std::mem::take(&mut improved) {
                true => at = 0,
                false => break,
            }
            continue;
        };
        tries += 1;
        match attempt(context, family, &shorter, failure, place).await? {
            Some(_) => (best, improved) = (shorter, true),
            None => at += 1,
        }
    }
    // The last try may have shown nothing; the best is run once more, for the evidence.
    attempt(context, family, &best, failure, place).await?
}

/// Sequences that are smaller, the greatest savings first: all steps at the first object, some steps less, a step less
/// with all others at the first object (as objects are counted differently without one that makes one), a smaller
/// content.
fn smaller(steps: &[Step]) -> Vec<Vec<Step>> {
    let without = |from: usize, size: usize| {
        let mut less = steps.to_vec();
        less.drain(from..(from + size).min(steps.len()));
        less
    };
    let first = |mut steps: Vec<Step>| {
        steps.iter_mut().for_each(|step| step.which = 0);
        steps
    };
    let counted = steps.iter().any(|step| step.which != 0);
    let mut all = Vec::new();
    if counted {
        all.push(first(steps.to_vec()));
    }
    for size in [8, 4, 2, 1].into_iter().filter(|size| *size < steps.len()) {
        all.extend((0..steps.len()).step_by(size).map(|from| without(from, size)));
    }
    if counted {
        all.extend((0..steps.len()).map(|from| first(without(from, 1))));
    }
    for at in (0..steps.len()).filter(|at| steps[*at].content != 0) {
        let mut less = steps.to_vec();
        less[at].content = 0;
        all.push(less);
    }
    all
}

/// Whether a shorter sequence fails in the same way; none where the run is over.
async fn attempt(
    context: &mut Context,
    family: &Family,
    steps: &[Step],
    failure: &Failure,
    (trace, reported): (usize, usize),
) -> Option<Option<Failure>> {
    context.forget(trace, reported);
    match Machine::run(context, family, steps).await {
        Err(Stop::Fail(again))
            if again.signature == failure.signature && again.operation == failure.operation =>
        {
            Some(Some(*again))
        }
        Err(Stop::Gone(_) | Stop::Over) => None,
        _ => Some(None),
    }
}
