//! Converts rust-analyzer's Markdown documentation to HTML and plain text.
//!
//! The signature comes first, then the path of the item, then its documentation.
//! Parts for the compiler only are removed: example lines that begin with `#`, and
//! the import that every cell has. Links to pages that do not exist become plain
//! text.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::protocol::Inspection;
use crate::text::escape;

/// Where rust-analyzer expects Swath's own documentation. It is not published
/// there.
const NOWHERE: &str = "https://docs.rs/swath/";
/// The import that every cell has.
const IMPORT: &str = "use swath::prelude::*;";

/// Converts rust-analyzer's `markdown` for display.
pub(super) fn shown(markdown: &str) -> Inspection {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let events: Vec<Event<'_>> = Parser::new_ext(markdown, options).collect();
    let (head, docs) = head(events);
    let docs = tidied(docs);
    let mut shown = Inspection {
        plain: String::new(),
        html: String::new(),
    };
    if let Some(signature) = &head.signature {
        shown.plain = format!("{signature}\n");
        shown.html = format!(
            "<pre><code class=\"language-rust\">{}</code></pre>\n",
            escape(signature)
        );
    }
    if let Some(place) = &head.place {
        shown.plain.push_str(&format!("in {place}\n"));
        let place = escape(place);
        shown
            .html
            .push_str(&format!("<p>in <code>{place}</code></p>\n"));
    }
    html::push_html(&mut shown.html, docs.iter().cloned());
    let docs = plain(&docs);
    if !shown.plain.is_empty() && !docs.is_empty() {
        shown.plain.push('\n');
    }
    shown.plain.push_str(&docs);
    shown.plain.truncate(shown.plain.trim_end().len());
    shown
}

/// The parts before the documentation.
#[derive(Default)]
struct Head {
    /// The path of the module or type that contains the item.
    place: Option<String>,
    signature: Option<String>,
}

/// Splits off the leading code blocks: the path, if there is one, and the
/// signature.
fn head(events: Vec<Event<'_>>) -> (Head, Vec<Event<'_>>) {
    let mut head = Head::default();
    let mut rest = &events[..];
    let mut blocks = Vec::new();
    while let [Event::Start(Tag::CodeBlock(_)), inner @ ..] = rest {
        let length = inner
            .iter()
            .position(|event| matches!(event, Event::End(TagEnd::CodeBlock)))
            .unwrap_or(inner.len());
        blocks.push(text_of(&inner[..length]).trim_end().to_owned());
        rest = inner.get(length + 1..).unwrap_or_default();
    }
    if let [Event::Rule, docs @ ..] = rest {
        rest = docs;
    }
    let is_path = |text: &String| !text.contains(char::is_whitespace) && !text.contains('(');
    if blocks.len() > 1 && is_path(&blocks[0]) {
        head.place = Some(blocks.remove(0));
    }
    if !blocks.is_empty() {
        head.signature = Some(signature(&blocks.join("\n")));
    }
    (head, rest.to_vec())
}

/// Returns the signature without the trait's own line, which [`Head::place`]
/// names, and without its bounds.
fn signature(text: &str) -> String {
    let own = match text.split_once('\n') {
        Some((first, rest)) if first.contains("trait ") && !rest.starts_with(['w', ' ']) => rest,
        _ => text,
    };
    let bounds = own.find("    // Bounds from trait:");
    let own = bounds.map_or(own, |at| own[..at].trim_end());
    own.strip_suffix("where")
        .unwrap_or(own)
        .trim_end()
        .to_owned()
}

fn text_of(events: &[Event<'_>]) -> String {
    let texts = events.iter().filter_map(|event| match event {
        Event::Text(text) | Event::Code(text) => Some(&**text),
        _ => None,
    });
    texts.collect()
}

/// Removes parts for the compiler, and parts that would look odd in a tooltip.
fn tidied(events: Vec<Event<'_>>) -> Vec<Event<'_>> {
    let mut tidied = Vec::with_capacity(events.len());
    let mut code: Option<String> = None;
    let mut dead_links = Vec::new();
    for event in events {
        match event {
            Event::Start(Tag::CodeBlock(kind)) => {
                // rust-analyzer drops the language where it is only `rust`.
                let language = match &kind {
                    CodeBlockKind::Fenced(language) => language.split(',').next().unwrap_or(""),
                    CodeBlockKind::Indented => "",
                };
                let is_rust = matches!(
                    language.trim(),
                    "" | "rust" | "no_run" | "should_panic" | "ignore" | "compile_fail"
                );
                code = is_rust.then(String::new);
                let language = if is_rust { "rust" } else { language };
                let kind = CodeBlockKind::Fenced(language.to_owned().into());
                tidied.push(Event::Start(Tag::CodeBlock(kind)));
            }
            Event::End(TagEnd::CodeBlock) => {
                if let Some(code) = code.take() {
                    tidied.push(Event::Text(example(&code).into()));
                }
                tidied.push(Event::End(TagEnd::CodeBlock));
            }
            Event::Text(text) => match &mut code {
                Some(code) => code.push_str(&text),
                None => tidied.push(Event::Text(text)),
            },
            // Headings of a page are too large for a tooltip.
            Event::Start(Tag::Heading { .. }) => {
                tidied.push(Event::Start(Tag::Paragraph));
                tidied.push(Event::Start(Tag::Strong));
            }
            Event::End(TagEnd::Heading(_)) => {
                tidied.push(Event::End(TagEnd::Strong));
                tidied.push(Event::End(TagEnd::Paragraph));
            }
            Event::Start(Tag::Link { ref dest_url, .. }) => {
                let is_dead = is_dead(dest_url);
                dead_links.push(is_dead);
                if !is_dead {
                    tidied.push(event);
                }
            }
            Event::End(TagEnd::Link) => {
                if dead_links.pop() != Some(true) {
                    tidied.push(event);
                }
            }
            event => tidied.push(event),
        }
    }
    tidied
}

/// Returns whether a link is dead: it leads to a page that does not exist, or to a
/// name.
fn is_dead(url: &CowStr<'_>) -> bool {
    url.starts_with(NOWHERE) || !(url.starts_with("https://") || url.starts_with("http://"))
}

/// Returns an example without the lines that rustdoc hides.
fn example(code: &str) -> String {
    let lines: Vec<String> = code
        .lines()
        .filter(|line| {
            let line = line.trim();
            line != "#" && !line.starts_with("# ") && line != IMPORT
        })
        // rustdoc writes `##` for a line that begins with `#`.
        .map(|line| match line.trim_start().starts_with("##") {
            true => line.replacen("##", "#", 1),
            false => line.to_owned(),
        })
        .collect();
    let text = lines.join("\n");
    format!("{}\n", text.trim_matches('\n'))
}

/// Returns the text without markup: one line per paragraph, code indented.
fn plain(events: &[Event<'_>]) -> String {
    let mut text = String::new();
    let mut lists: Vec<Option<u64>> = Vec::new();
    let mut is_code = false;
    for event in events {
        match event {
            Event::Start(Tag::CodeBlock(_)) => is_code = true,
            Event::End(TagEnd::CodeBlock) => {
                is_code = false;
                text.push('\n');
            }
            Event::Text(code) if is_code => {
                for line in code.lines() {
                    text.push_str(format!("    {line}").trim_end());
                    text.push('\n');
                }
            }
            Event::Text(part) | Event::Code(part) => text.push_str(part),
            Event::SoftBreak => text.push(' '),
            Event::HardBreak => text.push('\n'),
            Event::Start(Tag::List(first)) => {
                end_line(&mut text);
                lists.push(*first);
            }
            Event::End(TagEnd::List(_)) => {
                lists.pop();
                text.push_str(if lists.is_empty() { "\n" } else { "" });
            }
            Event::Start(Tag::Item) => {
                end_line(&mut text);
                text.push_str(&"  ".repeat(lists.len().saturating_sub(1)));
                match lists.last_mut() {
                    Some(Some(number)) => {
                        text.push_str(&format!("{number}. "));
                        *number += 1;
                    }
                    _ => text.push_str("- "),
                }
            }
            Event::End(TagEnd::Item) => end_line(&mut text),
            Event::End(TagEnd::Paragraph) if lists.is_empty() => text.push_str("\n\n"),
            Event::End(TagEnd::Paragraph) => end_line(&mut text),
            Event::End(TagEnd::TableCell) => text.push_str("  "),
            Event::End(TagEnd::TableHead | TagEnd::TableRow) => {
                text.truncate(text.trim_end().len());
                text.push('\n');
            }
            Event::End(TagEnd::Table) => text.push('\n'),
            _ => {}
        }
    }
    text
}

fn end_line(text: &mut String) {
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_place_documentation() {
        let shown = shown(
            "```rust\nswath::array::Array\n```\n\n```rust\npub fn ones<T>(n: usize) -> Self\n```\n\n---\n\n\
             Ones. See\n[`Error::Shape`](https://docs.rs/swath/0.1.0/swath/enum.Error.html) and\n\
             [std](https://doc.rust-lang.org/std/).\n\n# Errors\n\n* `a`: one\n* two\n\n\
             ```\nuse swath::prelude::*;\n\nlet x = 1;\n# hidden();\n#[test]\n## shown\n#\n# Ok::<(), ()>(())\n```\n\n\
             ```text\n# shown\n```",
        );
        assert_eq!(
            shown.plain,
            "pub fn ones<T>(n: usize) -> Self\nin swath::array::Array\n\n\
             Ones. See Error::Shape and std.\n\nErrors\n\n- a: one\n- two\n\n    \
             let x = 1;\n    #[test]\n    # shown\n\n    # shown"
        );
        assert_eq!(
            shown.html,
            "<pre><code class=\"language-rust\">pub fn ones&lt;T&gt;(n: usize) -&gt; Self</code></pre>\n\
             <p>in <code>swath::array::Array</code></p>\n\
             <p>Ones. See\n<code>Error::Shape</code> and\n\
             <a href=\"https://doc.rust-lang.org/std/\">std</a>.</p>\n\
             <p><strong>Errors</strong></p>\n\
             <ul>\n<li><code>a</code>: one</li>\n<li>two</li>\n</ul>\n\
             <pre><code class=\"language-rust\">let x = 1;\n#[test]\n# shown\n</code></pre>\n\
             <pre><code class=\"language-text\"># shown\n</code></pre>\n"
        );
    }

    #[test]
    fn a_method_of_a_trait() {
        let markdown = "```rust\nswath::Collection\n```\n```rust\npub trait Collection\npub fn persist(&self) -> Result<Self>\nwhere\n    // Bounds from trait:\n    Self: Clone,\n```\n";
        assert_eq!(
            shown(markdown).plain,
            "pub fn persist(&self) -> Result<Self>\nin swath::Collection"
        );
        let itself =
            "```rust\nswath\n```\n```rust\npub trait Collection\nwhere\n    Self: Clone,\n```";
        assert_eq!(
            shown(itself).plain,
            "pub trait Collection\nwhere\n    Self: Clone,\nin swath"
        );
    }

    #[test]
    fn what_has_no_place() {
        assert_eq!(shown("```rust\nlet x: i32\n```").plain, "let x: i32");
        let keyword = shown("```rust\nmatch\n```\n\n---\n\nControl flow.");
        assert_eq!(keyword.plain, "match\n\nControl flow.");
        assert_eq!(shown("").plain, "");
        assert_eq!(
            shown("| a | b |\n|---|---|\n| 1 | 2 |\n").plain,
            "a  b\n1  2"
        );
    }
}
