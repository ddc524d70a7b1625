//! What server and client know of an operation at run time: its method, path, parameters and media types.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stands for itself in a segment of a path (`pchar` of RFC 3986), but for `&` and `+`, which some decode wrongly.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// One operation of an API, as its document declares it.
#[derive(Debug)]
pub struct Operation {
    /// Name of the Rust method, for example `create_application_service`.
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path template relative to the API's root, for example `/services/{serviceId}`.
    pub path: &'static str,
    /// The parameters in the path, the query, headers and cookies.
    pub parameters: &'static [Parameter],
    /// The body of the request.
    pub body: RequestBody,
    /// The media types of successful responses, in the document's order; empty where none has a body.
    pub produces: &'static [&'static str],
}

impl Operation {
    /// The path with the values of its parameters, in the order of the template; they are percent-encoded.
    ///
    /// A parameter without a value stays as the template has it.
    pub fn path_with(&self, values: &[&str]) -> String {
        let mut path =
            String::with_capacity(self.path.len() + values.iter().map(|value| value.len()).sum::<usize>());
        let mut values = values.iter();
        let mut rest = self.path;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((name, after)) = after.split_once('}') else {
                break;
            };
            path.push_str(before);
            match values.next() {
                Some(value) => path.extend(utf8_percent_encode(value, SEGMENT)),
                None => path.extend(["{", name, "}"]),
            }
            rest = after;
        }
        path.push_str(rest);
        path
    }

    /// The text of a value of a path parameter, before it is percent-encoded.
    pub fn text_of<T: serde::Serialize + ?Sized>(&self, parameter: &str, value: &T) -> String {
        match self.parameter(Place::Path, parameter) {
            Some(parameter) => crate::parameter::simple_text(parameter, value),
            None => String::new(),
        }
    }

    /// The parameter of that name at one place.
    pub fn parameter(&self, place: Place, name: &str) -> Option<&'static Parameter> {
        self.parameters.iter().find(|parameter| {
            parameter.place == place
                && match place {
                    Place::Header => parameter.name.eq_ignore_ascii_case(name),
                    _ => parameter.name == name,
                }
        })
    }
}

/// The body of a request.
#[derive(Clone, Copy, Debug)]
pub enum RequestBody {
    /// The operation has none; what a client sends nevertheless is ignored.
    None,
    /// A body of one of these media types may be sent.
    Optional(&'static [&'static str]),
    /// A body of one of these media types must be sent.
    Required(&'static [&'static str]),
}

/// Where a parameter travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a segment of the path.
    Path,
    /// In the query.
    Query,
    /// In a header field.
    Header,
    /// In a cookie.
    Cookie,
}

/// One parameter of an operation.
#[derive(Debug)]
pub struct Parameter {
    /// Name on the wire.
    pub name: &'static str,
    /// Where it travels.
    pub place: Place,
    /// What its text stands for.
    pub kind: Kind,
    /// How lists and objects are written.
    pub style: Style,
}

/// What the text of a parameter stands for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Text.
    Text,
    /// An integer.
    Integer,
    /// A number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// Anything: `true`, `false`, `null` and numbers are what they say, all else is text.
    Any,
    /// A list of values of one kind.
    List(&'static Kind),
    /// An object with these properties; other properties are of [`Kind::Any`].
    Object(&'static [(&'static str, Kind)]),
}

/// How lists and objects are written in a parameter (OpenAPI's `style` and `explode`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `a,b` and `name,value,name,value`: `simple`, and `form` without `explode`.
    Comma,
    /// `x=a&x=b` and `name=value&name=value`: `form` with `explode`.
    Exploded,
    /// `name=value,name=value`: `simple` with `explode`; lists are as in [`Style::Comma`].
    Pairs,
    /// `a b`: `spaceDelimited` without `explode`.
    Space,
    /// `a|b`: `pipeDelimited` without `explode`.
    Pipe,
    /// `x[name]=value`: `deepObject`.
    Deep,
    /// The text is JSON: the parameter has `content`.
    Json,
}
