//! A small writer of XML 1.0: everything that goes through it is escaped, and characters that XML forbids are shown by
//! signs for them.

use crate::visible::visible;

/// An element under construction; its text is complete when it is handed to its parent.
pub(crate) struct Element {
    name: &'static str,
    attributes: String,
    content: String,
    /// Whether the content consists of elements, one a line, or of text.
    nested: bool,
}

impl Element {
    pub(crate) fn new(name: &'static str) -> Element {
        Element {
            name,
            attributes: String::new(),
            content: String::new(),
            nested: false,
        }
    }

    pub(crate) fn attribute(mut self, name: &str, value: impl AsRef<str>) -> Element {
        let value = escape(value.as_ref())
            .replace('\n', "&#10;")
            .replace('\t', "&#9;");
        self.attributes.push_str(&format!(" {name}=\"{value}\""));
        self
    }

    pub(crate) fn text(mut self, text: &str) -> Element {
        self.content.push_str(&escape(text));
        self
    }

    pub(crate) fn child(mut self, child: Element) -> Element {
        self.nested = true;
        self.content.push_str(&child.finish());
        self
    }

    pub(crate) fn children(self, children: impl IntoIterator<Item = Element>) -> Element {
        children.into_iter().fold(self, Element::child)
    }

    /// The element and a line feed.
    pub(crate) fn finish(self) -> String {
        let Element {
            name,
            attributes,
            content,
            nested,
        } = self;
        match (content.is_empty(), nested) {
            (true, _) => format!("<{name}{attributes}/>\n"),
            (false, true) => format!("<{name}{attributes}>\n{content}</{name}>\n"),
            (false, false) => format!("<{name}{attributes}>{content}</{name}>\n"),
        }
    }
}

fn escape(text: &str) -> String {
    visible(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::Element;

    #[test]
    fn escapes_and_replaces() {
        let element = Element::new("a")
            .attribute("b", "\"<\n>\"")
            .text("]]> & \u{8}\u{fffe}\r");
        assert_eq!(
            element.finish(),
            "<a b=\"&quot;&lt;&#10;&gt;&quot;\">]]&gt; &amp; ⟨U+0008⟩⟨U+FFFE⟩⟨U+000D⟩</a>\n"
        );
    }
}
