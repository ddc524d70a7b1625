//! Faults of the catalogue with which a platform is within its rights: shown, run on demand, not counted.
//!
//! A reason names what permits it. That a suite does not find a fault is none.

/// Ids with their reasons.
const PERMITTED: &[(&str, &str)] = &[
    (
        "limit/port-0-refused",
        "port 0 is reserved and belongs to nobody (RFC 6335, clause 6), so an address with it leads nowhere",
    ),
    ("limit/serName-64-characters", OWN_LIMIT),
    ("limit/version-32-characters", OWN_LIMIT),
    (
        "limit/empty-serName-refused",
        "a name that names nothing may be refused: what a name must be beyond a string is left to the platform",
    ),
    (
        "acceptance/end-subscription-for-other-instance",
        "7.1.3.2 calls the identifier a criterion, and does not say that it must be that of the path",
    ),
    (
        "acceptance/liveness-state-INACTIVE",
        "V3.1.1's document allows what the text and ETSI's purposes refuse, so either is right",
    ),
    ("filter/unknown-parameter-accepted", UNDECLARED),
    ("filter/parameter-names-any-case", UNDECLARED),
    (
        "refusal/large-body",
        "a server says itself how much content it is willing to take (RFC 9110, 15.5.14); the standard names no size",
    ),
    (
        "refusal/endpoint-alternative",
        "what the alternative form holds is defined by implementations (8.1.5.3), so a platform may know none",
    ),
    ("problems/without-detail", DETAIL),
    ("problems/empty-object", DETAIL),
    (
        "problems/wrapped",
        "ETSI's document of V3.1.1 has its bodies inside objects with their type's name; RFC 9457 demands no member of problems",
    ),
    (
        "refusal/same-name-twice",
        "403 says that the present state does not permit it, and a platform may have a rule of its own for names that are taken",
    ),
    ("http/404-for-405", METHODS),
    ("http/400-for-405", METHODS),
    (
        "http/unknown-method-as-get",
        "that a method which nobody knows is answered with 501 is a SHOULD (RFC 9110, 9.1)",
    ),
    (
        "http/method-override",
        "a client that sends the field asks for another method; no standard says that it must be ignored",
    ),
    (
        "http/head-other-type",
        "that HEAD has the header fields of GET is a SHOULD (RFC 9110, 9.3.2)",
    ),
    (
        "http/accept-ignored",
        "RFC 9110, 12.5.1 lets a server answer as if there were no Accept",
    ),
    (
        "http/content-encoding-ignored",
        "that a coding which a server does not know is answered with 415 is a MAY (RFC 9110, 8.4)",
    ),
    (
        "http/encoded-slash-separates",
        "RFC 3986, 2.2 sets reserved characters apart from their encodings without a MUST, and many servers decode paths first",
    ),
    (
        "http/case-insensitive-paths",
        "a server may give a resource several addresses (RFC 3986, 6.1)",
    ),
    (
        "identifiers/not-found-in-other-case",
        "identifiers that are UUIDs are read in either case (RFC 9562, clause 4)",
    ),
    (
        "concurrency/delete-twice-wins",
        "DELETE is idempotent (RFC 9110, 9.2.2): removals of one object at the same time may each be told that it is gone",
    ),
    (
        "notifications/not-retried",
        "no clause demands that a delivery which failed is tried again",
    ),
    (
        "time/liveness-for-all",
        "where the liveness of a service is, and of which services it may be read, is left to the platform (8.1.2.2)",
    ),
    (
        "time/query-of-clock-ignored",
        "what a query means is the resource's own matter; ETSI's purposes demand 400 only where parameters are declared",
    ),
    (
        "registration/delete-keeps-services",
        "no clause says what becomes of the services of an application that deregisters",
    ),
    (
        "registration/termination-404",
        "404 is declared as well, and what nobody waits for may count as not there",
    ),
    (
        "security/server-version",
        "RFC 9110, 10.2.4 lets a server tell product and version, and only advises against details",
    ),
    (
        "security/callback-to-metadata",
        "to which addresses notifications may go is the operator's to decide",
    ),
    (
        "security/existence-betrayed",
        "403 for what exists and 404 for what does not is right (RFC 9110, 15.5.4); to hide it is a MAY",
    ),
];

const OWN_LIMIT: &str = "the standard names no length, and a platform may have limits of its own for names";

const UNDECLARED: &str = "ETSI's purposes want 400 for a parameter that is not declared, and no document says so; what a query means is the server's to say";

const DETAIL: &str = "RFC 9457 demands no member, and that problems say more in detail is a should of ETSI's";

const METHODS: &str = "that a method which a resource does not offer is answered with 405 is a SHOULD (RFC 9110, 9.1), and 4xx refuses it";

/// Why a platform with this fault is within its rights; none where it is not.
#[must_use]
pub(crate) fn reason(id: &str) -> Option<&'static str> {
    PERMITTED
        .iter()
        .find(|(permitted, _)| *permitted == id)
        .map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::PERMITTED;
    use crate::faults::find;

    #[test]
    fn permitted_faults_are_in_the_catalogue() {
        for (id, reason) in PERMITTED {
            assert_eq!(find(id).and_then(|fault| fault.permitted), Some(*reason), "{id}");
        }
    }
}
