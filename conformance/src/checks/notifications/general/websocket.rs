//! WebSockets that a platform offers instead of a callback (MEC 009, 6.12a): they open, and bring notifications.

use std::time::{Duration, Instant};

use http::Uri;
use mecforge_transport::{Fault, SocketFault};
use serde_json::{Value, json};

use super::super::letters;
use super::deadline::{EXPIRY, moment, within};
use super::{Asking, WEBSOCKET, unwrapped};
use crate::suite::{Context, Failure, Letter, Made, Outcome, Stop};

/// How long looking up a host may take.
const LOOKING_UP: Duration = Duration::from_secs(3);
/// Why a platform without WebSockets is not tested further.
const NOT_TAKEN: &str = "the platform does not take subscriptions that ask for a WebSocket";
/// How many seconds a subscription lasts that is asked for: enough for the WebSocket to be opened on a busy machine.
const LASTING: f64 = 10.0;
/// The longest address that is asked for.
const LONGEST: usize = 4_000;

/// Who asks for a WebSocket gets an address at which one is opened, and over it what is notified.
pub(super) async fn websocket(context: &mut Context, asking: Asking) -> Outcome {
    let made = subscribe(context, &asking).await?;
    let Some(address) = offered(&asking, &made)? else {
        return Err(Stop::NotApplicable("the platform offers no WebSocket".to_owned()));
    };
    is_near(context, &address).await?;
    let mut socket = match context.open_socket(&address).await {
        Ok(socket) => socket,
        Err(_) if deadline(&asking, &made).is_some_and(|end| end <= Instant::now()) => {
            let reason = "the subscription had ended before its WebSocket was opened; try again when the target is less busy";
            return Err(Stop::Inconclusive(reason.to_owned()));
        }
        Err(fault) => return Err(unopened(context.patience(), &address, fault)),
    };
    let heard = context.hear(&mut socket, last(context, &asking, &made)).await?;
    socket.close().await;
    match heard {
        Ok(letter) => {
            context.show(&letter);
            judged(context, &asking, &made, &letter)
        }
        Err(fault) => Err(unheard(fault)),
    }
}

/// Who offers a callback and asks for a WebSocket is told which of them the platform uses.
pub(super) async fn one_way(context: &mut Context, asking: Asking) -> Outcome {
    let mailbox = context.mailbox()?;
    let wish = [("websockNotifConfig", json!({"requestWebsocketUri": true}))];
    let made = match asking.make(context, Some(&mailbox.url), &wish).await {
        Err(Stop::Fail(_)) => return Err(Stop::NotApplicable(NOT_TAKEN.to_owned())),
        made => made?,
    };
    let answered = asking.object(&made.answered);
    if !answered.is_object() {
        let reason = "the answer to the creation does not have the subscription";
        return Err(Stop::Inconclusive(reason.to_owned()));
    }
    let callback = answered[asking.member.as_str()].is_string();
    let title = match (callback, offered(&asking, &made)?.is_some()) {
        (true, true) => "a subscription is answered with a callback and with a WebSocket",
        (false, false) => "a subscription is answered with neither a callback nor a WebSocket",
        _ => return Ok(()),
    };
    let expected = format!("one of {} and websocketUri", asking.member);
    let failure = Failure::new(title, expected, made.exchange.summary());
    Err(failure.shown_by(&made.exchange.call).stop())
}

/// The address that the platform offers.
fn offered(asking: &Asking, made: &Made) -> Result<Option<String>, Stop> {
    match &asking.object(&made.answered)["websockNotifConfig"]["websocketUri"] {
        Value::String(address) if address.len() <= LONGEST => Ok(Some(address.clone())),
        Value::String(address) => Err(Stop::Inconclusive(format!(
            "websocketUri has {} bytes, which nobody asks for",
            address.len()
        ))),
        _ => Ok(None),
    }
}

/// A subscription that wants a WebSocket, and what makes the platform use it.
async fn subscribe(context: &mut Context, asking: &Asking) -> Result<Made, Stop> {
    let socket = ("websockNotifConfig", json!({"requestWebsocketUri": true}));
    let mut wishes = vec![socket.clone()];
    if asking.declares(&context.suite, "requestTestNotification") {
        wishes.push(("requestTestNotification", json!(true)));
    }
    if asking.declares(&context.suite, "expiryDeadline") {
        wishes.push(("expiryDeadline", within(LASTING).1));
    }
    // A platform may send tests to callbacks only, and refuse one without; or have no deadlines.
    let before = (context.trace.len(), context.reported.len());
    match asking.make(context, None, &wishes).await {
        Err(Stop::Fail(_) | Stop::Inconclusive(_)) => context.forget(before.0, before.1),
        made => return made,
    }
    match asking.make(context, None, &[socket]).await {
        Err(Stop::Fail(_)) => Err(Stop::NotApplicable(NOT_TAKEN.to_owned())),
        made => made,
    }
}

/// Until when something may come: within the patience, or until the subscription has ended, if that is soon.
fn last(context: &Context, asking: &Asking, made: &Made) -> Instant {
    let patience = Instant::now() + context.patience();
    let budget = Instant::now() + context.suite.options.clock.expiry;
    let end = deadline(asking, made).map(|end| end + Duration::from_secs(1));
    end.filter(|end| *end <= budget)
        .map_or(patience, |end| end.max(patience))
}

/// When the subscription ends.
fn deadline(asking: &Asking, made: &Made) -> Option<Instant> {
    let seconds = asking.object(&made.answered)["expiryDeadline"]["seconds"].as_f64();
    seconds.map(moment)
}

/// Whether an address leads to the target; the suite talks to nobody else.
async fn is_near(context: &Context, address: &str) -> Outcome {
    let suite = &context.suite;
    let Some(host) = host(address) else {
        // What is wrong with it is told when it is opened.
        return Ok(());
    };
    let own = host_of_target(&suite.target);
    if own.eq_ignore_ascii_case(&host) {
        return Ok(());
    }
    let found = (addresses(&own).await, addresses(&host).await);
    match found.1.iter().any(|address| found.0.contains(address)) {
        true => Ok(()),
        false => Err(Stop::Inconclusive(format!(
            "{address} is on another host than the target, and the suite talks to the target alone"
        ))),
    }
}

fn host(address: &str) -> Option<String> {
    let uri: Uri = address.parse().ok()?;
    let socket = matches!(uri.scheme_str()?.to_ascii_lowercase().as_str(), "ws" | "wss");
    let host = uri.host()?.trim_matches(['[', ']']).to_owned();
    socket.then_some(host)
}

fn host_of_target(target: &str) -> String {
    let uri: Option<Uri> = target.parse().ok();
    let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
    host.trim_matches(['[', ']']).to_owned()
}

async fn addresses(host: &str) -> Vec<std::net::IpAddr> {
    let found = tokio::time::timeout(LOOKING_UP, tokio::net::lookup_host((host, 0))).await;
    let found = found.ok().and_then(Result::ok).into_iter().flatten();
    found.map(|address| address.ip()).collect()
}

/// What it means that a WebSocket can't be opened.
fn unopened(patience: Duration, address: &str, fault: SocketFault) -> Stop {
    let title = "the WebSocket that the platform offers can't be opened";
    let actual = match fault {
        SocketFault::Address(_) => {
            let expected = "an absolute address with ws: or wss: (RFC 6455, 3)";
            let title = "websocketUri is not the address of a WebSocket";
            return Failure::new(title, expected, format!("{address}: {fault}"))
                .of(WEBSOCKET.id)
                .stop();
        }
        SocketFault::Connection(Fault::Tls { .. } | Fault::Credentials(_) | Fault::InvalidRequest(_))
        | SocketFault::Refused(401 | 403 | 429 | 503) => {
            return Stop::Inconclusive(format!("{address} can't be opened: {fault}"));
        }
        SocketFault::Timeout => format!("nothing within {patience:?}"),
        fault => fault.to_string(),
    };
    let expected = "101 Switching Protocols at websocketUri";
    Failure::new(title, expected, actual).of(WEBSOCKET.id).stop()
}

/// What it means that nothing, or no message, came over an open WebSocket.
fn unheard(fault: SocketFault) -> Stop {
    match fault {
        SocketFault::Protocol(_) | SocketFault::Handshake(_) => {
            let title = "what comes over the WebSocket are no frames of RFC 6455";
            Failure::new(title, "a message (RFC 6455, 5.2)", fault.to_string())
                .of(WEBSOCKET.id)
                .stop()
        }
        fault => Stop::Inconclusive(format!(
            "the WebSocket opens, and no notification came that could be judged ({fault}); no standard promises one here, as the test that is asked for goes to callbacks"
        )),
    }
}

/// Judges the first message.
fn judged(context: &Context, asking: &Asking, made: &Made, letter: &Letter) -> Outcome {
    let Some(body) = content(&letter.body) else {
        if letter.method != "TEXT" {
            let reason = "a binary message came over the WebSocket, and the suite can't read it";
            return Err(Stop::Inconclusive(reason.to_owned()));
        }
        let title = "a text message on the WebSocket is no notification";
        return Err(Failure::new(title, "a JSON text", letter.text())
            .of(WEBSOCKET.id)
            .stop());
    };
    let mut inner = unwrapped(&body).clone();
    let state = &context.suite.apis[asking.api];
    let kind = inner["notificationType"].as_str().unwrap_or_default();
    let named = match kind {
        "TestNotification" => {
            inner = state.knowledge.test_notification(inner);
            state.schema("/components/schemas/TestNotification")
        }
        "ExpiryNotification" => state.schema(EXPIRY),
        _ => None,
    };
    let judged = match named {
        Some(schema) => letters::obeys(&schema, &inner),
        None => letters::obeys_any(&letters::schemas(context, asking.api, asking.operation), &body),
    };
    judged
        .and_then(|()| letters::names_subscription(&inner, &made.path))
        .map_err(|failure| failure.of(WEBSOCKET.id).stop())
}

/// The JSON of a message: all of it, or what stands behind header lines and an empty one, as 3GPP's framing of HTTP
/// messages has it.
fn content(bytes: &[u8]) -> Option<Value> {
    if let Ok(body) = serde_json::from_slice(bytes) {
        return Some(body);
    }
    let at = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    serde_json::from_slice(&bytes[at + 4..]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_json_alone_or_behind_header_lines() {
        let body = json!({"notificationType": "TestNotification"});
        assert_eq!(content(body.to_string().as_bytes()), Some(body.clone()));
        let mut framed = b"3GPP-WS-Notif-Seq: \0\0\0\x01\r\nContent-Type: application/json\r\n\r\n".to_vec();
        framed.extend(body.to_string().bytes());
        assert_eq!(content(&framed), Some(body));
        assert_eq!(content(b"hello"), None);
        assert_eq!(content(b"\r\n\r\n"), None);
    }

    #[test]
    fn who_can_be_blamed_is_blamed() {
        let tls = Fault::Tls {
            address: String::new(),
            reason: String::new(),
            advice: "",
        };
        let faults = [
            (SocketFault::Connection(tls), false),
            (SocketFault::Refused(401), false),
            (SocketFault::Refused(404), true),
            (SocketFault::Connection(Fault::Closed), true),
            (SocketFault::Address(String::new()), true),
            (SocketFault::Timeout, true),
        ];
        for (fault, blamed) in faults {
            let stop = unopened(Duration::ZERO, "wss://mep.example/", fault.clone());
            assert_eq!(matches!(stop, Stop::Fail(_)), blamed, "{fault:?}: {stop:?}");
        }
    }

    #[test]
    fn hosts_are_those_of_websockets() {
        assert_eq!(host("wss://[::1]:8/a"), Some("::1".to_owned()));
        assert_eq!(host("WS://mep.example"), Some("mep.example".to_owned()));
        assert_eq!(host("http://mep.example"), None);
        assert_eq!(host("/ws/1"), None);
        assert_eq!(host_of_target("https://[::1]:8"), "::1");
    }
}
