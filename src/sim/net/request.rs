//! What does a simulated peer read and send?

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

/// A request, taken apart.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub method: String,
    /// Path and query as sent, still encoded.
    pub target: String,
    /// Decoded.
    pub path: String,
    /// Decoded pairs in the order sent. `a==b` is the pair `("a=", "b")`, as for `!=`, `>>=` and `<<=`.
    pub query: Vec<(String, String)>,
    /// Names in lower case; the last one wins.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// Takes a request target apart.
    pub fn new(method: &str, target: &str, headers: BTreeMap<String, String>, body: Vec<u8>) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        Self {
            method: method.to_owned(),
            target: target.to_owned(),
            path: percent_decode_str(path).decode_utf8_lossy().into_owned(),
            query: query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect(),
            headers,
            body,
        }
    }

    /// The first value of a query parameter.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The value of a header; `name` in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// The parts of the path, without empty ones.
    pub fn segments(&self) -> Vec<&str> {
        self.path.split('/').filter(|segment| !segment.is_empty()).collect()
    }
}

fn pair(raw: &str) -> (String, String) {
    let (name, value) = raw.split_once('=').unwrap_or((raw, ""));
    let mut name = decode(name);
    let value = value.strip_prefix('=').map_or(value, |exact| {
        name.push('=');
        exact
    });
    (name, decode(value))
}

/// A plus sign is a space, as in HTML forms.
fn decode(raw: &str) -> String {
    percent_decode_str(&raw.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// An answer, before any fault gets at it.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    /// An answer with a body of this content type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// An answer with neither body nor content type.
    pub fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_operator_belongs_to_the_name() {
        let target = "/x?a==1&b%3E%3E=2&c!=3&d[0].tag.tag=A+b%2Bc&e%3D=5";
        let request = Request::new("GET", target, BTreeMap::new(), Vec::new());
        let expected = [("a=", "1"), ("b>>", "2"), ("c!", "3"), ("d[0].tag.tag", "A b+c"), ("e=", "5")]
            .map(|(n, v)| (n.to_owned(), v.to_owned()));
        assert_eq!(request.query, expected);
    }
}
