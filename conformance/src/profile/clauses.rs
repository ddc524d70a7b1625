//! The clauses in which a standard describes an operation, where its document does not name them.

/// A document's id, a path template, and the clause of the resource. The clauses of its methods follow ETSI's pattern for
/// all RESTful MEC APIs: `.3.1` GET, `.3.2` PUT, `.3.3` PATCH, `.3.4` POST, `.3.5` DELETE.
const RESOURCES: &[(&str, &str, &str)] = &[
    (
        "mec011-app-support",
        "/applications/{appInstanceId}/subscriptions",
        "7.2.3",
    ),
    (
        "mec011-app-support",
        "/applications/{appInstanceId}/subscriptions/{subscriptionId}",
        "7.2.4",
    ),
    ("mec011-app-support", "/timing/timing_caps", "7.2.5"),
    ("mec011-app-support", "/timing/current_time", "7.2.6"),
    (
        "mec011-app-support",
        "/applications/{appInstanceId}/traffic_rules",
        "7.2.7",
    ),
    (
        "mec011-app-support",
        "/applications/{appInstanceId}/traffic_rules/{trafficRuleId}",
        "7.2.8",
    ),
    (
        "mec011-app-support",
        "/applications/{appInstanceId}/dns_rules",
        "7.2.9",
    ),
    (
        "mec011-app-support",
        "/applications/{appInstanceId}/dns_rules/{dnsRuleId}",
        "7.2.10",
    ),
    (
        "mec011-app-support",
        "/applications/{appInstanceId}/confirm_termination",
        "7.2.11",
    ),
    (
        "mec011-app-support",
        "/applications/{appInstanceId}/confirm_ready",
        "7.2.12",
    ),
    ("mec011-app-support", "/registrations", "7.2.13"),
    ("mec011-app-support", "/registrations/{appInstanceId}", "7.2.14"),
    ("mec011-service-management", "/services", "8.2.3"),
    ("mec011-service-management", "/services/{serviceId}", "8.2.4"),
    ("mec011-service-management", "/transports", "8.2.5"),
    (
        "mec011-service-management",
        "/applications/{appInstanceId}/services",
        "8.2.6",
    ),
    (
        "mec011-service-management",
        "/applications/{appInstanceId}/services/{serviceId}",
        "8.2.7",
    ),
    (
        "mec011-service-management",
        "/applications/{appInstanceId}/subscriptions",
        "8.2.8",
    ),
    (
        "mec011-service-management",
        "/applications/{appInstanceId}/subscriptions/{subscriptionId}",
        "8.2.9",
    ),
    (
        "mec011-service-management",
        "/applications/{appInstanceId}/services/{serviceId}/liveness",
        "8.2.10",
    ),
];

/// The clause of an operation of a document, for example `8.2.6.3.4`; none where it is not known here.
pub fn clause(document: &str, method: &str, path: &str) -> Option<String> {
    let (_, _, resource) = RESOURCES
        .iter()
        .find(|(id, template, _)| *id == document && *template == path)?;
    let number = match method {
        "GET" => 1,
        "PUT" => 2,
        "PATCH" => 3,
        "POST" => 4,
        "DELETE" => 5,
        _ => return None,
    };
    Some(format!("{resource}.3.{number}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)] // a test may panic
mod tests {
    use super::RESOURCES;
    use crate::profile;

    #[test]
    fn every_resource_of_mec011_has_a_clause() {
        for (api, _) in profile::find("mec011-v3.1.1").unwrap() {
            for resource in &api.resources {
                let text = resource.path.text();
                let known = RESOURCES
                    .iter()
                    .any(|(id, template, _)| *id == api.id && *template == text);
                assert!(known, "{text}");
            }
        }
    }
}
