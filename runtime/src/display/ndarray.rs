//! Formats arrays of ndarray as text: aligned, shortened in the middle, with
//! shape and dtype.

use super::table::aligned;
use super::text::tuple;
use super::{Bundle, Show};
use crate::error::Result;
use crate::graph::short_type_name;
use ndarray::{ArrayBase, Data, Dimension};
use std::fmt::Display;
use unicode_width::UnicodeWidthStr;

/// Arrays with more elements are shortened, to the given number from each end
/// of an axis.
const ELEMENTS: usize = 200;
const ENDS: usize = 3;
/// The maximum width of a row before it is broken.
const LINE: usize = 96;

impl<S, D> Show for ArrayBase<S, D>
where
    S: Data,
    S::Elem: Display,
    D: Dimension,
{
    fn show(&self) -> Result<Bundle> {
        let view = self.view().into_dyn();
        let dtype = short_type_name(std::any::type_name::<S::Elem>());
        Ok(Bundle::text(text(self.shape(), &dtype, &|index| {
            view[index].to_string()
        })))
    }
}

fn text(shape: &[usize], dtype: &str, element: &dyn Fn(&[usize]) -> String) -> String {
    let size: usize = shape.iter().product();
    let cut = size > ELEMENTS;
    let axes: Vec<Vec<Option<usize>>> = shape
        .iter()
        .map(|&length| {
            if cut && length > 2 * ENDS {
                (0..ENDS)
                    .map(Some)
                    .chain([None])
                    .chain((length - ENDS..length).map(Some))
                    .collect()
            } else {
                (0..length).map(Some).collect()
            }
        })
        .collect();
    let mut texts = Vec::new();
    collect(&axes, &mut Vec::new(), element, &mut texts);
    if matches!(dtype, "f64" | "f32") {
        let numbers: Vec<Option<f64>> = texts.iter().map(|text| text.parse().ok()).collect();
        for (text, aligned) in texts.iter_mut().zip(aligned(&numbers)) {
            if let Some(aligned) = aligned {
                *text = aligned;
            }
        }
    }
    if shape.is_empty() {
        return format!("{}\nshape (), {dtype}", texts.concat());
    }
    let width = texts.iter().map(|text| text.width()).max().unwrap_or(0);
    let mut lines = String::new();
    write(&mut lines, &axes, &mut texts.iter(), width, 1);
    format!("{lines}\nshape {}, {dtype}", tuple(shape))
}

/// Collects the texts of the elements that are shown, row-major.
fn collect(
    axes: &[Vec<Option<usize>>],
    index: &mut Vec<usize>,
    element: &dyn Fn(&[usize]) -> String,
    texts: &mut Vec<String>,
) {
    let Some((axis, rest)) = axes.split_first() else {
        texts.push(element(index));
        return;
    };
    for &at in axis.iter().flatten() {
        index.push(at);
        collect(rest, index, element, texts);
        index.pop();
    }
}

fn write(
    text: &mut String,
    axes: &[Vec<Option<usize>>],
    texts: &mut std::slice::Iter<'_, String>,
    width: usize,
    indent: usize,
) {
    let Some((axis, rest)) = axes.split_first() else {
        return;
    };
    text.push('[');
    let mut column = indent;
    for (number, at) in axis.iter().enumerate() {
        let last = number + 1 == axis.len();
        if rest.is_empty() {
            let item = match at {
                Some(_) => texts.next().map(String::as_str).unwrap_or_default(),
                None => "…",
            };
            let fill = if at.is_some() {
                width - item.width()
            } else {
                0
            };
            if number > 0 {
                if column + fill + item.width() + 2 > LINE {
                    text.push_str(",\n");
                    text.push_str(&" ".repeat(indent));
                    column = indent;
                } else {
                    text.push_str(", ");
                    column += 2;
                }
            }
            text.push_str(&" ".repeat(fill));
            text.push_str(item);
            column += fill + item.width();
        } else {
            match at {
                Some(_) => write(text, rest, texts, width, indent + 1),
                None => text.push('…'),
            }
            if !last {
                text.push(',');
                text.push_str(&"\n".repeat(rest.len()));
                text.push_str(&" ".repeat(indent));
            }
        }
    }
    text.push(']');
}

#[cfg(test)]
mod tests {
    use super::super::Show;
    use ndarray::{Array, Array1, Array2, arr0, array};

    fn text(value: &impl Show) -> String {
        value.show().unwrap().get("text/plain").unwrap().to_owned()
    }

    #[test]
    fn arrays_as_text() {
        insta::assert_snapshot!(text(&array![[1.0, 22.5], [3.25, 4.0]]), @r"
        [[ 1.00, 22.50],
         [ 3.25,  4.00]]
        shape (2, 2), f64
        ");
        insta::assert_snapshot!(text(&Array2::from_shape_fn((10, 1000), |(row, column)| row * column)), @r"
        [[   0,    0,    0, …,    0,    0,    0],
         [   0,    1,    2, …,  997,  998,  999],
         [   0,    2,    4, …, 1994, 1996, 1998],
         …,
         [   0,    7,   14, …, 6979, 6986, 6993],
         [   0,    8,   16, …, 7976, 7984, 7992],
         [   0,    9,   18, …, 8973, 8982, 8991]]
        shape (10, 1000), usize
        ");
        insta::assert_snapshot!(text(&Array::<bool, _>::from_elem((2, 1, 2), true)), @r"
        [[[true, true]],

         [[true, true]]]
        shape (2, 1, 2), bool
        ");
        assert_eq!(text(&arr0(2.5)), "2.5\nshape (), f64");
        assert_eq!(text(&Array1::<f64>::zeros(0)), "[]\nshape (0,), f64");
        assert!(
            text(&Array1::<f64>::zeros(100))
                .lines()
                .all(|line| line.len() <= 96)
        );
    }
}
