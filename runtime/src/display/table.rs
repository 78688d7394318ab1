//! Shows data frames and series as tables, in HTML and as text.
//!
//! A `Table` holds the texts of the cells that are shown. Hidden cells are
//! never formatted, so a frame of a billion rows costs no more than its first
//! and last rows.

use super::style;
use super::text::{counted, grouped, one_line, shorten_end};
use super::{Bundle, Show};
use crate::error::Result;
use maud::{Markup, html};
use polars::prelude::{AnyValue, Column, DataFrame, DataType, Series};
use unicode_width::UnicodeWidthStr;

/// Up to the first number, all rows are shown; above it, the second number from
/// each end.
const ROWS: (usize, usize) = (40, 10);
/// The same for columns.
const COLUMNS: (usize, usize) = (20, 10);
/// Longer texts are shortened.
const TEXT: usize = 60;
/// The width of a text table, in columns of a terminal.
const TERMINAL: usize = 120;

/// The visible part of a frame.
struct Table {
    columns: Vec<Option<Shown>>,
    /// The shown row before which rows are hidden.
    gap: Option<usize>,
    note: String,
}

/// A column that is shown.
struct Shown {
    name: String,
    dtype: String,
    numeric: bool,
    cells: Vec<Cell>,
}

struct Cell {
    text: String,
    /// The full text, if it is shortened.
    whole: Option<String>,
    null: bool,
}

/// Returns the positions that are shown: all, or some from both ends around a
/// gap.
fn shown(count: usize, (all, ends): (usize, usize)) -> Vec<Option<usize>> {
    if count <= all {
        return (0..count).map(Some).collect();
    }
    (0..ends)
        .map(Some)
        .chain([None])
        .chain((count - ends..count).map(Some))
        .collect()
}

impl Table {
    fn new(frame: &[&Column], height: usize, note: String) -> Self {
        let rows = shown(height, ROWS);
        let present: Vec<usize> = rows.iter().copied().flatten().collect();
        let columns = shown(frame.len(), COLUMNS)
            .into_iter()
            .map(|at| at.map(|at| Shown::new(frame[at], &present)))
            .collect();
        Self {
            columns,
            gap: rows.iter().position(Option::is_none),
            note,
        }
    }

    fn height(&self) -> usize {
        self.columns
            .iter()
            .flatten()
            .map(|column| column.cells.len())
            .max()
            .unwrap_or(0)
    }

    fn html(&self) -> String {
        style::page(&html! {
            table.swath-table {
                thead { tr { @for column in &self.columns { (head(column.as_ref())) } } }
                tbody {
                    @for row in 0..self.height() {
                        @if self.gap == Some(row) {
                            tr { @for _ in &self.columns { td.swath-gap { "⋮" } } }
                        }
                        tr { @for column in &self.columns { (cell(column.as_ref(), row)) } }
                    }
                }
            }
            p.swath-note { (self.note) }
        })
    }

    fn text(&self) -> String {
        let mut shown: Vec<(Vec<String>, bool, usize)> = self
            .columns
            .iter()
            .map(|column| self.text_column(column.as_ref()))
            .collect();
        // Columns that do not fit into a terminal are removed from the middle.
        let total = |shown: &[(Vec<String>, bool, usize)]| {
            shown.iter().map(|(_, _, width)| width + 2).sum::<usize>()
        };
        if total(&shown) > TERMINAL {
            let mut middle = shown.len() / 2;
            let gap = self.text_column(None);
            while shown.len() > 2 && total(&shown) + gap.2 + 2 > TERMINAL {
                middle = middle.min(shown.len() - 1);
                shown.remove(middle);
                middle = shown.len() / 2;
            }
            // Avoids a second gap beside an existing one.
            shown.retain(|(lines, _, _)| lines[0] != "…");
            shown.insert(shown.len().div_ceil(2), gap);
        }
        let mut text = String::new();
        for line in 0..shown.first().map_or(0, |(lines, _, _)| lines.len()) {
            let mut row = String::new();
            for (lines, right, width) in &shown {
                let fill = " ".repeat(width - lines[line].width());
                row.push_str(if row.is_empty() { "" } else { "  " });
                if *right {
                    row.push_str(&fill);
                    row.push_str(&lines[line]);
                } else {
                    row.push_str(&lines[line]);
                    row.push_str(&fill);
                }
            }
            text.push_str(row.trim_end());
            text.push('\n');
        }
        text + &self.note
    }

    /// Returns a column's lines (name, dtype, rule, cells), whether they are
    /// aligned to the right, and their width.
    fn text_column(&self, column: Option<&Shown>) -> (Vec<String>, bool, usize) {
        let mut lines: Vec<String> = match column {
            Some(column) => [
                shorten_end(&one_line(&column.name), TEXT),
                column.dtype.clone(),
                String::new(),
            ]
            .into_iter()
            .chain(column.cells.iter().map(|cell| cell.text.clone()))
            .collect(),
            None => ["…", "…", ""]
                .into_iter()
                .map(str::to_owned)
                .chain((0..self.height()).map(|_| "…".to_owned()))
                .collect(),
        };
        if let Some(gap) = self.gap {
            lines.insert(3 + gap, "⋮".to_owned());
        }
        let width = lines.iter().map(|line| line.width()).max().unwrap_or(0);
        lines[2] = "─".repeat(width);
        (lines, column.is_some_and(|column| column.numeric), width)
    }
}

fn head(column: Option<&Shown>) -> Markup {
    html! {
        @match column {
            Some(column) => {
                @let name = shorten_end(&one_line(&column.name), TEXT);
                th class=[column.numeric.then_some("swath-right")] title=[(name != column.name).then_some(&column.name)] {
                    (name) span.swath-dtype { (column.dtype) }
                }
            }
            None => { th.swath-gap { "…" } }
        }
    }
}

fn cell(column: Option<&Shown>, row: usize) -> Markup {
    html! {
        @match column {
            Some(column) => {
                @let cell = &column.cells[row];
                td class=[cell.class(column.numeric)] title=[cell.whole.as_ref()] {
                    @if cell.null { span.swath-null { (cell.text) } } @else { (cell.text) }
                }
            }
            None => { td.swath-gap { "…" } }
        }
    }
}

impl Shown {
    fn new(column: &Column, rows: &[usize]) -> Self {
        let values: Vec<AnyValue<'_>> = rows
            .iter()
            .map(|&row| column.get(row).unwrap_or(AnyValue::Null))
            .collect();
        let floats = floats(&values);
        let cells = values
            .iter()
            .zip(floats)
            .map(|(value, float)| Cell::new(value, float))
            .collect();
        Self {
            name: column.name().to_string(),
            dtype: column.dtype().to_string(),
            numeric: column.dtype().is_numeric() || *column.dtype() == DataType::Null,
            cells,
        }
    }
}

impl Cell {
    fn new(value: &AnyValue<'_>, float: Option<String>) -> Self {
        let text = match (value, float) {
            (AnyValue::Null, _) => {
                return Self {
                    text: "null".to_owned(),
                    whole: None,
                    null: true,
                };
            }
            (_, Some(float)) => float,
            (AnyValue::List(values), _) => list(values),
            (value, _) => value.str_value().into_owned(),
        };
        let line = one_line(&text);
        let cut = shorten_end(&line, TEXT);
        // A tooltip with an entire book would help nobody.
        let whole = (cut != line).then(|| shorten_end(&text, 1000));
        Self {
            text: cut,
            whole,
            null: false,
        }
    }
}

impl Cell {
    fn class(&self, numeric: bool) -> Option<&'static str> {
        match (numeric, self.null) {
            (true, _) => Some("swath-right"),
            // Spaces in a text are significant.
            (false, false) => Some("swath-text"),
            (false, true) => None,
        }
    }
}

fn list(values: &Series) -> String {
    const ITEMS: usize = 8;
    let mut items: Vec<String> = values
        .iter()
        .take(ITEMS)
        .map(|value| value.to_string())
        .collect();
    if values.len() > ITEMS {
        items.push("…".to_owned());
    }
    format!("[{}]", items.join(", "))
}

/// Formats the values that are floating-point numbers, with as many decimals as
/// the one that needs most, at most six. Uses scientific notation if small
/// values would be lost or large ones would be too long.
fn floats(values: &[AnyValue<'_>]) -> Vec<Option<String>> {
    let numbers: Vec<Option<f64>> = values
        .iter()
        .map(|value| match value {
            AnyValue::Float32(value) => Some(f64::from(*value)),
            AnyValue::Float64(value) => Some(*value),
            _ => None,
        })
        .collect();
    aligned(&numbers)
}

/// See [`floats`].
pub(super) fn aligned(numbers: &[Option<f64>]) -> Vec<Option<String>> {
    const DECIMALS: usize = 6;
    let finite = || {
        numbers
            .iter()
            .flatten()
            .copied()
            .filter(|number| number.is_finite())
    };
    let scientific =
        finite().any(|number| number.abs() >= 1e15 || (number != 0.0 && number.abs() < 1e-5));
    let write = |number: f64, decimals: usize| {
        if scientific {
            format!("{number:.decimals$e}")
        } else {
            format!("{number:.decimals$}")
        }
    };
    let needed = |number: f64| {
        let text = write(number, DECIMALS);
        let mantissa = text.split('e').next().unwrap_or(&text);
        let zeros = mantissa.len() - mantissa.trim_end_matches('0').len();
        DECIMALS - zeros.min(DECIMALS)
    };
    let decimals = finite().map(needed).max().unwrap_or(1).max(1);
    numbers
        .iter()
        .map(|number| {
            number.map(|number| {
                if number.is_finite() {
                    write(number, decimals)
                } else {
                    number.to_string()
                }
            })
        })
        .collect()
}

impl Show for DataFrame {
    fn show(&self) -> Result<Bundle> {
        let columns: Vec<&Column> = self.columns().iter().collect();
        let note = format!(
            "{} × {}",
            counted(self.height(), "row"),
            counted(self.width(), "column")
        );
        let table = Table::new(&columns, self.height(), note);
        Ok(Bundle::text(table.text()).with("text/html", table.html()))
    }
}

impl Show for Series {
    fn show(&self) -> Result<Bundle> {
        let column = Column::from(self.clone());
        let note = format!("series of {}", counted(self.len(), "value"));
        let table = Table::new(&[&column], self.len(), note);
        Ok(Bundle::text(table.text()).with("text/html", table.html()))
    }
}

impl Show for Column {
    fn show(&self) -> Result<Bundle> {
        let note = format!("column of {}", counted(self.len(), "value"));
        let table = Table::new(&[self], self.len(), note);
        Ok(Bundle::text(table.text()).with("text/html", table.html()))
    }
}

/// Formats the first rows of the first columns of a frame as text, for frames
/// of any size.
pub(crate) fn preview(frame: &[Column]) -> String {
    const ROWS: usize = 5;
    const COLUMNS: usize = 12;
    let height = frame.first().map_or(0, Column::len);
    let heads: Vec<Column> = frame
        .iter()
        .take(COLUMNS)
        .map(|column| column.head(Some(ROWS)))
        .collect();
    let mut columns: Vec<Option<Shown>> = heads
        .iter()
        .map(|head| Some(Shown::new(head, &(0..head.len()).collect::<Vec<_>>())))
        .collect();
    if frame.len() > COLUMNS {
        columns.push(None);
    }
    let more = if height > ROWS { "⋮\n" } else { "" };
    let note = format!(
        "{more}{} × {}",
        counted(height, "row"),
        counted(frame.len(), "column")
    );
    let table = Table {
        columns,
        gap: None,
        note,
    };
    table.text()
}

/// Shows names and values in two columns.
pub(super) fn facts(facts: &[(&str, String)]) -> Markup {
    html! {
        table.swath-table.swath-plain {
            tbody { @for (name, value) in facts { tr { th { (name) } td { (value) } } } }
        }
    }
}

/// Shows columns and dtypes: what is known of a frame before it is computed.
pub(super) fn structure(schema: &[(String, String)]) -> Markup {
    html! {
        table.swath-table {
            thead { tr {
                @for at in shown(schema.len(), COLUMNS) {
                    @match at {
                        Some(at) => { th { (schema[at].0) span.swath-dtype { (schema[at].1) } } }
                        None => { th.swath-gap { "… " (grouped(schema.len() - 2 * COLUMNS.1)) " more …" } }
                    }
                }
            } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::*;
    use proptest::prelude::*;

    fn text(show: &impl Show) -> String {
        show.show().unwrap().get("text/plain").unwrap().to_owned()
    }

    fn page(show: &impl Show) -> String {
        let html = show.show().unwrap().get("text/html").unwrap().to_owned();
        let (_, content) = html.split_once("</style>").unwrap();
        content.to_owned()
    }

    fn users() -> DataFrame {
        df!(
            "sex" => ["F", "M"],
            "user_id" => [481.406593, 468.167164],
            "age" => [Some(33.8), None],
            "<tag>" => ["a & b", "x\ny"],
        )
        .unwrap()
    }

    #[test]
    fn a_frame_as_text() {
        insta::assert_snapshot!(text(&users()), @r"
        sex     user_id   age  <tag>
        str         f64   f64  str
        ───  ──────────  ────  ─────
        F    481.406593  33.8  a & b
        M    468.167164  null  x↵y
        2 rows × 4 columns
        ");
    }

    #[test]
    fn a_frame_as_html() {
        insta::assert_snapshot!(page(&users()).replace("<tr>", "\n<tr>"));
    }

    #[test]
    fn a_series_as_text() {
        let ids = Series::new("movie_id".into(), (0..1000i64).collect::<Vec<_>>());
        let shown = text(&ids);
        assert_eq!(shown.lines().count(), 3 + 21 + 1);
        assert!(
            shown.ends_with("     998\n     999\nseries of 1,000 values"),
            "{shown}"
        );
        assert_eq!(page(&ids).matches("<tr>").count(), 1 + 21);
    }

    #[test]
    fn many_columns_leave_out_the_middle() {
        let many: Vec<Column> = (0..200)
            .map(|at| Column::new(format!("column {at}").into(), [at as i64]))
            .collect();
        let frame = DataFrame::new(1, many).unwrap();
        let shown = text(&frame);
        assert!(shown.lines().all(|line| line.width() <= TERMINAL));
        assert_eq!(shown.lines().next().unwrap().matches('…').count(), 1);
        assert!(shown.contains("column 0") && shown.contains("column 199"));
        assert!(shown.ends_with("1 row × 200 columns"));
        assert_eq!(page(&frame).matches("<th").count(), 1 + 21);
    }

    #[test]
    fn floats_share_their_decimals() {
        let check = |numbers: &[f64], texts: &[&str]| {
            let numbers: Vec<Option<f64>> = numbers.iter().copied().map(Some).collect();
            let found: Vec<String> = aligned(&numbers).into_iter().flatten().collect();
            assert_eq!(found, texts);
        };
        check(&[481.4065934, 33.5], &["481.406593", "33.500000"]);
        check(&[1.0, 20.0], &["1.0", "20.0"]);
        check(&[1.5, f64::NAN, f64::INFINITY], &["1.5", "NaN", "inf"]);
        check(&[1e-9, 1.0], &["1.0e-9", "1.0e0"]);
        check(&[1.25e20], &["1.25e20"]);
        check(&[0.0, -0.5], &["0.0", "-0.5"]);
        check(&[], &[]);
    }

    #[test]
    fn empty_frames_and_long_texts() {
        assert!(text(&DataFrame::empty()).ends_with("0 rows × 0 columns"));
        let long = "word ".repeat(100);
        let frame = df!("text" => [long.as_str()], "big" => [u64::MAX]).unwrap();
        let shown = text(&frame);
        assert!(shown.contains("18446744073709551615"));
        assert!(shown.lines().all(|line| line.width() < 100));
        assert!(page(&frame).contains(&format!("title=\"{}", long.trim_end())));
    }

    proptest! {
        /// No name or text becomes markup.
        #[test]
        fn texts_are_escaped(name in "\\PC{1,12}", values in prop::collection::vec(any::<String>(), 1..5)) {
            let frame = DataFrame::new(values.len(), vec![Column::new(name.into(), &values)]).unwrap();
            let html = page(&frame);
            let known = ["<table", "</table", "<thead", "</thead", "<tbody", "</tbody", "<tr", "</tr", "<th", "</th",
                "<td", "</td", "<span", "</span", "<p", "</p", "</div"];
            for (at, _) in html.match_indices('<') {
                prop_assert!(known.iter().any(|tag| html[at..].starts_with(tag)), "{}", &html[at..]);
            }
        }
    }
}
