//! The resources of MEC 011 and how a path names one of them.

use percent_encoding::percent_decode_str;

/// Where the service management API is.
pub(crate) const MANAGEMENT: &str = "/mec_service_mgmt/v1";
/// Where the application support API is.
pub(crate) const SUPPORT: &str = "/mec_app_support/v1";

/// A kind of resource of MEC 011.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Place {
    /// `/services`.
    Services,
    /// `/services/{serviceId}`.
    Service,
    /// `/transports`.
    Transports,
    /// `/applications/{appInstanceId}/services`.
    OwnServices,
    /// `/applications/{appInstanceId}/services/{serviceId}`.
    OwnService,
    /// `/applications/{appInstanceId}/services/{serviceId}/liveness`.
    Liveness,
    /// `/applications/{appInstanceId}/subscriptions` of service management.
    Subscriptions,
    /// One of [`Place::Subscriptions`].
    Subscription,
    /// `/applications/{appInstanceId}/subscriptions` of application support.
    EndSubscriptions,
    /// One of [`Place::EndSubscriptions`].
    EndSubscription,
    /// `/applications/{appInstanceId}/traffic_rules`.
    TrafficRules,
    /// One of [`Place::TrafficRules`].
    TrafficRule,
    /// `/applications/{appInstanceId}/dns_rules`.
    DnsRules,
    /// One of [`Place::DnsRules`].
    DnsRule,
    /// `/applications/{appInstanceId}/confirm_ready`.
    ConfirmReady,
    /// `/applications/{appInstanceId}/confirm_termination`.
    ConfirmTermination,
    /// `/registrations`.
    Registrations,
    /// `/registrations/{appInstanceId}`.
    Registration,
    /// `/timing/current_time`.
    CurrentTime,
    /// `/timing/timing_caps`.
    TimingCaps,
    /// Anything else.
    Other,
}

/// Methods at places: to which requests a fault applies.
pub(crate) type Scope = &'static [(&'static str, Place)];

/// What a path names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    /// The kind of resource.
    pub(crate) place: Place,
    /// The application instance in the path, decoded; empty where there is none.
    pub(crate) application: String,
    /// The last identifier in the path, decoded; empty where there is none.
    pub(crate) id: String,
}

impl Target {
    /// Reads a path, percent-encoded and without a query.
    pub(crate) fn of(path: &str) -> Self {
        let parse = |base: &str, read: fn(&[&str]) -> Place| {
            let rest = path.strip_prefix(base)?.strip_prefix('/')?;
            let parts: Vec<&str> = rest.split('/').collect();
            let place = read(&parts);
            let application = parts
                .get(1)
                .filter(|_| parts[0] == "applications" || parts[0] == "registrations");
            let id = match parts.as_slice() {
                ["services" | "registrations", id] => *id,
                ["applications", _, _, id, ..] => *id,
                _ => "",
            };
            Some(Self {
                place,
                application: decode(application.copied().unwrap_or_default()),
                id: decode(id),
            })
        };
        parse(MANAGEMENT, management)
            .or_else(|| parse(SUPPORT, support))
            .unwrap_or(Self {
                place: Place::Other,
                application: String::new(),
                id: String::new(),
            })
    }

    /// Whether a method at this target is within a scope.
    pub(crate) fn is_in(&self, method: &str, scope: Scope) -> bool {
        scope.contains(&(method, self.place))
    }
}

fn decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

fn management(parts: &[&str]) -> Place {
    match parts {
        ["services"] => Place::Services,
        ["services", _] => Place::Service,
        ["transports"] => Place::Transports,
        ["applications", _, "services"] => Place::OwnServices,
        ["applications", _, "services", _] => Place::OwnService,
        ["applications", _, "services", _, "liveness"] => Place::Liveness,
        ["applications", _, "subscriptions"] => Place::Subscriptions,
        ["applications", _, "subscriptions", _] => Place::Subscription,
        _ => Place::Other,
    }
}

fn support(parts: &[&str]) -> Place {
    match parts {
        ["applications", _, "subscriptions"] => Place::EndSubscriptions,
        ["applications", _, "subscriptions", _] => Place::EndSubscription,
        ["applications", _, "traffic_rules"] => Place::TrafficRules,
        ["applications", _, "traffic_rules", _] => Place::TrafficRule,
        ["applications", _, "dns_rules"] => Place::DnsRules,
        ["applications", _, "dns_rules", _] => Place::DnsRule,
        ["applications", _, "confirm_ready"] => Place::ConfirmReady,
        ["applications", _, "confirm_termination"] => Place::ConfirmTermination,
        ["registrations"] => Place::Registrations,
        ["registrations", _] => Place::Registration,
        ["timing", "current_time"] => Place::CurrentTime,
        ["timing", "timing_caps"] => Place::TimingCaps,
        _ => Place::Other,
    }
}

/// Scopes that many faults share.
pub(crate) mod scopes {
    use super::{Place, Scope};

    /// Reading lists of services.
    pub(crate) const SERVICE_LISTS: Scope = &[("GET", Place::Services), ("GET", Place::OwnServices)];
    /// Reading one service.
    pub(crate) const ONE_SERVICE: Scope = &[("GET", Place::Service), ("GET", Place::OwnService)];
    /// Reading services, lists or single ones.
    pub(crate) const SERVICE_READS: Scope = &[
        ("GET", Place::Services),
        ("GET", Place::OwnServices),
        ("GET", Place::Service),
        ("GET", Place::OwnService),
    ];
    /// Registering a service.
    pub(crate) const NEW_SERVICE: Scope = &[("POST", Place::OwnServices)];
    /// Replacing a service.
    pub(crate) const PUT_SERVICE: Scope = &[("PUT", Place::OwnService)];
    /// Registering and replacing services.
    pub(crate) const SERVICE_WRITES: Scope = &[("POST", Place::OwnServices), ("PUT", Place::OwnService)];
    /// Subscribing, in both APIs.
    pub(crate) const SUBSCRIBE: Scope = &[("POST", Place::Subscriptions), ("POST", Place::EndSubscriptions)];
    /// Reading one subscription, in both APIs.
    pub(crate) const ONE_SUBSCRIPTION: Scope =
        &[("GET", Place::Subscription), ("GET", Place::EndSubscription)];
    /// Reading lists of subscriptions, in both APIs.
    pub(crate) const SUBSCRIPTION_LISTS: Scope =
        &[("GET", Place::Subscriptions), ("GET", Place::EndSubscriptions)];
    /// Unsubscribing, in both APIs.
    pub(crate) const UNSUBSCRIBE: Scope = &[
        ("DELETE", Place::Subscription),
        ("DELETE", Place::EndSubscription),
    ];
    /// Everything that makes a resource.
    pub(crate) const CREATIONS: Scope = &[
        ("POST", Place::OwnServices),
        ("POST", Place::Subscriptions),
        ("POST", Place::EndSubscriptions),
        ("POST", Place::Registrations),
    ];
    /// Everything that replaces a resource.
    pub(crate) const REPLACEMENTS: Scope = &[
        ("PUT", Place::OwnService),
        ("PUT", Place::DnsRule),
        ("PUT", Place::TrafficRule),
        ("PUT", Place::Registration),
    ];
    /// Replacing rules of both kinds.
    pub(crate) const PUT_RULE: Scope = &[("PUT", Place::DnsRule), ("PUT", Place::TrafficRule)];
    /// Everything that removes a resource.
    pub(crate) const REMOVALS: Scope = &[
        ("DELETE", Place::OwnService),
        ("DELETE", Place::Subscription),
        ("DELETE", Place::EndSubscription),
        ("DELETE", Place::Registration),
    ];
    /// Reading single resources that can be changed or removed.
    pub(crate) const ITEMS: Scope = &[
        ("GET", Place::Service),
        ("GET", Place::OwnService),
        ("GET", Place::Subscription),
        ("GET", Place::EndSubscription),
        ("GET", Place::DnsRule),
        ("GET", Place::TrafficRule),
        ("GET", Place::Registration),
    ];
}

#[cfg(test)]
mod tests {
    use super::{Place, Target};

    #[track_caller]
    fn check(path: &str, place: Place, application: &str, id: &str) {
        let expected = Target {
            place,
            application: application.to_owned(),
            id: id.to_owned(),
        };
        assert_eq!(Target::of(path), expected);
    }

    #[test]
    fn paths_name_resources() {
        check("/mec_service_mgmt/v1/services", Place::Services, "", "");
        check("/mec_service_mgmt/v1/services/x", Place::Service, "", "x");
        check(
            "/mec_service_mgmt/v1/applications/a%20b/services",
            Place::OwnServices,
            "a b",
            "",
        );
        check(
            "/mec_service_mgmt/v1/applications/a/services/s/liveness",
            Place::Liveness,
            "a",
            "s",
        );
        check(
            "/mec_service_mgmt/v1/applications/a/subscriptions/7",
            Place::Subscription,
            "a",
            "7",
        );
        check(
            "/mec_app_support/v1/applications/a/subscriptions/7",
            Place::EndSubscription,
            "a",
            "7",
        );
        check(
            "/mec_app_support/v1/applications/a/dns_rules/r%2F1",
            Place::DnsRule,
            "a",
            "r/1",
        );
        check(
            "/mec_app_support/v1/registrations/a",
            Place::Registration,
            "a",
            "a",
        );
        check(
            "/mec_app_support/v1/timing/current_time",
            Place::CurrentTime,
            "",
            "",
        );
        check("/mec_app_support/v1/services", Place::Other, "", "");
        check("/mec_service_mgmt/v1/services/", Place::Service, "", "");
        check("/mec_service_mgmt/v1", Place::Other, "", "");
        check("/elsewhere", Place::Other, "", "");
    }
}
