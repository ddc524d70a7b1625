//! Where MEC 011 v3.1.1 and v2.1.1 differ in what a body may hold, each difference with its reason and clause.

/// Which release's values are judged by the other's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Way {
    /// Values of v3.1.1, judged by v2.1.1.
    Back,
    /// Values of v2.1.1, judged by v3.1.1.
    Forth,
}

/// A known difference between the releases.
pub(crate) struct Difference {
    pub(crate) way: Way,
    /// The schemas of the bodies, as the release that the values are drawn from calls them.
    pub(crate) bodies: &'static [&'static str],
    /// Places in the value, `*` for indices.
    pub(crate) places: &'static [&'static str],
    pub(crate) keyword: &'static str,
    /// Why the releases differ, and which clause of v3.1.1 says so.
    pub(crate) reason: &'static str,
}

pub(crate) const SERVICES: &[&str] = &["ServiceInfo", "ServiceInfoRequest"];
pub(crate) const AVAILABILITY: &[&str] = &[
    "SerAvailabilityNotificationSubscription",
    "SerAvailabilityNotificationSubscriptionRequest",
];
pub(crate) const SUBSCRIPTIONS: &[&str] = &[
    "AppTerminationNotificationSubscription",
    "AppTerminationNotificationSubscriptionRequest",
    "SerAvailabilityNotificationSubscription",
    "SerAvailabilityNotificationSubscriptionRequest",
];
pub(crate) const SENT_SUBSCRIPTIONS: &[&str] = &[
    "AppTerminationNotificationSubscription",
    "SerAvailabilityNotificationSubscription",
];
pub(crate) const EARLIER_LISTS: &[&str] = &[
    "MecAppSuptApiSubscriptionLinkList",
    "MecServiceMgmtApiSubscriptionLinkList",
];

pub(crate) const DIFFERENCES: &[Difference] = &[
    Difference {
        way: Way::Back,
        bodies: SUBSCRIPTIONS,
        places: &[""],
        keyword: "required",
        reason: "v2.1.1 requires _links in requests and answers; in v3.1.1 a request has none, an answer may (7.1.3.2, 8.1.3.2)",
    },
    Difference {
        way: Way::Back,
        bodies: &["ServiceInfoRequest"],
        places: &[""],
        keyword: "required",
        reason: "PUT takes the answer's type in v2.1.1, which requires _links; they are the platform's (8.1.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: SENT_SUBSCRIPTIONS,
        places: &["/_links/self/href"],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (6.3.2)",
    },
    Difference {
        way: Way::Back,
        bodies: &["SubscriptionLinkList"],
        places: &["/_links/self/href", "/_links/subscriptions/*/href"],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (6.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: AVAILABILITY,
        places: &["/filteringCriteria/serCategories/*/href"],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (8.1.5.2)",
    },
    Difference {
        way: Way::Back,
        bodies: SERVICES,
        places: &[
            "/serCategory/href",
            "/transportInfo/security/oAuth2Info/tokenEndpoint",
        ],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (8.1.5.2, 8.1.5.4)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TransportInfo"],
        places: &["/security/oAuth2Info/tokenEndpoint"],
        keyword: "format",
        reason: "references are relative in the standard's examples, so ours need not be absolute (8.1.5.4)",
    },
    Difference {
        way: Way::Back,
        bodies: AVAILABILITY,
        places: &["/filteringCriteria/states/*"],
        keyword: "enum",
        reason: "v2.1.1 does not know SUSPENDED (8.1.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: SERVICES,
        places: &["/state"],
        keyword: "enum",
        reason: "v2.1.1 does not know SUSPENDED (8.1.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: SERVICES,
        places: &["/serializer", "/transportInfo/type"],
        keyword: "enum",
        reason: "the standard lets both lists grow, v2.1.1's document closes them (8.1.2.2, 8.1.2.3)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TransportInfo"],
        places: &["/type"],
        keyword: "enum",
        reason: "the standard lets the list grow, v2.1.1's document closes it (8.1.2.3)",
    },
    Difference {
        way: Way::Back,
        bodies: SERVICES,
        places: &["/transportInfo/endpoint"],
        keyword: "oneOf",
        reason: "v2.1.1 does not know fqdn (8.1.5.3)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TransportInfo"],
        places: &["/endpoint"],
        keyword: "oneOf",
        reason: "v2.1.1 does not know fqdn (8.1.5.3)",
    },
    Difference {
        way: Way::Back,
        bodies: &["ServiceInfoRequest"],
        places: &["/transportInfo/security/oAuth2Info"],
        keyword: "required",
        reason: "v2.1.1 requires tokenEndpoint always, v3.1.1 not where all grants are implicit (8.1.5.4)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TransportInfo"],
        places: &["/security/oAuth2Info"],
        keyword: "required",
        reason: "v2.1.1 requires tokenEndpoint always, v3.1.1 not where all grants are implicit (8.1.5.4)",
    },
    Difference {
        way: Way::Back,
        bodies: &["SubscriptionLinkList"],
        places: &["/_links/subscriptions/*"],
        keyword: "required",
        reason: "links are told apart by rel in v2.1.1, by subscriptionType in v3.1.1 (6.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TimingCaps"],
        places: &["/ntpServers/*"],
        keyword: "required",
        reason: "v2.1.1 requires authenticationKeyNum, which occurs at most once (7.1.2.4)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TrafficRule"],
        places: &["/dstInterface"],
        keyword: "type",
        reason: "a duplicated packet has two destinations, for which v2.1.1 has no list (7.1.2.2)",
    },
    Difference {
        way: Way::Back,
        bodies: &["TrafficRule"],
        places: &[
            "/dstInterface/interfaceType",
            "/dstInterface/tunnelInfo/tunnelType",
        ],
        keyword: "enum",
        reason: "the standard lets both lists grow, v2.1.1's document closes them (7.1.5.3, 7.1.5.4)",
    },
    Difference {
        way: Way::Forth,
        bodies: SUBSCRIPTIONS,
        places: &["/subscriptionType"],
        keyword: "const",
        reason: "v2.1.1 names the type's only value in words alone (7.1.3.2, 8.1.3.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: SENT_SUBSCRIPTIONS,
        places: &["/_links/self"],
        keyword: "required",
        reason: "a link without href is none, though v2.1.1 does not require it (6.3.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: EARLIER_LISTS,
        places: &["/_links/self"],
        keyword: "required",
        reason: "a link without href is none, though v2.1.1 does not require it (6.3.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: EARLIER_LISTS,
        places: &["/_links/subscriptions/*"],
        keyword: "required",
        reason: "links are told apart by rel in v2.1.1, by subscriptionType in v3.1.1 (6.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["ServiceInfo"],
        places: &[""],
        keyword: "required",
        reason: "an answer names the instance that the platform made, which v2.1.1 leaves open (8.1.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["ServiceInfo", "ServiceInfo.Post", "ServiceInfoRequest"],
        places: &["/transportInfo/endpoint/addresses/*/port"],
        keyword: "maximum",
        reason: "a port has 16 bits, which v2.1.1 does not say (8.1.5.3)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TransportInfo"],
        places: &["/endpoint/addresses/*/port"],
        keyword: "maximum",
        reason: "a port has 16 bits, which v2.1.1 does not say (8.1.5.3)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TimingCaps"],
        places: &[
            "/ntpServers/*/minPollingInterval",
            "/ntpServers/*/maxPollingInterval",
        ],
        keyword: "minimum",
        reason: "polling intervals are exponents from 3 to 17, which v2.1.1 says in words alone (7.1.2.4)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TimingCaps"],
        places: &[
            "/ntpServers/*/minPollingInterval",
            "/ntpServers/*/maxPollingInterval",
        ],
        keyword: "maximum",
        reason: "polling intervals are exponents from 3 to 17, which v2.1.1 says in words alone (7.1.2.4)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TrafficRule"],
        places: &[""],
        keyword: "required",
        reason: "a rule that passes packets on names where to, which v2.1.1 has in words alone (7.1.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TrafficRule"],
        places: &[""],
        keyword: "not",
        reason: "a rule that drops packets has no destination, which v2.1.1 has in words alone (7.1.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TrafficRule"],
        places: &["/priority"],
        keyword: "maximum",
        reason: "priorities go from 0 to 255, which v2.1.1 does not say (7.1.2.2)",
    },
    Difference {
        way: Way::Forth,
        bodies: &["TrafficRule"],
        places: &["/trafficFilter"],
        keyword: "minItems",
        reason: "a rule has at least one filter, which v2.1.1 does not say (7.1.2.2)",
    },
];
