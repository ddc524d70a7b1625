//! One object, several clients: is there an order that explains what each of them saw?

use std::time::Instant;

use super::clients::{Done, together};
use super::history::{Effect, Event, contradiction};
use super::marker::{self, Marker};
use crate::suite::{Call, Context, Exchange, Failure, Made, Outcome, Role, Stop};

/// The operations on an object.
#[derive(Clone, Copy)]
pub(super) struct Subject {
    pub(super) api: usize,
    pub(super) maker: usize,
    pub(super) get: usize,
    pub(super) put: Option<usize>,
    pub(super) delete: Option<usize>,
}

/// An object with number 0 in its marker, the body that is put, and the marker.
pub(super) struct Prepared {
    pub(super) made: Made,
    pub(super) body: serde_json::Value,
    pub(super) marker: Marker,
}

/// Makes an object, and sees that a replacement by one client alone is kept.
pub(super) async fn prepare(context: &mut Context, object: Subject, put: usize) -> Result<Prepared, Stop> {
    let values = context.values(object.api, object.maker).await?;
    let made = context.make(object.api, object.maker, &values, None).await?;
    let (body, marker) = marker::find(context, object.api, put, &made.values)?;
    let Some(marker) = marker else {
        return Err(Stop::NotApplicable(
            "no property may have any text, so that nothing tells who wrote what".to_owned(),
        ));
    };
    let write = context
        .call(object.api, put, &made.values)
        .json(marker.mark(&body, 0))
        .role(Role::Control);
    let written = context.send(write).await?;
    let read = context
        .call(object.api, object.get, &made.values)
        .role(Role::Control);
    let read = context.send(read).await?;
    let kept = read.json().and_then(|body| marker.read(&body));
    if !written.is_success() || kept != Some(0) {
        return Err(Stop::Inconclusive(format!(
            "a replacement by one client alone was answered {} and not read afterwards; the other checks tell why",
            written.status()
        )));
    }
    Ok(Prepared { made, body, marker })
}

impl Prepared {
    pub(super) fn write(&self, context: &Context, object: Subject, put: usize, number: u32) -> Call {
        context
            .call(object.api, put, &self.made.values)
            .json(self.marker.mark(&self.body, number))
    }

    fn effect(&self, exchange: &Exchange) -> Option<Effect> {
        let sent = match &exchange.call.payload {
            crate::suite::Payload::Json(body) => self.marker.read(body),
            _ => None,
        };
        match (exchange.call.method.as_str(), exchange.status(), sent) {
            ("GET", 200, _) => Some(Effect::Read(Some(self.marker.read(&exchange.json()?)?))),
            ("GET", 404 | 410, _) => Some(Effect::Read(None)),
            ("PUT", 201, Some(number)) => Some(Effect::Made(number)),
            ("PUT", 200 | 204, Some(number)) => Some(Effect::Wrote(number)),
            ("PUT" | "DELETE", 404 | 410, _) => Some(Effect::Missed),
            ("DELETE", 200 | 204, _) => Some(Effect::Removed),
            ("PUT", 202 | 500.. | 0, Some(number)) => Some(Effect::MayHaveWritten(number)),
            ("DELETE", 202 | 500.. | 0, _) => Some(Effect::MayHaveRemoved),
            // Refused: nothing was done.
            _ => None,
        }
    }
}

/// Three clients write and read in turn, one reads.
pub(super) async fn writers(context: &mut Context, object: Subject, put: usize) -> Outcome {
    let prepared = prepare(context, object, put).await?;
    let get = || context.call(object.api, object.get, &prepared.made.values);
    let writer = |client: u32| {
        let turns = (1..=4).flat_map(|turn| {
            let number = client * 100 + turn;
            [prepared.write(context, object, put, number), get()]
        });
        turns.collect::<Vec<_>>()
    };
    let mut calls: Vec<_> = (1..=3).map(writer).collect();
    calls.push((0..8).map(|_| get()).collect());
    judge(context, &prepared, calls).await
}

/// One client writes, one removes, two read.
pub(super) async fn removal(context: &mut Context, object: Subject, put: usize, delete: usize) -> Outcome {
    let prepared = prepare(context, object, put).await?;
    let get = || context.call(object.api, object.get, &prepared.made.values);
    let writes = (1..=6)
        .map(|turn| prepared.write(context, object, put, turn))
        .collect();
    let remove = context.call(object.api, delete, &prepared.made.values);
    let calls = vec![
        writes,
        vec![get(), get(), remove, get(), get()],
        (0..6).map(|_| get()).collect(),
        (0..6).map(|_| get()).collect(),
    ];
    judge(context, &prepared, calls).await
}

async fn judge(context: &mut Context, prepared: &Prepared, calls: Vec<Vec<Call>>) -> Outcome {
    let start = Instant::now();
    let done = together(context, calls).await?;
    // A body without the marker is judged elsewhere; it says nothing here.
    let known: Vec<_> = done
        .iter()
        .filter_map(|done| Some((done, prepared.effect(&done.exchange)?)))
        .collect();
    let events: Vec<_> = known
        .iter()
        .map(|(done, effect)| Event {
            begin: done.begin,
            end: done.end,
            effect: *effect,
        })
        .collect();
    let Some(at) = contradiction(&events, Some(0)) else {
        return Ok(());
    };
    let history: Vec<_> = known
        .iter()
        .map(|(done, effect)| line(done, *effect, start))
        .collect();
    let (wrong, effect) = known[at];
    let what = match effect {
        Effect::Read(Some(_)) => "a reading sees what can't be there any more, or not yet",
        Effect::Read(None) => "a reading does not see an object that exists",
        Effect::Missed => "an object that exists is not found",
        _ => "a change is answered with success that can't have been made",
    };
    let failure = Failure::new(
        what,
        "an order of the requests, true to who had his answer before whom, in which every answer is right",
        format!(
            "no order explains: {}\n{}",
            line(wrong, effect, start),
            history.join("\n")
        ),
    );
    let key = wrong.exchange.call.operation.map(|index| {
        context.suite.apis[wrong.exchange.call.api].api.operations[index]
            .key
            .clone()
    });
    let failure = failure.signature("no order");
    Err(match key {
        Some(key) => failure.at(key).stop(),
        None => failure.stop(),
    })
}

/// One request of a history for people.
fn line(done: &Done, effect: Effect, start: Instant) -> String {
    let ms = |at: Instant| at.saturating_duration_since(start).as_secs_f64() * 1000.0;
    let what = match effect {
        Effect::Read(Some(value)) => format!("read {value}"),
        Effect::Read(None) => "found nothing".to_owned(),
        Effect::Wrote(value) | Effect::Made(value) => format!("wrote {value}"),
        Effect::Removed => "removed it".to_owned(),
        Effect::Missed => "found nothing to change".to_owned(),
        Effect::MayHaveWritten(value) => format!("may have written {value}"),
        Effect::MayHaveRemoved => "may have removed it".to_owned(),
    };
    format!(
        "client {}, {:.1} to {:.1} ms: {} was answered {}, {what}",
        done.client + 1,
        ms(done.begin),
        ms(done.end),
        done.exchange.call.method,
        done.exchange.status()
    )
}
