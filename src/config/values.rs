//! What does one value mean? Each function takes a value as written and gives what is meant, or says what is wrong
//! with it and what would be right.

use std::net::SocketAddr;
use std::time::Duration;

use bytesize::ByteSize;
use jiff::SpanRelativeTo;
use jiff::fmt::friendly::SpanParser;
use toml::Value;
use url::Url;

use super::nearest::nearest;

/// A value longer than this, in characters, is cut in messages.
const SHOWN_AT_MOST: usize = 100;

/// A choice between a few words.
pub(super) trait Words: Copy + 'static {
    /// Each word and what it means, in the order in which they are offered.
    const WORDS: &'static [(&'static str, Self)];
}

/// The value as it stands in messages, texts in quotes.
pub(super) fn quoted(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", cut(text)),
        Value::Integer(_)
        | Value::Float(_)
        | Value::Boolean(_)
        | Value::Datetime(_)
        | Value::Array(_)
        | Value::Table(_) => cut(&value.to_string()),
    }
}

/// The value as it stands at the beginning of "… is longer than …": texts without quotes.
pub(super) fn bare(value: &Value) -> String {
    value.as_str().map_or_else(|| quoted(value), cut)
}

pub(super) fn text(value: &Value) -> Result<&str, String> {
    value.as_str().ok_or_else(|| format!("is not a text: {0} (did you mean \"{0}\"?)", quoted(value)))
}

pub(super) fn truth(value: &Value) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("is neither true nor false: {}", quoted(value)))
}

/// A whole number that fits `T`; which numbers are sensible is checked elsewhere.
pub(super) fn whole<T: TryFrom<i64>>(value: &Value) -> Result<T, String> {
    let number = value.as_integer().and_then(|number| T::try_from(number).ok());
    number.ok_or_else(|| {
        format!("is not a whole number from 0 up: {} (write it without quotes)", quoted(value))
    })
}

pub(super) fn fraction(value: &Value) -> Result<f64, String> {
    let whole = value.as_integer().and_then(|number| i32::try_from(number).ok());
    let number = value.as_float().or(whole.map(f64::from));
    number
        .filter(|number| number.is_finite())
        .ok_or_else(|| format!("is not a number: {} (write for example 0.9, without quotes)", quoted(value)))
}

pub(super) fn word<T: Words>(value: &Value) -> Result<T, String> {
    let written = value.as_str().unwrap_or_default();
    if let Some((_, meaning)) = T::WORDS.iter().find(|(word, _)| *word == written) {
        return Ok(*meaning);
    }
    let words: Vec<_> = T::WORDS.iter().map(|(word, _)| *word).collect();
    let all = words.iter().map(|word| format!("{word:?}")).collect::<Vec<_>>().join(", ");
    let meant = nearest(written, words).map(|word| format!("; did you mean {word:?}?")).unwrap_or_default();
    Err(format!("is none of {all}: {}{meant}", quoted(value)))
}

/// A list whose elements `element` reads, none of them twice.
pub(super) fn list<T>(
    value: &Value,
    element: impl Fn(&Value) -> Result<T, String>,
) -> Result<Vec<T>, String> {
    let Value::Array(elements) = value else {
        return Err(format!("is not a list: {0} (did you mean [{0}]?)", quoted(value)));
    };
    for (index, one) in elements.iter().enumerate() {
        if elements.iter().take(index).any(|earlier| earlier == one) {
            return Err(format!("has {} twice", quoted(one)));
        }
    }
    elements.iter().map(|one| element(one).map_err(|wrong| format!("has an element that {wrong}"))).collect()
}

/// A duration as people write it (`100ms`, `1h 30m`, `14d`), days being 24 hours; `0` needs no unit.
pub(super) fn duration(value: &Value) -> Result<Duration, String> {
    let wrong = || {
        let written = bare(value);
        let meant = match written.trim().parse::<u64>() {
            Ok(number) => format!("did you mean \"{number}s\"?"),
            Err(_) => r#"write for example "30s", "10m" or "14d""#.to_owned(),
        };
        format!("is not a duration: {} ({meant})", quoted(value))
    };
    if value.as_integer() == Some(0) {
        return Ok(Duration::ZERO);
    }
    let written = value.as_str().ok_or_else(wrong)?.trim();
    if written == "0" {
        return Ok(Duration::ZERO);
    }
    SpanParser::new()
        .parse_span(written)
        .and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()))
        .ok()
        .and_then(|signed| Duration::try_from(signed).ok())
        .ok_or_else(wrong)
}

/// A number of bytes as people write it: `512 KiB`, `1 MiB`.
pub(super) fn size(value: &Value) -> Result<usize, String> {
    let bytes = value.as_str().and_then(|text| text.trim().parse::<ByteSize>().ok());
    bytes.and_then(|size| usize::try_from(size.as_u64()).ok()).ok_or_else(|| {
        format!("is not a size: {} (write for example \"512 KiB\" or \"1 MiB\")", quoted(value))
    })
}

/// An IP address with a port to listen on.
pub(super) fn listen_address(value: &Value) -> Result<SocketAddr, String> {
    let written = text(value)?.trim();
    written.parse().map_err(|_unsaid: std::net::AddrParseError| {
        let (host, port) = written.rsplit_once(':').unwrap_or(("", written));
        let meant = match (host, port.parse::<u16>()) {
            ("" | "localhost", Ok(port)) => format!("did you mean \"127.0.0.1:{port}\"?"),
            ("*", Ok(port)) => format!("did you mean \"0.0.0.0:{port}\"?"),
            (_, Ok(_) | Err(_)) => {
                "write an IP address and a port, for example \"127.0.0.1:8765\"".to_owned()
            }
        };
        format!("is not an address to listen on: {} ({meant})", quoted(value))
    })
}

/// The address of a server: http or https, without credentials, query or fragment. `page` is the segment at which
/// begins what people copy along from their browser. The path of what is given back ends in `/`, so that another can
/// be joined to it.
pub(super) fn server_url(value: &Value, page: &str) -> Result<Url, String> {
    let written = text(value)?.trim();
    let shown = format!("{:?}", cut(&without_secrets(written)));
    let Some(mut url) = Url::parse(written).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
    else {
        let with_scheme = format!("http://{written}");
        let meant = if !written.contains("://") && Url::parse(&with_scheme).is_ok() {
            format!("did you mean {:?}?", without_secrets(&with_scheme))
        } else {
            r#"write for example "http://192.168.1.10:8080""#.to_owned()
        };
        return Err(format!("is not a URL: {shown} ({meant})"));
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(format!("has a user name or a password in it: {shown} (leave them out)"));
    }
    let segments = url.path().split('/').filter(|segment| !segment.is_empty());
    let kept: Vec<_> = segments.take_while(|segment| *segment != page).collect();
    let path = if kept.is_empty() { "/".to_owned() } else { format!("/{}/", kept.join("/")) };
    let has_page = url.path().split('/').any(|segment| segment == page);
    let too_much = has_page || url.query().is_some() || url.fragment().is_some();
    url.set_path(&path);
    url.set_query(None);
    url.set_fragment(None);
    if too_much {
        let meant = url.as_str().trim_end_matches('/');
        return Err(format!("has more in it than the server's address: {shown} (did you mean {meant:?}?)"));
    }
    Ok(url)
}

/// The URL without what may be secret: user name and password, the values in its query.
fn without_secrets(url: &str) -> String {
    let (head, query) =
        url.find(['?', '#']).map_or((url, false), |at| (url.get(..at).unwrap_or_default(), true));
    let start = head.find("://").map_or(0, |at| at + "://".len());
    let (scheme, rest) = head.split_at_checked(start).unwrap_or(("", head));
    let rest = rest.rsplit_once('@').map_or_else(|| rest.to_owned(), |(_, host)| format!("***@{host}"));
    format!("{scheme}{rest}{}", if query { "?***" } else { "" })
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_AT_MOST) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
