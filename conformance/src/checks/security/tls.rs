//! TLS: no version that is forbidden.

use std::sync::Arc;

use mecforge_report::Severity;
use mecforge_transport::TlsVersions;

use crate::suite::{Check, Context, Failure, Group, Outcome, Plan, Source, Stop, Suite};

static VERSIONS: Check = Check {
    id: "tls-is-not-outdated",
    group: Group::Security,
    title: "TLS 1.0 and 1.1 are refused",
    severity: Severity::Error,
    explanation: "A handshake of each version is begun. Which certificates are trusted does not matter here.",
    sources: &[
        Source::Rfc(8996, "4"),
        Source::Rfc(8996, "5"),
        Source::Etsi("ETSI GS MEC 009", "7.1"),
    ],
};

pub(super) static CHECKS: &[&Check] = &[&VERSIONS];

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    if api != 0 {
        return;
    }
    if !suite.target.starts_with("https://") {
        plan.not_applicable(&VERSIONS, api, None, "the target is http://");
        return;
    }
    plan.add(suite, &VERSIONS, api, None, "versions", move |context| {
        Box::pin(async move { versions(context).await })
    })
    .read_only = true;
}

async fn versions(context: &mut Context) -> Outcome {
    let suite = Arc::clone(&context.suite);
    match suite.clients.main.tls_versions().await {
        Err(fault) => Err(Stop::Inconclusive(fault.to_string())),
        Ok(versions) => outdated(versions).map_or(Ok(()), |failure| Err(failure.stop())),
    }
}

fn outdated(versions: TlsVersions) -> Option<Failure> {
    let forbidden: Vec<_> = [(versions.tls10, "1.0"), (versions.tls11, "1.1")]
        .into_iter()
        .filter_map(|(taken, name)| taken.then_some(name))
        .collect();
    (!forbidden.is_empty()).then(|| {
        let names = forbidden.join(" and ");
        Failure::new(
            "a forbidden version of TLS is accepted",
            "TLS 1.2 or 1.3 alone",
            format!("TLS {names} accepted"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_forbidden_versions_are_a_breach() {
        let mut versions = TlsVersions {
            tls10: false,
            tls11: false,
            tls12: true,
            tls13: false,
        };
        assert!(outdated(versions).is_none());
        versions.tls11 = true;
        assert_eq!(
            outdated(versions).map(|failure| failure.actual).as_deref(),
            Some("TLS 1.1 accepted")
        );
    }
}
