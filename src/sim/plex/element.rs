//! How does one answer become XML or JSON, as the client likes?

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// An element of a Plex answer, before it is written as XML or JSON.
#[derive(Clone, Debug)]
pub(crate) struct Element {
    tag: &'static str,
    attributes: Vec<(&'static str, Attribute)>,
    children: Vec<Element>,
}

#[derive(Clone, Debug)]
enum Attribute {
    Text(String),
    Int(i64),
    Float(f64),
    /// `1` and `0` in XML.
    Flag(bool),
}

impl Element {
    pub(crate) fn new(tag: &'static str) -> Self {
        Self { tag, attributes: Vec::new(), children: Vec::new() }
    }

    pub(crate) fn text(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, Attribute::Text(value.into())));
        self
    }

    /// Left out when there is nothing: Plex sends no empty attributes, except for the summary.
    pub(crate) fn text_unless_empty(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) if !value.is_empty() => self.text(name, value),
            Some(_) | None => self,
        }
    }

    pub(crate) fn int(mut self, name: &'static str, value: i64) -> Self {
        self.attributes.push((name, Attribute::Int(value)));
        self
    }

    pub(crate) fn float(mut self, name: &'static str, value: f64) -> Self {
        self.attributes.push((name, Attribute::Float(value)));
        self
    }

    pub(crate) fn flag(mut self, name: &'static str, value: bool) -> Self {
        self.attributes.push((name, Attribute::Flag(value)));
        self
    }

    pub(crate) fn child(mut self, child: Element) -> Self {
        self.children.push(child);
        self
    }

    pub(crate) fn children(mut self, children: impl IntoIterator<Item = Element>) -> Self {
        self.children.extend(children);
        self
    }

    pub(crate) fn to_xml(&self) -> String {
        let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned();
        self.write_xml(&mut out);
        out
    }

    pub(crate) fn to_json(&self) -> String {
        let mut root = Map::new();
        root.insert(self.tag.to_owned(), self.json());
        Value::Object(root).to_string()
    }

    fn write_xml(&self, out: &mut String) {
        out.push('<');
        out.push_str(self.tag);
        for (name, value) in &self.attributes {
            out.push(' ');
            out.push_str(name);
            out.push_str("=\"");
            match value {
                Attribute::Text(text) => escape(text, out),
                Attribute::Int(number) => append(out, number),
                Attribute::Float(number) => append(out, number),
                Attribute::Flag(flag) => append(out, u8::from(*flag)),
            }
            out.push('"');
        }
        if self.children.is_empty() {
            out.push_str("/>\n");
            return;
        }
        out.push_str(">\n");
        for child in &self.children {
            child.write_xml(out);
        }
        out.push_str("</");
        out.push_str(self.tag);
        out.push_str(">\n");
    }

    fn json(&self) -> Value {
        let mut object = Map::new();
        for (name, value) in &self.attributes {
            let value = match value {
                Attribute::Text(text) => Value::from(text.as_str()),
                Attribute::Int(number) => Value::from(*number),
                Attribute::Float(number) => Value::from(*number),
                Attribute::Flag(flag) => Value::from(*flag),
            };
            object.insert((*name).to_owned(), value);
        }
        for child in &self.children {
            match child.tag {
                "Meta" | "Context" => {
                    object.insert(child.tag.to_owned(), child.json());
                }
                tag => {
                    let name = if matches!(tag, "Video" | "Photo") { "Metadata" } else { tag };
                    let list = object.entry(name.to_owned()).or_insert_with(|| Value::Array(Vec::new()));
                    if let Value::Array(list) = list {
                        list.push(child.json());
                    }
                }
            }
        }
        Value::Object(object)
    }
}

fn append(out: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    write!(out, "{value}").unwrap_or_default();
}

/// Line ends are written as references, or an XML parser would turn them into spaces.
fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            '\t' => out.push_str("&#9;"),
            other => out.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Element {
        Element::new("MediaContainer").int("size", 1).child(
            Element::new("Video")
                .text("ratingKey", "5")
                .text("summary", "a<b>&\"c\"\nd")
                .text_unless_empty("studio", Some(""))
                .child(Element::new("Field").flag("locked", true).text("name", "title")),
        )
    }

    #[test]
    fn xml_keeps_line_ends_and_writes_flags_as_numbers() {
        let xml = sample().to_xml();
        assert!(xml.contains(r#"summary="a&lt;b&gt;&amp;&quot;c&quot;&#10;d""#), "{xml}");
        assert!(xml.contains(r#"<Field locked="1" name="title"/>"#), "{xml}");
        assert!(!xml.contains("studio"), "{xml}");
    }

    #[test]
    fn json_groups_children_and_calls_videos_metadata() {
        let json: Value = serde_json::from_str(&sample().to_json()).unwrap();
        assert_eq!(json["MediaContainer"]["Metadata"][0]["ratingKey"], "5");
        assert_eq!(json["MediaContainer"]["Metadata"][0]["Field"][0]["locked"], true);
    }
}
