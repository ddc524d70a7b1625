//! Running a command in process, and what it has said.

use mepctl::Streams;
use serde_json::Value;

/// What a command has said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) code: u8,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Said {
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!((self.code, self.errors.as_str()), (0, ""), "{self:?}");
        self.output
    }

    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.ok()).unwrap()
    }

    /// A failure, with its one sentence.
    #[track_caller]
    pub(crate) fn failed(self, code: u8) -> String {
        assert_eq!((self.code, self.output.as_str()), (code, ""), "{self:?}");
        assert_eq!(self.errors.trim_end().lines().count(), 1, "{self:?}");
        self.errors
    }
}

/// Runs `mepctl --url URL …`.
pub(crate) async fn mepctl(url: &str, arguments: &[&str]) -> Said {
    mepctl_with(url, arguments, "").await
}

/// The same with something on standard input.
pub(crate) async fn mepctl_with(url: &str, arguments: &[&str], input: &str) -> Said {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let command_line = [&["mepctl", "--url", url], arguments].concat();
    let streams = Streams {
        input: &mut input.as_bytes(),
        output: &mut output,
        errors: &mut errors,
    };
    let code = mepctl::run(command_line, streams).await;
    Said {
        code,
        output: String::from_utf8(output).unwrap(),
        errors: String::from_utf8(errors).unwrap(),
    }
}

/// A service as a file has it.
pub(crate) fn service(name: &str, version: &str) -> String {
    format!(
        "{{serName: {name}, version: '{version}', state: ACTIVE, serializer: JSON, transportInfo: {{
            id: rest, name: REST, type: REST_HTTP, protocol: HTTP, version: '2.0', security: {{}},
            endpoint: {{addresses: [{{host: '2001:db8::1', port: 80}}]}}}}}}"
    )
}

/// Registers a service and returns its identifier.
pub(crate) async fn register(url: &str, app: &str, file: &str) -> String {
    let said = mepctl_with(url, &["--json", "services", "register", app, "-"], file).await;
    said.json()["serInstanceId"].as_str().unwrap().to_owned()
}
