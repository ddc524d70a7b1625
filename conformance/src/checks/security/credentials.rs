//! Who may ask: nobody without credentials, nobody with credentials that are forged, expired or meant for another.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mecforge_report::Severity;
use serde_json::json;

use crate::suite::{
    Call, Check, Context, Exchange, Failure, Group, Identity, Intent, Outcome, Plan, Role, Source, Stop,
    Suite,
};

const MEC_009: Source = Source::Etsi("ETSI GS MEC 009", "7.1");

static ANONYMOUS: Check = Check {
    id: "anonymous-requests-are-refused",
    group: Group::Security,
    title: "a request without credentials is refused where the operator gave credentials",
    severity: Severity::Error,
    explanation: "Each operation that changes something, and each that reads what belongs to an application, is asked for without credentials; the same with credentials shows that these are what was missing. Judged only where the operator gave credentials, for ETSI's APIs and where the document demands them. 401, 403 and 404 are right.",
    sources: &[
        MEC_009,
        Source::Rfc(6750, "3"),
        Source::Practice("OWASP API Security Top 10 2023, API2"),
    ],
};

static READS: Check = Check {
    id: "open-resources-are-meant",
    group: Group::Security,
    title: "what no standard or document says to be open is refused without credentials",
    severity: Severity::Warning,
    explanation: "What belongs to no application of ETSI's, and what a document says nothing of, is answered without credentials. A platform may publish it; it should be meant.",
    sources: &[MEC_009],
};

static ASKS: Check = Check {
    id: "credentials-are-asked-for",
    group: Group::Security,
    title: "a platform that others can reach asks for credentials",
    severity: Severity::Warning,
    explanation: "The run has no credentials, and a request is answered with success. On an address of this machine alone that is not reported.",
    sources: &[MEC_009],
};

static FORGED: Check = Check {
    id: "forged-tokens-are-refused",
    group: Group::Security,
    title: "a token that nobody issued is refused",
    severity: Severity::Error,
    explanation: "Tokens of rubbish, tokens without signature (alg: none) with the claims of the right one, and the right one with another signature. Judged where the right one is accepted and no token is refused.",
    sources: &[MEC_009, Source::Rfc(6750, "3.1"), Source::Rfc(8725, "3.1")],
};

static EXPIRED: Check = Check {
    id: "expired-tokens-are-refused",
    group: Group::Security,
    title: "a token that has expired is refused",
    severity: Severity::Error,
    explanation: "The operator gives one in the fixtures: expired_token or expired_token_env.",
    sources: &[MEC_009, Source::Rfc(6750, "3.1"), Source::Rfc(7519, "4.1.4")],
};

static FOREIGN: Check = Check {
    id: "tokens-for-others-are-refused",
    group: Group::Security,
    title: "a token that was issued for another audience is refused",
    severity: Severity::Error,
    explanation: "The operator gives one in the fixtures: foreign_audience_token or foreign_audience_token_env.",
    sources: &[MEC_009, Source::Rfc(6750, "5.2"), Source::Rfc(7519, "4.1.3")],
};

pub(super) static CHECKS: &[&Check] = &[&ANONYMOUS, &READS, &ASKS, &FORGED, &EXPIRED, &FOREIGN];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let state = &suite.apis[api];
    let Some(first) = state
        .api
        .operations
        .iter()
        .find(|operation| operation.method == "GET")
    else {
        return;
    };
    let first = first.index;
    if !suite.clients.credentials {
        let reason = "the run has no credentials; give --token, OAuth or [[identity]] of --fixtures if the platform asks for them";
        for check in [&ANONYMOUS, &FORGED, &EXPIRED, &FOREIGN] {
            plan.not_applicable(check, api, None, reason);
        }
        match is_loopback(&suite.target) {
            true => plan.not_applicable(
                &ASKS,
                api,
                Some(first),
                "the platform listens on an address of this machine alone",
            ),
            false => {
                plan.add(suite, &ASKS, api, Some(first), "asks", move |context| {
                    Box::pin(async move { asks(context, api, first).await })
                });
            }
        }
        return;
    }
    for operation in &state.api.operations {
        let index = operation.index;
        plan.add(suite, &ANONYMOUS, api, Some(index), "anonymous", move |context| {
            Box::pin(async move { anonymous(context, api, index).await })
        });
    }
    if !suite.clients.authorizes {
        let reason = "the run's credentials are no token in Authorization";
        for check in [&FORGED, &EXPIRED, &FOREIGN] {
            plan.not_applicable(check, api, None, reason);
        }
        return;
    }
    plan.add(suite, &FORGED, api, None, "forged", move |context| {
        Box::pin(async move { forged(context, api).await })
    })
    .read_only = true;
    let fixtures = &suite.fixtures;
    for (check, token, name) in [
        (&EXPIRED, fixtures.expired_token(), "expired_token"),
        (
            &FOREIGN,
            fixtures.foreign_audience_token(),
            "foreign_audience_token",
        ),
    ] {
        let Some(token) = token else {
            let reason = format!("a token is needed; give {name} or {name}_env in --fixtures");
            plan.inconclusive(check, api, None, &reason);
            continue;
        };
        plan.add(suite, check, api, None, name, move |context| {
            let tokens = vec![(check.title, format!("Bearer {token}"))];
            Box::pin(async move { refused(context, api, tokens).await })
        })
        .read_only = true;
    }
}

/// Whether an address leads to this machine alone.
fn is_loopback(target: &str) -> bool {
    let host = target.split_once("://").map_or(target, |(_, rest)| rest);
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    host == "localhost"
        || host
            .parse()
            .is_ok_and(|address: std::net::IpAddr| address.is_loopback())
}

async fn asks(context: &mut Context, api: usize, get: usize) -> Outcome {
    let values = context.values(api, get).await?;
    let exchange = context.send(context.call(api, get, &values)).await?;
    if exchange.is_success() {
        return Err(Failure::new(
            "anybody who reaches the platform may use it",
            "401",
            exchange.summary(),
        )
        .stop());
    }
    Ok(())
}

/// The operation without credentials, and with them where only that tells what the refusal means.
async fn anonymous(context: &mut Context, api: usize, operation: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let declared = &suite.apis[api].api.operations[operation];
    let secured = secured(&suite.apis[api].api, declared);
    if secured == Some(false) {
        return Err(Stop::NotApplicable(
            "the document says that it needs no credentials".to_owned(),
        ));
    }
    let values = context.values(api, operation).await?;
    let mut call = context.call(api, operation, &values).intent(Intent::Odd);
    if declared.json_body().is_some() {
        call = call.json(context.body(api, operation, &values)?);
    }
    let nobody = context.send(call.clone().identity(Identity::Nobody)).await?;
    if nobody.is_success() {
        let owned = !declared.is_safe() || declared.path.parameters().any(|name| name == "appInstanceId");
        let demanded = secured == Some(true) || (owned && suite.apis[api].knowledge.is_of_etsi());
        let title = format!(
            "{} without credentials is answered {}",
            declared.method,
            nobody.status()
        );
        let failure = Failure::new(
            title,
            "401, as with every request that has no credentials",
            nobody.summary(),
        );
        let failure = failure.shown_by(&nobody.call);
        return Err(if demanded { failure } else { failure.of(READS.id) }.stop());
    }
    if !declared.is_safe() {
        // Nothing may have come of it all the same.
        return Ok(());
    }
    let main = context.send(call.role(Role::Control)).await?;
    match main.is_success() {
        true => Ok(()),
        false => Err(Stop::Inconclusive(format!(
            "with credentials it is answered {} too; give credentials that are good for it",
            main.status()
        ))),
    }
}

/// Whether the document demands credentials for an operation; none where it says nothing.
fn secured(api: &mecforge_api::Api, operation: &mecforge_api::Operation) -> Option<bool> {
    let own = api.node(&operation.pointer).and_then(|node| node.get("security"));
    let all = own.or_else(|| api.document.get("security"))?.as_array()?;
    let open = all
        .iter()
        .any(|one| one.as_object().is_some_and(serde_json::Map::is_empty));
    Some(!all.is_empty() && !open)
}

/// A request that is accepted with credentials and refused without.
async fn guarded(context: &mut Context, api: usize) -> Result<Call, Stop> {
    let suite = Arc::clone(&context.suite);
    for operation in suite.apis[api]
        .api
        .operations
        .iter()
        .filter(|operation| operation.method == "GET")
    {
        let Ok(values) = context.values(api, operation.index).await else {
            continue;
        };
        let call = context
            .call(api, operation.index, &values)
            .intent(Intent::Odd)
            .role(Role::Control);
        if !context.send(call.clone()).await?.is_success() {
            continue;
        }
        let nobody = context.send(call.clone().identity(Identity::Nobody)).await?;
        if matches!(nobody.status(), 401 | 403 | 404) {
            return Ok(call.role(Role::Judged));
        }
    }
    Err(Stop::NotApplicable(
        "nothing is accepted with the credentials and refused without them, so that no token is judged by the platform"
            .to_owned(),
    ))
}

/// Sends each value of Authorization; all must be refused.
async fn refused(context: &mut Context, api: usize, tokens: Vec<(&'static str, String)>) -> Outcome {
    let call = guarded(context, api).await?;
    for (what, value) in tokens {
        let exchange: Exchange = context.send(call.clone().header("Authorization", value)).await?;
        if exchange.is_success() {
            let title = match what.split_once(" is refused") {
                Some((what, _)) => format!("{what} is accepted"),
                None => format!("{what} is accepted"),
            };
            let failure = Failure::new(title, "401 with error=\"invalid_token\"", exchange.summary());
            context.report(failure.shown_by(&exchange.call));
        }
    }
    Ok(())
}

async fn forged(context: &mut Context, api: usize) -> Outcome {
    let suite = Arc::clone(&context.suite);
    let request = mecforge_transport::Request::new("GET", "/");
    let own = suite.clients.main.authorization(&request).await;
    let bearer = own
        .as_ref()
        .and_then(|value| value.expose().strip_prefix("Bearer ").map(str::to_owned));
    let mut tokens = vec![
        ("a token of rubbish", "Bearer mec-conformance-no-token".to_owned()),
        ("an empty token", "Bearer".to_owned()),
        (
            "a name and a password that nobody has",
            "Basic bWVjOmNvbmZvcm1hbmNl".to_owned(),
        ),
    ];
    for algorithm in ["none", "None", "NONE"] {
        let unsigned = unsigned(bearer.as_deref(), algorithm);
        tokens.push(("a token without signature", format!("Bearer {unsigned}")));
    }
    if let Some(changed) = bearer.as_deref().and_then(changed) {
        suite.clients.main.masker().add_secret(&changed);
        tokens.push((
            "the right token with another signature",
            format!("Bearer {changed}"),
        ));
    }
    for (what, other) in bearer.as_deref().map(resized).unwrap_or_default() {
        suite.clients.main.masker().add_secret(&other);
        tokens.push((what, format!("Bearer {other}")));
    }
    refused(context, api, tokens).await
}

/// The token with more letters, and with fewer: a comparison of beginnings takes them.
fn resized(token: &str) -> Vec<(&'static str, String)> {
    let mut all = vec![("the right token with letters after it", format!("{token}mec"))];
    let fewer = token.len().saturating_sub(4);
    if fewer > 11 && token.is_char_boundary(fewer) {
        all.push(("the beginning of the right token", token[..fewer].to_owned()));
    }
    all
}

/// A JWT without signature: with the claims of the right one, or, if that is none, such as a platform might like.
fn unsigned(bearer: Option<&str>, algorithm: &str) -> String {
    let header = URL_SAFE_NO_PAD.encode(json!({"alg": algorithm, "typ": "JWT"}).to_string());
    let parts: Vec<_> = bearer.map(|token| token.split('.').collect()).unwrap_or_default();
    let claims = match parts.as_slice() {
        [_, claims, _] => (*claims).to_owned(),
        _ => URL_SAFE_NO_PAD.encode(
            json!({"sub": "mec-conformance", "iss": "mec-conformance", "exp": 4_102_444_800_u64}).to_string(),
        ),
    };
    format!("{header}.{claims}.")
}

/// The token with another character in the middle of its last part; the last character's bits may not all count.
fn changed(token: &str) -> Option<String> {
    let start = token.rfind('.').map_or(0, |at| at + 1);
    let at = start + (token.len() - start) / 2;
    let old = token
        .as_bytes()
        .get(at)
        .filter(|byte| byte.is_ascii_alphanumeric())?;
    let new = if *old == b'A' { 'B' } else { 'A' };
    Some(format!("{}{new}{}", &token[..at], &token[at + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_told_from_others() {
        for address in [
            "http://127.0.0.1:80",
            "http://localhost",
            "https://[::1]:8443",
            "http://127.9.9.9",
        ] {
            assert!(is_loopback(address), "{address}");
        }
        for address in [
            "http://192.0.2.1",
            "https://mep.example:8443",
            "http://[2001:db8::1]:80",
        ] {
            assert!(!is_loopback(address), "{address}");
        }
    }

    #[test]
    fn forged_tokens_differ_from_the_right_one() {
        assert_eq!(
            unsigned(Some("head.claims.sign"), "none"),
            "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.claims."
        );
        assert_eq!(changed("a.b.xyz").as_deref(), Some("a.b.xAz"));
        assert_eq!(changed("opaque").as_deref(), Some("opaAue"));
        let resized: Vec<_> = resized("a-very-long-token")
            .into_iter()
            .map(|(_, token)| token)
            .collect();
        assert_eq!(resized, ["a-very-long-tokenmec", "a-very-long-t"]);
    }
}
