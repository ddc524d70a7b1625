//! Text that is changed on its way, internals that are betrayed, and requests that could be forged.

use serde_json::{Value, json};

use crate::behaviour::{Handler, accepts, after, every, handler, request_bodies};
use crate::context::Context;
use crate::fault::{Class, Fault, fault};
use crate::message::{Answer, Request};
use crate::place::{MANAGEMENT, Place, scopes};
use crate::upstream::NoAnswer;

pub(super) fn faults() -> Vec<Fault> {
    let mut faults = text();
    faults.extend(betrayal());
    faults
}

/// Changes every string of a request but those that the platform checks.
fn strings(change: fn(&str) -> String) -> Handler {
    request_bodies(scopes::SERVICE_WRITES, move |body| {
        for name in ["/serName", "/version", "/serCategory/name"] {
            if let Some(Value::String(text)) = body.pointer_mut(name) {
                *text = change(text);
            }
        }
    })
}

fn text() -> Vec<Fault> {
    let fault = |id, what, handler: Handler| {
        fault(
            Class::Security,
            id,
            "8.1.2.2",
            "POST, PUT services",
            what,
            handler,
        )
    };
    vec![
        fault(
            "security/trims",
            "Blanks at the ends of names are cut off",
            strings(|text| text.trim().to_owned()),
        ),
        fault(
            "security/escapes-html",
            "Names are escaped for HTML when they are kept",
            strings(|text| {
                text.replace('&', "&amp;")
                    .replace('<', "&lt;")
                    .replace('>', "&gt;")
                    .replace('"', "&quot;")
            }),
        ),
        fault(
            "security/doubles-quotes",
            "Quotes in names are doubled, as for SQL",
            strings(|text| text.replace('\'', "''")),
        ),
        fault(
            "security/cuts-at-nul",
            "Names end at their first NUL",
            strings(|text| text.split('\0').next().unwrap_or_default().to_owned()),
        ),
        fault(
            "security/lower-case",
            "Names are kept in lower case",
            strings(str::to_lowercase),
        ),
        fault(
            "security/only-ascii",
            "Characters beyond ASCII become question marks",
            strings(|text| {
                text.chars()
                    .map(|each| if each.is_ascii() { each } else { '?' })
                    .collect()
            }),
        ),
        fault(
            "security/composes",
            "Letters with combining accents are composed",
            strings(|text| {
                text.replace("e\u{301}", "\u{e9}")
                    .replace("a\u{308}", "\u{e4}")
                    .replace("o\u{308}", "\u{f6}")
                    .replace("u\u{308}", "\u{fc}")
                    .replace("A\u{30a}", "\u{c5}")
            }),
        ),
        fault(
            "security/basic-plane-only",
            "Characters beyond the basic plane are lost",
            strings(|text| text.chars().filter(|each| u32::from(*each) <= 0xFFFF).collect()),
        ),
        fault(
            "security/cut-at-255",
            "Names are cut after 255 characters",
            strings(|text| text.chars().take(255).collect()),
        ),
        fault(
            "security/control-characters-lost",
            "Control characters in names are lost",
            strings(|text| text.chars().filter(|each| !each.is_control()).collect()),
        ),
        fault(
            "security/expands-templates",
            "Templates in names are evaluated: ${7*7} becomes 49",
            strings(|text| {
                text.replace("${7*7}", "49")
                    .replace("{{7*7}}", "49")
                    .replace("#{7*7}", "49")
            }),
        ),
        fault(
            "security/500-on-quote",
            "A quote in a name is 500, as where SQL is put together from text",
            handler(|request: Request, context: Context| async move {
                let body = request.json().filter(|_| request.is_in(scopes::SERVICE_WRITES));
                if body.is_some_and(|body| body["serName"].as_str().is_some_and(|name| name.contains('\''))) {
                    return Ok(Answer::problem(
                        500,
                        &request,
                        "unterminated quoted string at or near \"'\"",
                    ));
                }
                context.pass(request).await
            }),
        ),
    ]
}

fn betrayal() -> Vec<Fault> {
    let fault = |id, clause, operations, what, handler: Handler| {
        fault(Class::Security, id, clause, operations, what, handler)
    };
    let detail = |text: &'static str| {
        every(move |answer, request, _| {
            if answer.status() >= 400
                && request.method() != "HEAD"
                && let Some(mut body) = answer.json()
            {
                body["detail"] = json!(text);
                answer.set_json(&body);
            }
        })
    };
    vec![
        fault(
            "security/stack-trace",
            "CWE-209",
            "all",
            "Errors tell a stack trace",
            detail(
                "java.lang.NullPointerException: null\n\tat org.mep.ServiceController.create(ServiceController.java:118)\n\tat java.base/java.lang.Thread.run(Thread.java:829)",
            ),
        ),
        fault(
            "security/panic-message",
            "CWE-209",
            "all",
            "Errors tell the place in the source and the goroutine",
            detail(
                "runtime error: invalid memory address or nil pointer dereference\ngoroutine 53 [running]:\nmain.(*Server).create(0xc000196000)\n\t/go/src/mep/server.go:118 +0x1f",
            ),
        ),
        fault(
            "security/sql-in-error",
            "CWE-209",
            "all",
            "Errors tell the database's words",
            detail("pq: syntax error at or near \"WHERE\" in SELECT * FROM services WHERE id = $1"),
        ),
        fault(
            "security/path-in-error",
            "CWE-209",
            "all",
            "Errors tell paths of the machine",
            detail("open /var/lib/mep/data/services.db: permission denied"),
        ),
        fault(
            "security/server-version",
            "CWE-200",
            "all",
            "Server tells product and exact versions",
            every(|answer, _, _| {
                answer.set_header("server", "Apache-Coyote/1.1 (Ubuntu) OpenSSL/1.0.2g PHP/5.6.40")
            }),
        ),
        fault(
            "security/cors-any-with-credentials",
            "CWE-942",
            "all",
            "Every origin may read answers, with credentials",
            every(|answer, request, _| {
                let origin = request.header("origin").unwrap_or("*").to_owned();
                answer.set_header("access-control-allow-origin", &origin);
                answer.set_header("access-control-allow-credentials", "true");
            }),
        ),
        fault(
            "security/mass-assignment-serInstanceId",
            "8.1.2.2",
            "POST services",
            "A serInstanceId that the client chooses is shown as the service's",
            handler(assigned),
        ),
        fault(
            "security/mass-assignment-links",
            "8.1.2.2",
            "POST, PUT services",
            "_links that the client sends are shown as the service's",
            after(scopes::SERVICE_WRITES, |answer, request, _| {
                let links = request.json().and_then(|body| body.get("_links").cloned());
                if let (true, Some(links), Some(mut body)) = (answer.is_success(), links, answer.json()) {
                    body["_links"] = links;
                    answer.set_json(&body);
                }
            }),
        ),
        fault(
            "security/callback-to-metadata",
            "CWE-918",
            "POST subscriptions",
            "Callbacks may lead to the addresses at which clouds hand out credentials",
            accepts(scopes::SUBSCRIBE, |body, _| {
                if body["callbackReference"].as_str().is_some_and(|address| {
                    address.contains("169.254.")
                        || address.contains("100.100.100.200")
                        || address.contains("fd00:ec2")
                }) {
                    body["callbackReference"] = json!("http://127.0.0.1:9/");
                }
            }),
        ),
        fault(
            "security/callback-other-scheme",
            "CWE-918",
            "POST subscriptions",
            "Callbacks may have schemes such as file and gopher",
            accepts(scopes::SUBSCRIBE, |body, _| {
                let http = |address: &str| address.starts_with("http://") || address.starts_with("https://");
                if body["callbackReference"]
                    .as_str()
                    .is_some_and(|address| address.contains("://") && !http(address))
                {
                    body["callbackReference"] = json!("http://127.0.0.1:9/");
                }
            }),
        ),
        fault(
            "security/existence-betrayed",
            "CWE-204",
            "GET own service",
            "Another application's service is 403, one that does not exist 404",
            handler(betrayed),
        ),
        fault(
            "security/trace-echoes",
            "RFC 9110 9.3.8",
            "all",
            "TRACE echoes the request with its credentials",
            handler(|request: Request, context| async move {
                if request.method() == "TRACE" {
                    let mut text = format!("TRACE {} HTTP/1.1\r\n", request.path());
                    for (name, value) in &request.parts.headers {
                        text += &format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes()));
                    }
                    let mut answer = Answer::empty(200);
                    answer.set_header("content-type", "message/http");
                    answer.set_body(text.into());
                    return Ok(answer);
                }
                context.pass(request).await
            }),
        ),
        fault(
            "security/echoes-input-as-html",
            "CWE-79",
            "GET lists of services",
            "A wrong parameter comes back in a page of HTML",
            after(scopes::SERVICE_LISTS, |answer, request, _| {
                if answer.status() == 400 {
                    let (name, value) = request.query().into_iter().next().unwrap_or_default();
                    answer.set_header("content-type", "text/html");
                    answer.set_body(format!("<html>unknown parameter {name}={value}</html>").into());
                }
            }),
        ),
    ]
}

async fn assigned(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let wanted = request.json().and_then(|body| body.get("serInstanceId").cloned());
    let mut answer = context.pass(request.clone()).await?;
    if let (true, Some(wanted), Some(mut body)) = (
        request.is_in(scopes::NEW_SERVICE) && answer.is_success(),
        wanted,
        answer.json(),
    ) {
        if let Some(place) = answer.location_path() {
            context.remember(&format!("assigned {place}"), wanted.clone());
        }
        body["serInstanceId"] = wanted;
        answer.set_json(&body);
    } else if let (true, Some(wanted)) = (
        answer.is_success(),
        context.recall(&format!("assigned {}", request.path())),
    ) {
        answer.each_resource(|service| service["serInstanceId"] = wanted.clone());
    }
    Ok(answer)
}

async fn betrayed(request: Request, context: Context) -> Result<Answer, NoAnswer> {
    let answer = context.pass(request.clone()).await?;
    if answer.status() == 404 && request.is("GET", Place::OwnService) {
        let public = format!("{MANAGEMENT}/services/{}", request.target.id);
        if context.read(&public, &request).await.is_some() {
            return Ok(Answer::problem(
                403,
                &request,
                "the service belongs to somebody else",
            ));
        }
    }
    Ok(answer)
}
