//! A finding as a Rust test on the generated client of its API; where that client can't send what was sent, on the HTTP
//! client below it.

use std::collections::BTreeMap;

use mecforge_api::{Api, Location, Operation};
use mecforge_report::Exchange;

use super::super::record::SECOND;
use super::{OWN, Variables, field, identifier, mentions};

/// What a test is written for.
pub struct Origin<'run> {
    /// The target, without a final `/`.
    pub target: &'run str,
    /// The APIs under test.
    pub apis: Vec<OriginApi<'run>>,
}

/// An API under test.
pub struct OriginApi<'run> {
    /// The document.
    pub api: &'run Api,
    /// The path below which it was tested.
    pub base_path: &'run str,
    /// The package of the generated client; none for a document that no client was generated from.
    pub package: Option<&'run str>,
}

/// A Rust test that sends the same requests in the same order and asserts what the finding says was expected.
///
/// `expected` is the finding's text; the statuses that it names are what the test asserts.
pub fn rust_test(origin: &Origin<'_>, name: &str, expected: &str, exchanges: &[Exchange]) -> String {
    let raw = |exchange: &&Exchange| exchange.request.version == crate::suite::raw::VERSION;
    if let Some(bytes) = exchanges.last().filter(raw) {
        return super::bytes::test(name, expected, bytes);
    }
    let steps: Option<Vec<_>> = exchanges
        .iter()
        .map(|exchange| Step::of(origin, exchange))
        .collect();
    let last = format!("answer_{}", exchanges.len());
    let mut known = Variables::default();
    let (body, read) = match steps {
        Some(steps) => (
            on_generated_client(origin, name, &steps, &mut known),
            format!("String::from_utf8_lossy({last}.body())"),
        ),
        None => (on_http_client(name, exchanges), format!("{last}.text().await?")),
    };
    let assertion = assertion(expected, exchanges, &last, &read, &known);
    let comment = expected.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("{body}    // Expected: {comment}\n    {assertion}\n    Ok(())\n}}\n")
}

/// One request as a call of the generated client.
struct Step<'run> {
    package: &'run str,
    base_path: &'run str,
    exchange: &'run Exchange,
    operation: &'run Operation,
    path: BTreeMap<String, String>,
    query: Vec<(String, String)>,
}

impl<'run> Step<'run> {
    /// The call; none where no generated client can send it.
    fn of(origin: &Origin<'run>, exchange: &'run Exchange) -> Option<Self> {
        let path = exchange.request.url.strip_prefix(origin.target)?;
        origin.apis.iter().find_map(|api| Self::at(api, path, exchange))
    }

    fn at(origin: &OriginApi<'run>, path: &str, exchange: &'run Exchange) -> Option<Self> {
        let below = path.strip_prefix(origin.base_path)?;
        let (path, query) = below.split_once('?').unwrap_or((below, ""));
        let index = origin
            .api
            .resource_at(path)?
            .operation(&exchange.request.method)?;
        let operation = &origin.api.operations[index];
        let values = operation.path.matches(path)?;
        // The client refuses dots, as they can't be a segment of a path, and encodes in one way only.
        let is_dots = |value: &String| matches!(value.as_str(), "." | "..");
        if values.values().any(is_dots) || operation.path.expand(&values) != path {
            return None;
        }
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let query: Vec<_> = pairs.map(decoded).collect::<Option<_>>()?;
        let declared = |name: &String| {
            let mut parameters = operation.parameters_in(Location::Query);
            parameters.any(|parameter| parameter.name == *name)
        };
        if !query
            .iter()
            .all(|(name, value)| declared(name) && !value.is_empty())
        {
            return None;
        }
        let sendable = |(name, _): &(String, String)| http::HeaderName::from_bytes(name.as_bytes()).is_ok();
        exchange.request.headers.iter().all(sendable).then_some(Step {
            package: origin.package?,
            base_path: origin.base_path,
            exchange,
            operation,
            path: values,
            query,
        })
    }
}

fn decoded(pair: &str) -> Option<(String, String)> {
    let (name, value) = pair.split_once('=')?;
    let decode = |text: &str| {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
        (!text.contains('+')).then(|| decoded.into_owned())
    };
    Some((decode(name)?, decode(value)?))
}

fn on_generated_client(origin: &Origin<'_>, name: &str, steps: &[Step<'_>], known: &mut Variables) -> String {
    let clients: BTreeMap<&str, &str> = steps.iter().map(|step| (step.package, step.base_path)).collect();
    let calls = (0..steps.len()).map(|at| call(at, steps, known));
    let calls: String = calls.collect();
    let headers = match calls.contains("HeaderName::") {
        true => "use mecforge_runtime::http::HeaderName;\n",
        false => "",
    };
    let (mut needs, mut made) = (String::new(), String::new());
    for (package, base_path) in &clients {
        let module = package.replace('-', "_");
        needs.push_str(&format!(
            "// {package} = {{ git = \"https://github.com/mecforge/mecforge\", features = [\"client\"] }}\n"
        ));
        made.push_str(&format!(
            r#"    let {module} = {module}::Client::builder({target:?})
        .base_path({base_path:?})
        .retry(RetryPolicy::NEVER)
        .build()?;
"#,
            target = origin.target,
        ));
    }
    format!(
        r#"// [dev-dependencies]
{needs}// mecforge-runtime = {{ git = "https://github.com/mecforge/mecforge" }}
// tokio = {{ version = "1", features = ["macros", "rt"] }}
use mecforge_runtime::client::{{Answer, RetryPolicy}};
{headers}use mecforge_runtime::operation::Operation;

fn operation(of: &[&'static Operation], method: &str, path: &str) -> Result<&'static Operation, &'static str> {{
    let mut operations = of.iter().copied();
    let found = operations.find(|operation| (operation.method, operation.path) == (method, path));
    found.ok_or("the client has no such operation")
}}

#[tokio::test]
async fn {name}() -> Result<(), Box<dyn std::error::Error>> {{
{made}{calls}"#
    )
}

impl Variables {
    /// A value as a Rust expression: the variable that holds it, or a literal.
    fn expression(&self, value: &str) -> String {
        match self.0.get(value) {
            Some(variable) => format!("&{variable}"),
            None => format!("{value:?}"),
        }
    }
}

fn call(at: usize, steps: &[Step<'_>], known: &mut Variables) -> String {
    let step = &steps[at];
    let is_used = |text: &&str| steps[at + 1..].iter().any(|later| mentions(later.exchange, text));
    let number = at + 1;
    let request = &step.exchange.request;
    let answer = format!("answer_{number}");
    let module = step.package.replace('-', "_");
    let mut lines = vec![
        format!("    let {answer} = {module}"),
        "        .http_client()".to_owned(),
        format!(
            "        .request::<Answer>(operation({module}::OPERATIONS, {:?}, {:?})?)",
            step.operation.method,
            step.operation.path.text()
        ),
    ];
    for (name, value) in &step.path {
        lines.push(format!("        .path({name:?}, {})", known.expression(value)));
    }
    for (name, value) in &step.query {
        lines.push(format!("        .query({name:?}, {})", known.expression(value)));
    }
    let mut media_type = "application/octet-stream";
    for (name, value) in &request.headers {
        let name = name.to_ascii_lowercase();
        match name.as_str() {
            "content-type" => media_type = value,
            name if OWN.contains(&name) => {}
            name => lines.push(format!(
                "        .raw_header(HeaderName::from_static({name:?}), {})",
                secret(&known.expression(value))
            )),
        }
    }
    if let Some(body) = &request.body {
        lines.push(format!("        .bytes({media_type:?}, {})", literal(body)));
    }
    lines.push("        .send()".to_owned());
    lines.push("        .await?;".to_owned());
    if let Some(id) = identifier(step.exchange).filter(is_used) {
        let variable = format!("id_{number}");
        lines.push(format!(
            "    let {variable} = {answer}.location().and_then(|location| location.last_segment()).ok_or(\"Location names nothing\")?;"
        ));
        known.0.insert(id.to_owned(), variable);
    }
    if let Some(tag) = field(step.exchange, "etag").filter(is_used) {
        let variable = format!("tag_{number}");
        lines.push(format!(
            "    let {variable} = {answer}.headers()[\"etag\"].to_str()?.to_owned();"
        ));
        known.0.insert(tag.to_owned(), variable);
    }
    lines.join("\n") + "\n"
}

/// A test below the generated clients: it can send anything that HTTP can.
fn on_http_client(name: &str, exchanges: &[Exchange]) -> String {
    let mut lines = vec![
        "// [dev-dependencies]".to_owned(),
        "// reqwest = \"0.12\"".to_owned(),
        "// tokio = { version = \"1\", features = [\"macros\", \"rt\"] }".to_owned(),
        "#[tokio::test]".to_owned(),
        format!("async fn {name}() -> Result<(), Box<dyn std::error::Error>> {{"),
        "    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;"
            .to_owned(),
    ];
    for (at, exchange) in exchanges.iter().enumerate() {
        let request = &exchange.request;
        lines.push(format!(
            "    let answer_{} = client.request({:?}.parse()?, {:?})",
            at + 1,
            request.method,
            request.url
        ));
        for (field, value) in &request.headers {
            if !OWN.contains(&field.to_ascii_lowercase().as_str()) {
                lines.push(format!(
                    "        .header({field:?}, {})",
                    secret(&format!("{value:?}"))
                ));
            }
        }
        if let Some(body) = &request.body {
            lines.push(format!("        .body({})", literal(body)));
        }
        lines.push("        .send().await?;".to_owned());
    }
    lines.join("\n") + "\n"
}

/// A header field's value as an expression; what is masked comes from the environment.
fn secret(expression: &str) -> String {
    let (mask, variable) = match expression.contains(SECOND) {
        true => (SECOND, "SECOND_SECRET"),
        false => ("***", "SECRET"),
    };
    match expression.contains(mask) {
        true => format!("&{expression}.replace(\"{mask}\", &std::env::var(\"{variable}\")?)"),
        false => expression.to_owned(),
    }
}

/// A text as a raw literal where that is easier to read.
fn literal(text: &str) -> String {
    let plain = text
        .chars()
        .all(|letter| !letter.is_control() && letter != '\u{feff}');
    match plain && text.contains('"') && !text.contains("\"#") {
        true => format!("r#\"{text}\"#"),
        false => format!("{text:?}"),
    }
}

/// What the last answer must be: of the statuses that `expected` names; else another than the one that came.
fn assertion(expected: &str, exchanges: &[Exchange], answer: &str, read: &str, known: &Variables) -> String {
    let came = exchanges.last().and_then(|exchange| exchange.response.as_ref());
    let came_status = came.map_or(0, |came| came.status);
    let head = expected.split([',', ';', ':']).next().unwrap_or_default();
    let words = head.split(|letter: char| !letter.is_alphanumeric());
    let statuses: Vec<u16> = words
        .filter(|word| word.len() == 3)
        .filter_map(|word| word.parse().ok())
        .collect();
    let status = format!("{answer}.status().as_u16()");
    if !statuses.is_empty() && !statuses.contains(&came_status) {
        let all: Vec<_> = statuses.iter().map(u16::to_string).collect();
        return format!(
            "assert!(matches!({status}, {}), \"{{}}\", {status});",
            all.join(" | ")
        );
    }
    if head.contains("4xx") && !(400..500).contains(&came_status) {
        return format!("assert!({answer}.status().is_client_error(), \"{{}}\", {status});");
    }
    if head.starts_with("success") && !(200..300).contains(&came_status) {
        return format!("assert!({answer}.status().is_success(), \"{{}}\", {status});");
    }
    let body = came.map(|came| came.body.as_str()).unwrap_or_default();
    let mut wrong = format!("{}.to_owned()", literal(body));
    for (value, variable) in &known.0 {
        if body.contains(value.as_str()) {
            wrong.push_str(&format!(".replace({value:?}, &{variable})"));
        }
    }
    format!("assert_ne!({read}, {wrong}, \"the same answer as in the report\");")
}
