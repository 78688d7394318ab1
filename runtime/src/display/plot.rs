//! Plots a few numbers: lines, points, bars, histograms.
//!
//! plotters draws them. Its black is replaced by the page's own text colour. For
//! other plots, use `swath::plotters` directly.

use super::text::{escape, shorten_end};
use super::{Bundle, Show, Svg, palette};
use crate::error::{Error, Result};
use plotters::coord::ranged1d::SegmentValue;
use plotters::prelude::*;
use std::fmt::Display;
use std::ops::Range;
use std::path::Path;

/// A plot, to be shown as the last expression of a cell, by `display`, or saved.
///
/// ```
/// use swath::display::plot;
/// let plot = plot::line(&[1.0, 4.0, 9.0]).title("Squares").x_label("n");
/// assert!(plot.svg().0.contains("Squares"));
/// ```
#[derive(Clone, Debug)]
pub struct Plot {
    content: Content,
    title: String,
    x_label: String,
    y_label: String,
    size: (u32, u32),
}

#[derive(Clone, Debug)]
enum Content {
    Series(Vec<Series>),
    Bars(Vec<(String, f64)>),
    Histogram {
        counts: Vec<usize>,
        range: Range<f64>,
    },
}

#[derive(Clone, Debug)]
struct Series {
    points: Vec<(f64, f64)>,
    joined: bool,
    name: String,
}

/// Data that can be plotted: numbers over their positions, or over other numbers.
pub trait Points {
    /// Returns the points, (x, y).
    fn points(self) -> Vec<(f64, f64)>;
}

impl Points for &[f64] {
    fn points(self) -> Vec<(f64, f64)> {
        self.iter()
            .enumerate()
            .map(|(x, &y)| (x as f64, y))
            .collect()
    }
}

impl<const N: usize> Points for &[f64; N] {
    fn points(self) -> Vec<(f64, f64)> {
        self.as_slice().points()
    }
}

impl Points for &Vec<f64> {
    fn points(self) -> Vec<(f64, f64)> {
        self.as_slice().points()
    }
}

impl Points for Vec<f64> {
    fn points(self) -> Vec<(f64, f64)> {
        self.as_slice().points()
    }
}

impl<D: ndarray::Dimension> Points for &ndarray::Array<f64, D> {
    fn points(self) -> Vec<(f64, f64)> {
        self.iter()
            .enumerate()
            .map(|(x, &y)| (x as f64, y))
            .collect()
    }
}

impl Points for Vec<(f64, f64)> {
    fn points(self) -> Vec<(f64, f64)> {
        self
    }
}

/// Numbers over other numbers: `(x, y)`, cut to the length of the shorter one.
impl<X: Points, Y: Points> Points for (X, Y) {
    fn points(self) -> Vec<(f64, f64)> {
        let x = self.0.points().into_iter().map(|(_, x)| x);
        let y = self.1.points().into_iter().map(|(_, y)| y);
        x.zip(y).collect()
    }
}

/// Plots a line through points.
pub fn line(points: impl Points) -> Plot {
    Plot::new(Content::Series(Vec::new())).line(points)
}

/// Plots single points.
pub fn scatter(points: impl Points) -> Plot {
    Plot::new(Content::Series(Vec::new())).scatter(points)
}

/// Plots a bar for each label; horizontal bars if the labels are long.
pub fn bar<L: Display>(labels: &[L], values: &[f64]) -> Plot {
    Plot::new(Content::Bars(
        labels
            .iter()
            .map(ToString::to_string)
            .zip(values.iter().copied())
            .collect(),
    ))
}

/// Plots a histogram: the number of values in each of `bins` intervals of equal
/// length, the last one closed. Values that are not finite are ignored.
pub fn histogram(values: &[f64], bins: usize) -> Plot {
    let bins = bins.max(1);
    let finite = || values.iter().copied().filter(|value| has_place(*value));
    let (low, high) = (
        finite().fold(f64::INFINITY, f64::min),
        finite().fold(f64::NEG_INFINITY, f64::max),
    );
    let range = padded(low, high, 0.0);
    let mut counts = vec![0; if finite().next().is_some() { bins } else { 0 }];
    for value in finite() {
        let at = (value - range.start) / (range.end - range.start) * bins as f64;
        counts[(at as usize).min(bins - 1)] += 1;
    }
    Plot::new(Content::Histogram { counts, range }).y_label("count")
}

/// Returns whether a number can be placed on an axis. Near the limits of `f64`
/// there is no room for ticks.
fn has_place(value: f64) -> bool {
    value.abs() <= 1e300
}

/// Returns a range that is not empty, extended by a part of it on both sides. If
/// all values are nearly equal, the range is wider than they need, so that its
/// ticks can be distinguished.
fn padded(low: f64, high: f64, part: f64) -> Range<f64> {
    let magnitude = low.abs().max(high.abs());
    let length = high - low;
    if !(low.is_finite() && high.is_finite()) {
        0.0..1.0
    } else if length > magnitude * 1e-9 && length > 1e-290 {
        low - part * length..high + part * length
    } else {
        let half = (magnitude * 1e-3).max(0.5);
        low - half..high + half
    }
}

impl Plot {
    fn new(content: Content) -> Self {
        Self {
            content,
            title: String::new(),
            x_label: String::new(),
            y_label: String::new(),
            size: (640, 360),
        }
    }

    /// Adds a line.
    #[must_use]
    pub fn line(self, points: impl Points) -> Self {
        self.add(points.points(), true)
    }

    /// Adds points.
    #[must_use]
    pub fn scatter(self, points: impl Points) -> Self {
        self.add(points.points(), false)
    }

    fn add(mut self, points: Vec<(f64, f64)>, joined: bool) -> Self {
        if let Content::Series(series) = &mut self.content {
            series.push(Series {
                points,
                joined,
                name: String::new(),
            });
        }
        self
    }

    /// Names the line or the points added last, for the legend.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        if let Content::Series(series) = &mut self.content
            && let Some(last) = series.last_mut()
        {
            last.name = name.into();
        }
        self
    }

    /// Sets the title above the plot.
    #[must_use]
    pub fn title(mut self, title: impl Into<String>) -> Self {
        self.title = title.into();
        self
    }

    /// Sets the label below the horizontal axis.
    #[must_use]
    pub fn x_label(mut self, label: impl Into<String>) -> Self {
        self.x_label = label.into();
        self
    }

    /// Sets the label beside the vertical axis.
    #[must_use]
    pub fn y_label(mut self, label: impl Into<String>) -> Self {
        self.y_label = label.into();
        self
    }

    /// Sets the width and height in pixels.
    #[must_use]
    pub fn size(mut self, width: u32, height: u32) -> Self {
        self.size = (width.max(160), height.max(120));
        self
    }

    /// Draws the plot.
    pub fn svg(&self) -> Svg {
        let mut drawn = String::new();
        let body = match self.draw(&mut drawn) {
            Ok(()) => {
                let drawn = drawn.split_once('>').map_or("", |(_, body)| body);
                let drawn = drawn.trim().trim_end_matches("</svg>").replace('\n', "");
                let scale = 1.0 / f64::from(FINE);
                format!(
                    r#"<g transform="scale({scale})">{}</g>"#,
                    drawn.replace("#000000", "currentColor")
                )
            }
            // If plotters rejects a plot, the picture shows the reason.
            Err(reason) => format!(
                r#"<text x="16" y="32" fill="currentColor">{}</text>"#,
                escape(&reason)
            ),
        };
        let size = (f64::from(self.size.0), f64::from(self.size.1));
        Svg(super::svg_document("plot", size, &self.summary(), &body))
    }

    /// Writes the picture to a file.
    ///
    /// # Errors
    /// Returns [`Error::Io`] with the name of the file.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        self.svg().save(path)
    }

    fn summary(&self) -> String {
        let what = match &self.content {
            Content::Series(series) => {
                let points: usize = series.iter().map(|series| series.points.len()).sum();
                let kind = match (series.len(), series.iter().all(|series| series.joined)) {
                    (0 | 1, true) => "Line plot",
                    (_, true) => "Plot of lines",
                    _ => "Scatter plot",
                };
                format!("{kind} of {}", super::text::counted(points, "point"))
            }
            Content::Bars(bars) => {
                format!("Bar chart of {}", super::text::counted(bars.len(), "value"))
            }
            Content::Histogram { counts, .. } => {
                let values: usize = counts.iter().sum();
                format!(
                    "Histogram of {} in {}",
                    super::text::counted(values, "value"),
                    super::text::counted(counts.len(), "bin")
                )
            }
        };
        if self.title.is_empty() {
            what
        } else {
            format!("{what}: {}", self.title)
        }
    }

    fn draw(&self, svg: &mut String) -> Result<(), String> {
        let area = SVGBackend::with_string(svg, (self.size.0 * FINE, self.size.1 * FINE))
            .into_drawing_area();
        let area = if self.title.is_empty() {
            area
        } else {
            area.titled(
                &self.title,
                ("sans-serif", (18 * FINE))
                    .into_font()
                    .style(FontStyle::Bold)
                    .color(&BLACK),
            )
            .map_err(|error| error.to_string())?
        };
        match &self.content {
            Content::Series(series) => self.draw_series(&area, series),
            Content::Bars(bars) => self.draw_bars(&area, bars),
            Content::Histogram { counts, range } => self.draw_histogram(&area, counts, range),
        }?;
        area.present().map_err(|error| error.to_string())
    }

    /// The widest text beside the vertical axis determines the width of its area.
    fn builder<'a, 'b>(
        &self,
        area: &'a DrawingArea<SVGBackend<'b>, plotters::coord::Shift>,
        left: u32,
    ) -> ChartBuilder<'a, 'b, SVGBackend<'b>> {
        let mut builder = ChartBuilder::on(area);
        builder
            .margin(10 * FINE)
            .margin_right(18 * FINE)
            .x_label_area_size(if self.x_label.is_empty() { 28 } else { 48 } * FINE)
            .y_label_area_size((left + if self.y_label.is_empty() { 0 } else { 20 }) * FINE);
        builder
    }

    fn draw_series(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
        series: &[Series],
    ) -> Result<(), String> {
        let finite = || {
            series
                .iter()
                .flat_map(|series| &series.points)
                .filter(|(x, y)| has_place(*x) && has_place(*y))
        };
        if finite().next().is_none() {
            return Err("no finite value to plot".to_owned());
        }
        let over = |value: fn(&(f64, f64)) -> f64, part: f64| {
            let low = finite().map(value).fold(f64::INFINITY, f64::min);
            let high = finite().map(value).fold(f64::NEG_INFINITY, f64::max);
            padded(low, high, part)
        };
        let aside = if series.iter().all(|series| series.joined) {
            0.0
        } else {
            0.03
        };
        let (x, y) = (over(|point| point.0, aside), over(|point| point.1, 0.06));
        let mut chart = self
            .builder(area, 52)
            .build_cartesian_2d(x.clone(), y.clone())
            .map_err(|error| error.to_string())?;
        chart
            .configure_mesh()
            .bold_line_style(GRID.stroke_width(FINE))
            .light_line_style(TRANSPARENT)
            .axis_style(AXIS.stroke_width(FINE))
            .set_all_tick_mark_size(5 * FINE as i32)
            .label_style(LABEL)
            .axis_desc_style(LABEL)
            .x_desc(&self.x_label)
            .y_desc(&self.y_label)
            .x_labels(8)
            .y_labels(6)
            .x_label_formatter(&|value| tick(*value, &x))
            .y_label_formatter(&|value| tick(*value, &y))
            .draw()
            .map_err(|error| error.to_string())?;
        let legend = series.iter().any(|series| !series.name.is_empty());
        for (number, series) in series.iter().enumerate() {
            let colour = rgb(palette::series(number));
            if series.joined {
                // A line ends where a value is missing, and a new one begins
                // after it.
                let mut stretches = Vec::new();
                for stretch in series
                    .points
                    .split(|(x, y)| !(has_place(*x) && has_place(*y)))
                {
                    stretches.push(LineSeries::new(
                        stretch.iter().copied(),
                        colour.stroke_width(2 * FINE),
                    ));
                }
                let mut drawn = None;
                for stretch in stretches {
                    drawn = Some(
                        chart
                            .draw_series(stretch)
                            .map_err(|error| error.to_string())?,
                    );
                }
                if let Some(drawn) = drawn.filter(|_| !series.name.is_empty()) {
                    drawn.label(&series.name).legend(move |(x, y)| {
                        PathElement::new(
                            [(x, y), (x + 16 * FINE as i32, y)],
                            colour.stroke_width(2 * FINE),
                        )
                    });
                }
            } else {
                let radius = if series.points.len() > 500 { 2 } else { 3 } * FINE;
                let points = series
                    .points
                    .iter()
                    .filter(|(x, y)| has_place(*x) && has_place(*y));
                let drawn = chart
                    .draw_series(
                        points.map(|&point| Circle::new(point, radius, colour.mix(0.75).filled())),
                    )
                    .map_err(|error| error.to_string())?;
                if !series.name.is_empty() {
                    drawn.label(&series.name).legend(move |(x, y)| {
                        Circle::new((x + 8 * FINE as i32, y), 3 * FINE, colour.filled())
                    });
                }
            }
        }
        if legend {
            chart
                .configure_series_labels()
                .label_font(LABEL)
                .legend_area_size(24 * FINE)
                .margin(6 * FINE)
                .border_style(TRANSPARENT)
                .background_style(TRANSPARENT)
                .position(SeriesLabelPosition::UpperRight)
                .draw()
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    fn draw_histogram(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
        counts: &[usize],
        range: &Range<f64>,
    ) -> Result<(), String> {
        if counts.is_empty() {
            return Err("no finite value to plot".to_owned());
        }
        let top = counts.iter().copied().max().unwrap_or(0).max(1) as f64 * 1.06;
        let mut chart = self
            .builder(area, 52)
            .build_cartesian_2d(range.clone(), 0.0..top)
            .map_err(|error| error.to_string())?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(GRID.stroke_width(FINE))
            .light_line_style(TRANSPARENT)
            .axis_style(AXIS.stroke_width(FINE))
            .set_all_tick_mark_size(5 * FINE as i32)
            .label_style(LABEL)
            .axis_desc_style(LABEL)
            .x_desc(&self.x_label)
            .y_desc(&self.y_label)
            .x_labels(8)
            .y_labels(6)
            .x_label_formatter(&|value| tick(*value, range))
            .y_label_formatter(&|value| tick(*value, &(0.0..top)))
            .draw()
            .map_err(|error| error.to_string())?;
        let width = (range.end - range.start) / counts.len() as f64;
        let colour = rgb(palette::ACCENT);
        chart
            .draw_series(counts.iter().enumerate().map(|(at, &count)| {
                let left = range.start + at as f64 * width;
                let mut bar =
                    Rectangle::new([(left, 0.0), (left + width, count as f64)], colour.filled());
                bar.set_margin(0, 0, FINE / 2, FINE / 2);
                bar
            }))
            .map_err(|error| error.to_string())?;
        Ok(())
    }

    fn draw_bars(
        &self,
        area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
        bars: &[(String, f64)],
    ) -> Result<(), String> {
        let values = || {
            bars.iter()
                .map(|(_, value)| *value)
                .filter(|value| has_place(*value))
        };
        if values().next().is_none() {
            return Err("no finite value to plot".to_owned());
        }
        let low = values().fold(0.0, f64::min);
        let high = values().fold(0.0, f64::max);
        let span = padded(low, high, 0.0);
        let length = span.end - span.start;
        let span = span.start - if low < 0.0 { 0.06 * length } else { 0.0 }
            ..span.end + if high > 0.0 { 0.06 * length } else { 0.0 };
        let colour = rgb(palette::ACCENT).filled();
        let room = (f64::from(self.size.0) - 80.0) / bars.len() as f64;
        let widest = bars
            .iter()
            .map(|(label, _)| super::text::width(label, 12.0))
            .fold(0.0, f64::max);
        let lying = widest > room - 6.0;
        let limit = if lying { 28 } else { 40 };
        let name = |segment: &SegmentValue<usize>| match segment {
            SegmentValue::CenterOf(at) | SegmentValue::Exact(at) => {
                // Horizontal bars begin at the top.
                let at = if lying {
                    (bars.len() - 1).checked_sub(*at)
                } else {
                    Some(*at)
                };
                at.and_then(|at| bars.get(at))
                    .map_or_else(String::new, |(label, _)| shorten_end(label, limit))
            }
            SegmentValue::Last => String::new(),
        };
        let positions = (0..bars.len() - 1).into_segmented();
        let value = |value: &f64| tick(*value, &span);
        if lying {
            let left = bars
                .iter()
                .map(|(label, _)| super::text::width(&shorten_end(label, limit), 12.0))
                .fold(20.0, f64::max);
            let mut chart = self
                .builder(area, left as u32 + 10)
                .build_cartesian_2d(span.clone(), positions)
                .map_err(|error| error.to_string())?;
            chart
                .configure_mesh()
                .disable_y_mesh()
                .bold_line_style(GRID.stroke_width(FINE))
                .light_line_style(TRANSPARENT)
                .axis_style(AXIS.stroke_width(FINE))
                .set_all_tick_mark_size(5 * FINE as i32)
                .label_style(LABEL)
                .axis_desc_style(LABEL)
                .x_desc(&self.x_label)
                .y_desc(&self.y_label)
                .x_labels(6)
                .y_labels(bars.len().min(self.size.1 as usize / 14))
                .x_label_formatter(&value)
                .y_label_formatter(&name)
                .draw()
                .map_err(|error| error.to_string())?;
            chart
                .draw_series(
                    bars.iter()
                        .rev()
                        .enumerate()
                        .filter(|(_, (_, value))| has_place(*value))
                        .map(|(at, (_, value))| {
                            let ends = [
                                (0.0, SegmentValue::Exact(at)),
                                (*value, SegmentValue::Exact(at + 1)),
                            ];
                            let mut bar = Rectangle::new(ends, colour);
                            bar.set_margin(2 * FINE, 2 * FINE, 0, 0);
                            bar
                        }),
                )
                .map_err(|error| error.to_string())?;
        } else {
            let mut chart = self
                .builder(area, 52)
                .build_cartesian_2d(positions, span.clone())
                .map_err(|error| error.to_string())?;
            chart
                .configure_mesh()
                .disable_x_mesh()
                .bold_line_style(GRID.stroke_width(FINE))
                .light_line_style(TRANSPARENT)
                .axis_style(AXIS.stroke_width(FINE))
                .set_all_tick_mark_size(5 * FINE as i32)
                .label_style(LABEL)
                .axis_desc_style(LABEL)
                .x_desc(&self.x_label)
                .y_desc(&self.y_label)
                .x_labels(bars.len())
                .y_labels(6)
                .x_label_formatter(&name)
                .y_label_formatter(&value)
                .draw()
                .map_err(|error| error.to_string())?;
            chart
                .draw_series(
                    bars.iter()
                        .enumerate()
                        .filter(|(_, (_, value))| has_place(*value))
                        .map(|(at, (_, value))| {
                            let ends = [
                                (SegmentValue::Exact(at), 0.0),
                                (SegmentValue::Exact(at + 1), *value),
                            ];
                            let mut bar = Rectangle::new(ends, colour);
                            bar.set_margin(0, 0, 4 * FINE, 4 * FINE);
                            bar
                        }),
                )
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

impl Show for Plot {
    fn show(&self) -> Result<Bundle> {
        self.svg().show()
    }
}

/// plotters draws on whole pixels. It gets this many for each of our pixels,
/// because curves would have steps otherwise.
const FINE: u32 = 8;
const GRID: RGBAColor = RGBAColor(0, 0, 0, 0.16);
const AXIS: RGBAColor = RGBAColor(0, 0, 0, 0.6);
/// plotters uses three quarters of the given font size.
const LABEL: (&str, u32) = ("sans-serif", 14 * FINE);

fn rgb(colour: &str) -> RGBColor {
    let channel = |at: usize| u8::from_str_radix(&colour[at..at + 2], 16).unwrap_or(0);
    RGBColor(channel(1), channel(3), channel(5))
}

/// Formats a number beside an axis, with the digits that the axis' range needs.
fn tick(value: f64, range: &Range<f64>) -> String {
    let step = (range.end - range.start) / 8.0;
    let largest = range.start.abs().max(range.end.abs());
    if largest >= 1e6 || (largest > 0.0 && largest < 1e-4) {
        let text = format!("{value:.2e}");
        return match text.split_once('e') {
            Some((mantissa, "0")) => mantissa
                .trim_end_matches('0')
                .trim_end_matches('.')
                .to_owned(),
            Some((mantissa, exponent)) => format!(
                "{}e{exponent}",
                mantissa.trim_end_matches('0').trim_end_matches('.')
            ),
            None => text,
        };
    }
    let decimals = (-step.log10().floor()).clamp(0.0, 8.0) as usize;
    let text = format!("{value:.decimals$}");
    if text
        .trim_start_matches('-')
        .chars()
        .all(|c| matches!(c, '0' | '.'))
    {
        text.trim_start_matches('-').to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_histogram_counts() {
        let Content::Histogram { counts, range } =
            histogram(&[0.0, 0.5, 1.0, 2.0, f64::NAN], 2).content
        else {
            unreachable!()
        };
        assert_eq!((counts, range), (vec![2, 2], 0.0..2.0));
    }

    #[test]
    fn a_plot_has_the_page_s_colour_and_no_page() {
        let svg = line(&[1.0, 2.0]).title("Two <points>").x_label("n").svg().0;
        assert!(svg.contains("Two &lt;points&gt;"), "{svg}");
        assert!(
            svg.contains("currentColor") && !svg.contains("#000000") && !svg.contains("#FFFFFF")
        );
        assert_eq!(svg.matches("<svg").count(), 1);
        assert!(svg.ends_with("</svg>"));
    }

    #[test]
    fn ticks_read_well() {
        assert_eq!(tick(0.30000000000000004, &(0.0..1.0)), "0.3");
        assert_eq!(tick(-0.0, &(-1.0..1.0)), "0.0");
        assert_eq!(tick(2e6, &(0.0..4e6)), "2e6");
        assert_eq!(tick(150.0, &(0.0..1000.0)), "150");
    }

    /// Numbers of all kinds: close ones, tiny ones, and ordinary ones.
    fn values() -> impl Strategy<Value = Vec<f64>> {
        let one = |range: Range<f64>| prop::collection::vec(range, 0..30);
        prop_oneof![
            prop::collection::vec(prop::num::f64::ANY, 0..30),
            one(1.0..1.0 + 1e-13),
            one(1e15..1e15 + 10.0),
            one(-1e-300..1e-300),
            one(-1e308..1e308),
            one(0.0..1000.0),
        ]
    }

    proptest! {
        /// Any values result in a picture.
        #[test]
        fn any_values_are_drawn(values in values(), bins in 0usize..20) {
            let labels: Vec<usize> = (0..values.len()).collect();
            for plot in [line(&values), scatter((&values, &values)), bar(&labels, &values), histogram(&values, bins)] {
                let svg = plot.svg().0;
                prop_assert!(svg.starts_with("<svg") && svg.ends_with("</svg>"));
                prop_assert!(!svg.contains("NaN"));
            }
        }
    }
}
