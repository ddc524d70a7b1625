//! What a standard says beyond its OpenAPI document, as far as a test must know it, so that it blames nobody for
//! refusing what the standard forbids, and sends what a real platform can accept.

use mecforge_instances::{Binding, Options};
use serde_json::{Value, json};

/// The callback address that generated bodies have until [`bind`] puts the real one.
pub const CALLBACK: &str = "http://callback.invalid/mec-conformance";

/// What stands for the value of a path parameter in a generated body until [`bind`] puts the real one.
pub fn path_placeholder(parameter: &str) -> String {
    format!("mec-conformance-path-{parameter}")
}

/// A second that is over on no platform and that every whole number of 32 bits can hold: 2038-01-01.
const FAR: u64 = 2_145_916_800;

/// Puts a deadline that is over far into the future; what is no second stays as it is, and so does a deadline to come,
/// which a case may be about.
fn postpone(deadline: &mut Value) {
    let now = std::time::UNIX_EPOCH.elapsed().map_or(0, |now| now.as_secs());
    if let Some(seconds) = deadline.get_mut("seconds")
        && seconds.as_u64().is_some_and(|seconds| seconds <= now)
    {
        *seconds = json!(FAR);
    }
}

/// Puts the real values in place of [`CALLBACK`] and of each [`path_placeholder`], wherever they are, and lets no object
/// expire: what a generated deadline says is over at once, and the object with it.
pub fn bind(body: &mut Value, values: &std::collections::BTreeMap<String, String>, callback: &str) {
    match body {
        Value::String(text) if text == CALLBACK => *text = callback.to_owned(),
        Value::String(text) => {
            if let Some(value) = text
                .strip_prefix("mec-conformance-path-")
                .and_then(|name| values.get(name))
            {
                *text = value.clone();
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| bind(item, values, callback)),
        Value::Object(members) => {
            for (name, member) in members {
                if name == "expiryDeadline" {
                    postpone(member);
                }
                bind(member, values, callback);
            }
        }
        _ => {}
    }
}

/// An address that everybody takes for one (RFC 5737).
const ADDRESS: &str = "http://192.0.2.1:8080/service";

/// Puts a whole address in place of relative references, and takes away what documents disagree about: one of V3.1.1 has
/// `grantTypes` as a text, the tables (8.1.5.4) as a list; V2.1.1's demands `tokenEndpoint`, its text does not.
fn whole_addresses(body: &mut Value) {
    match body {
        Value::Object(members) => {
            if let Some(security) = members.get_mut("security").and_then(Value::as_object_mut) {
                security.remove("oAuth2Info");
            }
            for (name, member) in members {
                match member {
                    Value::String(text) if matches!(name.as_str(), "href" | "tokenEndpoint") => {
                        if !text.contains("://") {
                            *text = ADDRESS.to_owned();
                        }
                    }
                    Value::Array(items) if name == "uris" => {
                        let relative =
                            |item: &&mut Value| item.as_str().is_some_and(|text| !text.contains("://"));
                        items
                            .iter_mut()
                            .filter(relative)
                            .for_each(|item| *item = json!(ADDRESS));
                    }
                    other => whole_addresses(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(whole_addresses),
        _ => {}
    }
}

/// What is known of one API beyond its document.
#[derive(Clone, Debug, Default)]
pub struct Knowledge {
    id: String,
    package: Option<String>,
}

impl Knowledge {
    /// What is known of the API of a document's id; of an unknown one, only what holds for all.
    pub fn of(id: &str) -> Self {
        Knowledge {
            id: id.to_owned(),
            package: None,
        }
    }

    /// The same, for a document that a client of this package was generated from.
    pub fn with_package(mut self, package: String) -> Self {
        self.package = Some(package);
        self
    }

    /// The package of the generated client.
    pub fn package(&self) -> Option<&str> {
        self.package.as_deref()
    }

    /// Whether the API is one of ETSI's, for which ETSI's rules for all its APIs hold (GS MEC 009).
    pub fn is_of_etsi(&self) -> bool {
        self.id.starts_with("mec0")
    }

    /// How bodies of an operation (`METHOD /path`) are generated.
    pub fn generation(&self, operation: &str) -> Options {
        let fixed = |pointer: &str, value: Value| (pointer.to_owned(), Binding::Fixed(value));
        let path = |pointer: &str| fixed(pointer, json!(path_placeholder(pointer.trim_start_matches('/'))));
        let mut bindings = vec![];
        for name in ["callbackReference", "callbackUri", "notificationUri"] {
            bindings.push(fixed(&format!("/{name}"), json!(CALLBACK)));
        }
        // V2.1.1 leaves to prose what V3.1.1 says in its document: 8.1.3.2, 7.1.3.2, 8.1.2.3 (ports).
        let kind = match self.id.as_str() {
            "mec011-service-management" => Some("SerAvailabilityNotificationSubscription"),
            "mec011-app-support" => Some("AppTerminationNotificationSubscription"),
            _ => None,
        };
        if let Some(kind) = kind {
            bindings.push(fixed("/subscriptionType", json!(kind)));
        }
        let absent = |pointer: &str| (pointer.to_owned(), Binding::Absent);
        match (self.id.as_str(), operation) {
            // MEC 011, 8.1.2.2: transportId names a transport of GET /transports, which differ by platform.
            // An integer without bound is one of at least 31 bits on every platform.
            ("mec011-service-management", "POST /applications/{appInstanceId}/services")
            | ("mec011-service-management", "PUT /applications/{appInstanceId}/services/{serviceId}") => {
                bindings.push(absent("/transportId"));
                bindings.push(("/livenessInterval".to_owned(), Binding::AtMost(86_400)));
                let port = "/transportInfo/endpoint/addresses/*/port";
                bindings.push((port.to_owned(), Binding::AtMost(65_535)));
            }
            // 7.1.3.2, 7.1.2.2, 7.1.2.3, 7.1.2.6: the identifier in the body is the one in the path.
            ("mec011-app-support", "POST /applications/{appInstanceId}/subscriptions") => {
                bindings.push(path("/appInstanceId"));
            }
            ("mec011-app-support", "PUT /registrations/{appInstanceId}") => {
                bindings.push(path("/appInstanceId"));
            }
            // 7.1.2.6: whether the platform knows an instance that it made itself is not for the application to say.
            ("mec011-app-support", "POST /registrations") => {
                bindings.push(absent("/appInstanceId"));
                bindings.push(fixed("/isInsByMec", json!(false)));
            }
            _ => {}
        }
        Options {
            bindings,
            ..Options::default()
        }
    }

    /// A body that a real platform accepts, where one is better said than generated.
    pub fn body(&self, operation: &str, unique: &str) -> Option<Value> {
        match (self.id.as_str(), operation) {
            ("mec011-service-management", "POST /applications/{appInstanceId}/services")
            | ("mec011-service-management", "PUT /applications/{appInstanceId}/services/{serviceId}") => {
                Some(json!({
                    "serName": format!("conformance-{unique}"),
                    "version": "1.0.0",
                    "state": "ACTIVE",
                    "serializer": "JSON",
                    "transportInfo": {
                        "id": "rest",
                        "name": "REST",
                        "type": "REST_HTTP",
                        "protocol": "HTTP",
                        "version": "1.1",
                        "endpoint": {"uris": ["http://192.0.2.1:8080/service"]},
                        "security": {}
                    }
                }))
            }
            ("mec011-app-support", "POST /registrations") => Some(json!({
                "appName": format!("conformance-{unique}"),
                "isInsByMec": false,
                "endpoint": {"uris": ["http://192.0.2.1:8080/application"]}
            })),
            _ => None,
        }
    }

    /// Whether the standard lets a platform refuse a body that fits the schema, and why: such a refusal is not blamed.
    pub fn may_refuse(&self, operation: &str) -> Option<&'static str> {
        match (self.id.as_str(), operation) {
            ("mec011-app-support", "PUT /applications/{appInstanceId}/traffic_rules/{trafficRuleId}")
            | ("mec011-app-support", "PUT /applications/{appInstanceId}/dns_rules/{dnsRuleId}") => Some(
                "an application changes the state of a configured rule; the rest is the platform's to permit",
            ),
            ("mec011-app-support", "POST /applications/{appInstanceId}/confirm_termination")
            | ("mec011-app-support", "POST /applications/{appInstanceId}/confirm_ready") => {
                Some("the platform has to be waiting for this confirmation (409 otherwise)")
            }
            (id, _) if id.starts_with("mec011") || !self.is_of_etsi() => None,
            _ => {
                Some("what the standard demands beyond the document's schemas is not known to the suite here")
            }
        }
    }

    /// Whether bodies that fit the schema can be sent though they may be refused: an acceptance does no harm, and shows
    /// whether the answers are right.
    pub fn may_try(&self) -> bool {
        !self.id.starts_with("mec011")
    }

    /// Puts what every platform knows in place of what it may be right not to know.
    pub fn tame(&self, body: &mut Value) {
        if !self.id.starts_with("mec011") {
            return;
        }
        // ETSI's own documents say `uri` of these, and have relative references as examples: either may be refused.
        whole_addresses(body);
        // 8.1.6.4: a service is suspended by the platform, not by who offers it.
        if body["state"] == "SUSPENDED" {
            body["state"] = json!("ACTIVE");
        }
        // MEC 011, 8.1.5.3: what the alternative form holds is defined by implementations. Port 0 is reserved (RFC 6335, 6).
        let endpoints = ["/endpoint", "/transportInfo/endpoint"];
        for pointer in endpoints {
            let Some(endpoint) = body.pointer_mut(pointer) else {
                continue;
            };
            if endpoint.get("alternative").is_some() {
                *endpoint = json!({"uris": [ADDRESS]});
            }
            let addresses = endpoint.get_mut("addresses").and_then(Value::as_array_mut);
            for address in addresses.into_iter().flatten() {
                if address["port"] == 0 {
                    address["port"] = json!(1);
                }
            }
        }
    }

    /// Top-level properties of an object that the platform sets, whatever was sent.
    pub fn assigned(&self, operation: &str) -> &'static [&'static str] {
        match self.id.as_str() {
            // 8.1.2.2: isLocal is relative to who reads it; the interval of heartbeats is agreed with the platform.
            "mec011-service-management" if operation.contains("/services") => {
                &["isLocal", "livenessInterval"]
            }
            _ => &[],
        }
    }

    /// Top-level properties that only the platform may set: what a client sends in them must be ignored or refused.
    pub fn server_set(&self, operation: &str) -> &'static [&'static str] {
        if !self.is_of_etsi() {
            return &[];
        }
        match (self.id.as_str(), operation) {
            // MEC 011, 8.1.2.2: assigned by the platform, absent in POST requests; links are the platform's.
            ("mec011-service-management", "POST /applications/{appInstanceId}/services") => {
                &["serInstanceId", "_links"]
            }
            // Of every ETSI API: links lead to what the platform has made.
            (_, operation) if operation.starts_with("POST ") || operation.starts_with("PUT ") => &["_links"],
            _ => &[],
        }
    }

    /// The property that has the identifier which a path parameter names, where the two have different names.
    pub fn identifier_property<'name>(&self, parameter: &'name str) -> &'name str {
        match (self.id.as_str(), parameter) {
            ("mec011-service-management", "serviceId") => "serInstanceId",
            _ => parameter,
        }
    }

    /// The property that a query parameter of a list looks at, where the two have different names.
    pub fn filtered_property<'name>(&self, parameter: &'name str) -> &'name str {
        match (self.id.as_str(), parameter) {
            ("mec015-bandwidth-management" | "mec015-traffic-steering", "app_instance_id") => "appInsId",
            ("mec015-bandwidth-management", "session_id") => "allocationId",
            ("mec029-fixed-access-information", "ponYS_ID") => "ponSYS_ID",
            _ => parameter,
        }
    }

    /// Whether the standard lists a value of a query parameter; also where a release's document has any text.
    pub fn knows(&self, parameter: &str, value: &Value) -> bool {
        let listed = [
            "MEC_SYSTEM",
            "MEC_HOST",
            "NFVI_POP",
            "ZONE",
            "ZONE_GROUP",
            "NFVI_NODE",
        ];
        parameter != "scope_of_locality" || value.as_str().is_some_and(|text| listed.contains(&text))
    }

    /// Another list and item (paths) in which what an operation makes can be read as well.
    pub fn view(&self, maker: &str) -> Option<(&'static str, &'static str)> {
        match (self.id.as_str(), maker) {
            ("mec011-service-management", "POST /applications/{appInstanceId}/services") => {
                Some(("/services", "/services/{serviceId}"))
            }
            _ => None,
        }
    }

    /// Whether every application may read what an operation makes.
    pub fn is_public(&self, maker: &str) -> bool {
        // MEC 011, 8.2.3: services are offered to all applications.
        self.view(maker).is_some()
    }

    /// A property of something that applications can't make, and two values between which one may ask to change it.
    pub fn toggles(&self, operation: &str) -> Option<(&'static str, [Value; 2])> {
        match (self.id.as_str(), operation) {
            // Whether a rule can be put in force depends on more than requests; its priority does not.
            ("mec011-app-support", "PUT /applications/{appInstanceId}/traffic_rules/{trafficRuleId}") => {
                Some(("priority", [json!(1), json!(2)]))
            }
            ("mec011-app-support", "PUT /applications/{appInstanceId}/dns_rules/{dnsRuleId}") => {
                Some(("state", [json!("ACTIVE"), json!("INACTIVE")]))
            }
            _ => None,
        }
    }

    /// Whether nothing but requests of clients changes what an operation makes, so that two readings without a change
    /// between them are the same in every property.
    pub fn stays(&self, maker: &str) -> bool {
        self.id.starts_with("mec011") && self.may_refuse(maker).is_none()
    }

    /// Whether a rule, by the pointer of its keyword, may be broken though the document has it, as the standard or the
    /// document that ETSI published has another one.
    pub fn is_open(&self, pointer: &str) -> bool {
        let open: &[&str] = match self.id.as_str() {
            // MEC 011, 8.1.6.3 and 8.1.6.4: extensible by the text of V2.1.1 and closed by its document; either is right.
            "mec011-service-management" => &["SerializerType/enum", "TransportType/enum"],
            // Text by MEC 010-2's tables, and an object by the document as it was published.
            "mec010-app-package-management" | "mec010-app-lifecycle-management" => &[
                "SwImageDesc/properties/swImage/type",
                "SwImageDescriptor/properties/swImage/type",
            ],
            _ => &[],
        };
        let listed = pointer
            .strip_prefix("/components/schemas/")
            .is_some_and(|rule| open.contains(&rule));
        // 8.1.5.4: a list by the table, a text by ETSI's document of V3.1.1; either is right.
        let form = pointer.ends_with("/properties/grantTypes/type");
        listed || (self.id.starts_with("mec011") && form)
    }

    /// Properties that the items of a list have where the request asks for them, though the schema demands them always.
    fn excluded(&self, operation: &str) -> &'static [&'static str] {
        match (self.id.as_str(), operation) {
            // MEC 010-2: what the parameter exclude_default takes out of a list, and a list without any parameter.
            ("mec010-app-package-management", "GET /app_packages" | "GET /onboarded_app_packages") => {
                &["checksum", "softwareImages", "additionalArtifacts"]
            }
            _ => &[],
        }
    }

    /// Whether a breach of an operation's answer is none: an item of a list lacks a property that has to be asked for.
    pub fn may_lack(&self, operation: &str, document: &Value, pointer: &str) -> bool {
        let missing = document.pointer(pointer).and_then(Value::as_str);
        pointer.contains("/required/") && missing.is_some_and(|name| self.excluded(operation).contains(&name))
    }

    /// Takes from an object what the list of an operation need not show of it, and an item of the list does not have.
    pub fn shorten(&self, operation: &str, item: &Value, object: &mut Value) {
        let Some(members) = object.as_object_mut() else {
            return;
        };
        let excluded = self.excluded(operation);
        members.retain(|name, _| !excluded.contains(&name.as_str()) || item.get(name).is_some());
    }

    /// A test notification as the suite's document has it: MEC 013's document as it was published calls the link to the
    /// subscription "self", and its text "subscription"; either is right.
    pub fn test_notification(&self, mut body: Value) -> Value {
        let links = body.get_mut("_links").and_then(Value::as_object_mut);
        if let Some(links) =
            links.filter(|links| self.id == "mec013-location" && !links.contains_key("subscription"))
            && let Some(link) = links.remove("self")
        {
            links.insert("subscription".to_owned(), link);
        }
        body
    }

    /// What the thing above a path has to be made with, so that something is at that path.
    pub fn presupposes(&self, path: &str) -> Option<(&'static str, Value)> {
        // MEC 011, 8.1.2.4: a platform asks those services for heartbeats that offer them.
        let liveness = self.id == "mec011-service-management" && path.ends_with("/{serviceId}/liveness");
        liveness.then(|| ("livenessInterval", json!(60)))
    }

    /// Whether what is at a path changes though nobody changes it (clocks, heartbeats).
    pub fn changes_by_itself(&self, path: &str) -> bool {
        path.ends_with("/liveness") || path.contains("/timing/")
    }

    /// Parameters of the query of which at most one may be given.
    pub fn exclusive(&self, operation: &str) -> &'static [&'static str] {
        match (self.id.as_str(), operation) {
            // MEC 011, 8.2.3.3.1 and 8.2.6.3.1.
            ("mec011-service-management", "GET /services")
            | ("mec011-service-management", "GET /applications/{appInstanceId}/services") => {
                &["ser_instance_id", "ser_name", "ser_category_id"]
            }
            _ => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn what_documents_disagree_about_is_right_either_way() {
        let location = Knowledge::of("mec013-location");
        let link = json!({"href": "/subscriptions/area/1"});
        let test = |name: &str| json!({"notificationType": "TestNotification", "_links": {name: link}});
        assert_eq!(location.test_notification(test("self")), test("subscription"));
        assert_eq!(
            location.test_notification(test("subscription")),
            test("subscription")
        );
        assert_eq!(location.test_notification(json!({})), json!({}));
        let other = Knowledge::of("mec012-radio-network-information");
        assert_eq!(other.test_notification(test("self")), test("self"));

        let packages = Knowledge::of("mec010-app-package-management");
        let image = "/components/schemas/SwImageDesc/properties/swImage/type";
        assert!(packages.is_open(image) && !location.is_open(image));
        let document = json!({"components": {"schemas": {"Info": {"required": ["checksum", "appName"]}}}});
        let may_lack = |operation: &str, at: usize| {
            let rule = format!("/components/schemas/Info/required/{at}");
            packages.may_lack(operation, &document, &rule)
        };
        assert!(may_lack("GET /onboarded_app_packages", 0));
        assert!(!may_lack("GET /onboarded_app_packages", 1));
        assert!(!may_lack("GET /onboarded_app_packages/{appDId}", 0));
        let mut object = json!({"appName": "a", "checksum": {}, "softwareImages": []});
        let item = json!({"softwareImages": []});
        packages.shorten("GET /onboarded_app_packages", &item, &mut object);
        assert_eq!(object, json!({"appName": "a", "softwareImages": []}));
    }

    #[test]
    fn no_generated_object_expires() {
        let bound = |deadline: Value| {
            let mut body = json!({"zoneStatusSubscription": {"expiryDeadline": deadline, "seconds": 0}});
            bind(&mut body, &BTreeMap::new(), CALLBACK);
            assert_eq!(body["zoneStatusSubscription"]["seconds"], 0);
            body["zoneStatusSubscription"]["expiryDeadline"].clone()
        };
        let far = json!({"seconds": FAR, "nanoSeconds": 7});
        assert_eq!(bound(json!({"seconds": 0, "nanoSeconds": 7})), far);
        // What is later, and what breaks a rule, is as it was.
        for stays in [
            json!({"seconds": 4_294_967_295_u32}),
            json!({"seconds": -1}),
            json!({"seconds": "0"}),
            json!({}),
            json!("0"),
        ] {
            assert_eq!(bound(stays.clone()), stays);
        }
    }
}
