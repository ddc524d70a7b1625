//! Changes of the store as text of the event stream (WHATWG HTML, "Server-sent events").

use std::collections::BTreeSet;
use std::fmt::Write as _;

use mecforge_store::{Change, Changes, Revision};

use crate::events::{ChangeKind, Event, EventData};
use crate::kind::{Kind, Subject};

/// Events that are sent together.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    text: String,
    /// Subscriptions of which this batch says already that their queue has changed.
    queues: BTreeSet<String>,
}

impl Batch {
    /// Adds what one transaction has changed, of the kinds that are wanted.
    ///
    /// Only the last event has the transaction's number, so that a client whose connection breaks in between is told
    /// all of it again. Each subscription's queue is mentioned once, as one change may put thousands of notifications
    /// into it.
    pub(crate) fn add(&mut self, changes: &Changes, kinds: &[Kind]) {
        let events: Vec<Event> = changes
            .changes
            .iter()
            .filter_map(|change| event(change, changes.revision))
            .filter(|event| kinds.contains(&event.kind))
            .filter(|event| event.kind != Kind::Delivery || self.queues.insert(event.id.clone()))
            .collect();
        let last = events.len().saturating_sub(1);
        for (index, event) in events.into_iter().enumerate() {
            let id = (index == last).then_some(changes.revision);
            self.push(event.kind.name(), id, &EventData::Event(event));
        }
    }

    /// Adds one event.
    pub(crate) fn push(&mut self, name: &str, id: Option<Revision>, data: &EventData) {
        // JSON on one line: it has no line breaks of its own. Plain data cannot fail to be written.
        let data = serde_json::to_string(data).unwrap_or_default();
        let id = id.map_or_else(String::new, |id| format!("id: {id}\n"));
        let _ = write!(self.text, "event: {name}\n{id}data: {data}\n\n");
    }

    /// Adds a line that clients ignore.
    pub(crate) fn comment(&mut self, text: &str) {
        let _ = write!(self.text, ": {text}\n\n");
    }

    /// Says after how many milliseconds a client should come back when the connection is lost.
    pub(crate) fn retry(&mut self, milliseconds: u64) {
        let _ = write!(self.text, "retry: {milliseconds}\n\n");
    }

    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(crate) fn take(&mut self) -> String {
        self.queues.clear();
        std::mem::take(&mut self.text)
    }
}

fn event(change: &Change, revision: Revision) -> Option<Event> {
    let Subject {
        kind,
        app_instance_id,
        id,
        subscription,
    } = Subject::at(&change.key)?;
    let change = match &change.entry {
        // How long a queue is, is asked for; that it has changed is all that can be said cheaply.
        _ if kind == Kind::Delivery => ChangeKind::Changed,
        None => ChangeKind::Removed,
        Some(entry) if entry.created == revision => ChangeKind::Added,
        Some(_) => ChangeKind::Changed,
    };
    Some(Event {
        kind,
        change,
        app_instance_id,
        id,
        subscription,
        revision: revision.0,
    })
}

#[cfg(test)]
mod tests {
    use mecforge_contracts::keys;
    use mecforge_store::Entry;

    use super::*;

    fn put(key: String, created: u64, modified: u64) -> Change {
        let entry = Entry {
            value: "{}".into(),
            created: Revision(created),
            modified: Revision(modified),
        };
        Change {
            key: key.into(),
            entry: Some(entry),
        }
    }

    #[test]
    fn only_the_last_event_of_a_change_has_its_number() {
        let subscription = keys::subscription("service-availability", "b", "1");
        let changes = Changes {
            revision: Revision(7),
            changes: vec![
                put(keys::service("a", "s"), 7, 7),
                put(keys::application("a\nid: 9"), 3, 7),
                put(keys::outgoing(&subscription, "1"), 7, 7),
                put(keys::outgoing(&subscription, "2"), 7, 7),
                Change {
                    key: keys::dns_rule("a", "d").into(),
                    entry: None,
                },
            ],
        };
        let mut batch = Batch::default();
        batch.add(&changes, &Kind::ALL);
        let expected = concat!(
            "event: service\ndata: {\"kind\":\"service\",\"change\":\"ADDED\",\"appInstanceId\":\"a\",\"id\":\"s\",\"revision\":7}\n\n",
            "event: application\ndata: {\"kind\":\"application\",\"change\":\"CHANGED\",\"appInstanceId\":\"a\\nid: 9\",\"id\":\"a\\nid: 9\",\"revision\":7}\n\n",
            "event: delivery\ndata: {\"kind\":\"delivery\",\"change\":\"CHANGED\",\"appInstanceId\":\"b\",\"id\":\"subscriptions/service-availability/b/1\",\"subscription\":\"subscriptions/service-availability/b/1\",\"revision\":7}\n\n",
            "event: dnsRule\nid: 7\ndata: {\"kind\":\"dnsRule\",\"change\":\"REMOVED\",\"appInstanceId\":\"a\",\"id\":\"d\",\"revision\":7}\n\n",
        );
        assert_eq!(batch.take(), expected);
        batch.add(&changes, &[Kind::Task]);
        assert!(batch.is_empty());
    }
}
