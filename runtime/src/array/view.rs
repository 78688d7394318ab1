//! Shows arrays before they are computed, in a cell and in lists of variables.

use super::dtype::Element;
use super::raw::RawArray;
use super::typed::{Array, Scalar};
use crate::compute::describe::{Describe, is_running, of_layer};
use crate::display::text::{bytes, counted, tuple};
use crate::display::{ArrayView, Bundle, ScalarView, Show};
use crate::error::Result;
use swath_channel::Description;

// The public types are generic, but the code that renders them is not. Otherwise each
// cell would compile it again.
impl<T: Element> Show for Array<T> {
    fn show(&self) -> Result<Bundle> {
        array_view(self.raw()).show()
    }
}

impl<T: Element> Show for Scalar<T> {
    fn show(&self) -> Result<Bundle> {
        let dtype = self.raw().dtype().to_string();
        ScalarView::of(self.raw().layer(), None, dtype).show()
    }
}

fn array_view(array: &RawArray) -> ArrayView {
    let (tasks, layers) = array.layer().extent();
    ArrayView {
        shape: array.chunks().lengths(),
        chunks: (0..array.ndim())
            .map(|axis| array.chunks().at_most(axis))
            .collect(),
        dtype: array.dtype().to_string(),
        nbytes: array.chunks().are_known().then(|| array.nbytes()),
        tasks,
        layers,
    }
}

fn array(array: &RawArray) -> Description {
    let chunks = array.chunks();
    let count = chunks.count();
    let number = match count {
        1 => "1 chunk".to_owned(),
        count => counted(count, "chunk"),
    };
    let each = chunks.largest().iter().product::<usize>() * array.dtype().nbytes();
    let (of_chunks, preview) = if !chunks.are_known() {
        let at_most = format!("at most {} a chunk once computed", bytes(each));
        (format!("sizes not known, {number}"), at_most)
    } else if count == 1 {
        (number, format!("{} once computed", bytes(array.nbytes())))
    } else {
        let (all, each) = (bytes(array.nbytes()), bytes(each));
        (
            format!("{}, {number}", tuple(&chunks.largest())),
            format!("{all} once computed, {each} a chunk"),
        )
    };
    Description {
        shape: chunks.shape_text(),
        chunks: of_chunks,
        preview,
        ..of_layer(array.layer(), array.layer().operation_name(0).to_owned())
    }
}

impl<T: Element> Describe for Array<T> {
    fn describe(&self) -> Description {
        array(self.raw())
    }
    fn is_changing(&self) -> bool {
        is_running(self.raw().layer())
    }
}

impl<T: Element> Describe for Scalar<T> {
    fn describe(&self) -> Description {
        let layer = self.raw().layer();
        of_layer(layer, layer.operation_name(0).to_owned())
    }
    fn is_changing(&self) -> bool {
        is_running(self.raw().layer())
    }
}
