//! Which exchanges a reader has to repeat to see a finding.

use mecforge_report::Exchange;

use super::{identifier, mentions};

/// What has to be sent again: what made the things that a request names, and, unless the last request alone shows the
/// finding, everything that the case sent.
///
/// `preparation` is what the run sent before its cases, which share what it made.
pub fn needed(preparation: &[Exchange], evidence: &[Exchange], minimised: bool) -> Vec<Exchange> {
    let all: Vec<_> = preparation
        .iter()
        .chain(
            evidence
                .iter()
                .filter(|exchange| exchange.role != "clean-up" && exchange.role != "notification"),
        )
        .collect();
    let first = match minimised {
        true => all.len().saturating_sub(1),
        false => preparation.len(),
    };
    let mut chosen: Vec<bool> = (0..all.len()).map(|at| at >= first).collect();
    // Backwards, as what is needed may need something earlier.
    for at in (0..first).rev() {
        let made = identifier(all[at]);
        chosen[at] = made.is_some_and(|made| {
            let mut later = (at + 1..all.len()).filter(|later| chosen[*later]);
            later.any(|later| mentions(all[later], made))
        });
    }
    let kept = all.into_iter().zip(chosen).filter(|(_, chosen)| *chosen);
    kept.map(|(exchange, _)| exchange.clone()).collect()
}

#[cfg(test)]
mod tests {
    use mecforge_report::{Answer, Exchange, Message};

    use super::needed;

    fn exchange(url: &str, location: Option<&str>) -> Exchange {
        let headers = location.map(|location| ("Location".to_owned(), location.to_owned()));
        Exchange {
            request: Message {
                url: url.to_owned(),
                ..Message::default()
            },
            response: Some(Answer {
                headers: headers.into_iter().collect(),
                ..Answer::default()
            }),
            ..Exchange::default()
        }
    }

    #[test]
    fn what_a_request_names_is_made_first() {
        let preparation = [
            exchange("/apps", Some("/apps/app-1")),
            exchange("/apps", Some("/apps/app-2")),
        ];
        let evidence = [
            exchange("/apps/app-1/things", Some("/apps/app-1/things/thing-1")),
            exchange("/apps/app-1/things", Some("/apps/app-1/things/thing-2")),
            exchange("/apps/app-1/things/thing-2", None),
        ];
        let urls = |minimised| {
            let all = needed(&preparation, &evidence, minimised);
            all.into_iter()
                .map(|exchange| exchange.request.url)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            urls(true),
            ["/apps", "/apps/app-1/things", "/apps/app-1/things/thing-2"]
        );
        assert_eq!(urls(false).len(), 4);
    }
}
