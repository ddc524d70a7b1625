//! One request on its way: again where a connection was closed while nobody used it, later where the platform limits
//! how many it takes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use mecforge_transport::Request;

use super::call::{Call, Exchange, Identity, Payload, Role};
use super::context::{Context, Mode};
use super::outcome::Stop;
use super::record;

/// So often a request is sent again that was answered 429.
const AGAIN: u32 = 5;

/// The longest and the usual wait before that.
const LONGEST: Duration = Duration::from_secs(10);
const USUAL: Duration = Duration::from_secs(1);

/// The least wait before the first of them, doubled before each other: who asks for none (`Retry-After: 0`) may limit
/// what several workers send together, and each of them would take the others' turns.
const LEAST: Duration = Duration::from_millis(10);

/// After so many requests in a row that stayed at 429 there is no more waiting until one is answered otherwise.
const PATIENCE: u64 = 3;

/// How long a platform wants to be left alone.
fn pause(exchange: &Exchange) -> Duration {
    let asked = exchange.header("retry-after").map(str::trim);
    let seconds = asked.and_then(|text| text.parse().ok().map(Duration::from_secs));
    let date = || {
        let until = httpdate::parse_http_date(asked?).ok()?;
        Some(until.duration_since(SystemTime::now()).unwrap_or_default())
    };
    seconds.or_else(date).unwrap_or(USUAL).min(LONGEST)
}

/// The end of a case whose request stays unanswered because of a limit.
pub(super) fn limited(exchange: &Exchange) -> Stop {
    Stop::Inconclusive(format!(
        "{} {} was answered 429 also after waiting; send fewer requests per second than the platform takes: --rate N",
        exchange.call.method, exchange.call.path
    ))
}

impl Context {
    /// The bare exchange, again after a pause while the answer is 429.
    pub(super) async fn patiently(&mut self, call: Call) -> Exchange {
        let suite = Arc::clone(&self.suite);
        let mut tries = 0;
        loop {
            let exchange = self.exchange(call.clone()).await;
            if exchange.status() != 429 {
                if exchange.outcome.is_ok() {
                    suite.limited.store(0, Ordering::Relaxed);
                }
                return exchange;
            }
            let over = match self.mode {
                Mode::First if call.role != Role::CleanUp => suite.is_over(),
                _ => suite.is_over_altogether(),
            };
            if call.impatient || over || suite.limited.load(Ordering::Relaxed) >= PATIENCE {
                return exchange;
            }
            if tries == AGAIN {
                suite.limited.fetch_add(1, Ordering::Relaxed);
                return exchange;
            }
            suite.recorder.exchange(&suite, &exchange);
            tokio::time::sleep(pause(&exchange).max(LEAST * (1 << tries))).await;
            tries += 1;
        }
    }

    /// The bare exchange. A server may close a connection at any time (RFC 9112, 9.5): where it did so with one that
    /// was kept, the request is sent again on a new one; the trace has both.
    async fn exchange(&mut self, call: Call) -> Exchange {
        let suite = Arc::clone(&self.suite);
        let client = match call.identity {
            _ if call.other_version => &suite.clients.other_version,
            Identity::Main => &suite.clients.main,
            Identity::Other => suite.clients.other.as_ref().unwrap_or(&suite.clients.main),
            Identity::Nobody => &suite.clients.nobody,
        };
        let request = Request {
            method: call.method.clone(),
            target: call.address(&suite.apis[call.api].base_path),
            headers: self.headers(&call),
            body: match &call.payload {
                Payload::None => None,
                Payload::Json(value) => Some(value.to_string().into()),
                Payload::Bytes(_, bytes) => Some(bytes.clone().into()),
            },
            authenticate: call.identity != Identity::Nobody,
        };
        suite.requests.fetch_add(1, Ordering::Relaxed);
        let mut sent = client.send(&request).await;
        if sent.may_be_stale() {
            // It counts once: when a connection is closed is a matter of chance.
            self.keep(&call, &sent);
            sent = client.send_fresh(&request).await;
        }
        let record = self.keep(&call, &sent);
        Exchange {
            call,
            started: sent.started,
            elapsed_ms: sent.elapsed.as_secs_f64() * 1000.0,
            outcome: sent.outcome,
            record,
        }
    }

    /// What is reported of an exchange; it is kept as evidence.
    fn keep(&mut self, call: &Call, sent: &mecforge_transport::Exchange) -> mecforge_report::Exchange {
        let mut record = record::exchange(&self.suite.target, call.role, sent);
        if call.identity == Identity::Other && self.suite.clients.other.is_some() {
            record = record::of_second(record);
        }
        if !self.quiet {
            self.trace.push(record.clone());
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use mecforge_transport::{Response, Version};

    use super::pause;
    use crate::suite::{Call, Exchange};

    fn pause_of(value: Option<String>) -> Duration {
        let headers = value.map(|value| ("retry-after".to_owned(), value));
        let answer = Response::new(
            429,
            Version::Http11,
            headers.into_iter().collect(),
            Vec::new().into(),
        );
        pause(&Exchange {
            call: Call::default(),
            started: SystemTime::now(),
            elapsed_ms: 0.0,
            outcome: Ok(answer),
            record: mecforge_report::Exchange::default(),
        })
    }

    #[test]
    fn a_pause_is_as_long_as_it_is_asked_for_within_bounds() {
        assert_eq!(pause_of(None), Duration::from_secs(1));
        assert_eq!(pause_of(Some("soon".to_owned())), Duration::from_secs(1));
        assert_eq!(pause_of(Some("0".to_owned())), Duration::ZERO);
        assert_eq!(pause_of(Some("3".to_owned())), Duration::from_secs(3));
        assert_eq!(pause_of(Some("3600".to_owned())), Duration::from_secs(10));
        let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(5));
        let pause = pause_of(Some(date)).as_secs_f64();
        assert!((3.0..=5.0).contains(&pause), "{pause}");
    }
}
