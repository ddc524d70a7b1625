//! Keys in the store: `kind/owner/identifier`, each part percent-encoded so that none can pose as another.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// What ends a part of a key, or marks an encoded character.
const RESERVED: &AsciiSet = &CONTROLS.add(b'/').add(b'%');

/// Where registrations of application instances are.
pub const APPLICATIONS: &str = "applications/";
/// Where services are.
pub const SERVICES: &str = "services/";

fn part(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, RESERVED).into()
}

/// The registration of an application instance.
#[must_use]
pub fn application(app_instance_id: &str) -> String {
    format!("{APPLICATIONS}{}", part(app_instance_id))
}

/// Whose registration is at a key.
#[must_use]
pub fn application_of(key: &str) -> Option<String> {
    decode(key.strip_prefix(APPLICATIONS)?)
}

/// All services of an application instance; ends with `/`.
#[must_use]
pub fn services_of(app_instance_id: &str) -> String {
    format!("{SERVICES}{}/", part(app_instance_id))
}

/// One service of an application instance.
#[must_use]
pub fn service(app_instance_id: &str, service_id: &str) -> String {
    format!("{SERVICES}{}/{}", part(app_instance_id), part(service_id))
}

/// Application instance and identifier of the service at a key.
#[must_use]
pub fn service_at(key: &str) -> Option<(String, String)> {
    let (application, service) = key.strip_prefix(SERVICES)?.split_once('/')?;
    Some((decode(application)?, decode(service)?))
}

fn decode(part: &str) -> Option<String> {
    percent_decode_str(part).decode_utf8().ok().map(Cow::into_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_can_pose_as_another() {
        for (application, service_id) in [
            ("a", "b"),
            ("a/b", "c"),
            ("a", "b/c"),
            ("a%2Fb", "c"),
            ("ä ö", "\n"),
            ("", ""),
        ] {
            let key = service(application, service_id);
            assert!(key.starts_with(&services_of(application)));
            assert_eq!(key.matches('/').count(), 2, "{key}");
            assert_eq!(
                service_at(&key),
                Some((application.to_owned(), service_id.to_owned()))
            );
        }
        assert_eq!(application_of(&application("a/b")), Some("a/b".to_owned()));
    }
}
