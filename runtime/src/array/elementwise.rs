//! Operations that look at one element of each input at a time.
//!
//! The bodies work on whole chunks and write into an input's memory where
//! nobody else holds it.

use super::chunk::{Chunk, with_array, with_numbers, with_type};
use super::chunks::tuple;
use super::dtype::{Arithmetic, DType, Element, Kernel, Literal, overflow};
use crate::error::{Error, Result};
use crate::graph::{Arguments, Block, EncodedOperation, Operation, Value};
use ndarray::{ArcArray, ArrayD, ArrayViewD, IxDyn, Zip};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

type Elements<T> = ArcArray<T, IxDyn>;

/// What is done with two elements of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Minimum,
    Maximum,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    And,
    Or,
    Xor,
}

impl BinaryOp {
    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "sub",
            Self::Mul => "mul",
            Self::Div => "div",
            Self::Rem => "rem",
            Self::Minimum => "minimum",
            Self::Maximum => "maximum",
            Self::Less => "lt",
            Self::LessEqual => "le",
            Self::Greater => "gt",
            Self::GreaterEqual => "ge",
            Self::Equal => "eq",
            Self::NotEqual => "ne",
            Self::And => "and",
            Self::Or => "or",
            Self::Xor => "xor",
        }
    }

    /// For messages: cannot … shapes.
    pub(super) fn verb(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Sub => "subtract",
            Self::Mul => "multiply",
            Self::Div | Self::Rem => "divide",
            Self::Minimum | Self::Maximum => "compare",
            _ if self.compares() => "compare",
            _ => "combine",
        }
    }

    fn compares(self) -> bool {
        matches!(
            self,
            Self::Less
                | Self::LessEqual
                | Self::Greater
                | Self::GreaterEqual
                | Self::Equal
                | Self::NotEqual
        )
    }

    /// The type of the result for elements of a type.
    pub(super) fn result(self, dtype: DType) -> DType {
        if self.compares() { DType::Bool } else { dtype }
    }
}

/// Two arrays of one type, element by element.
#[derive(Serialize, Deserialize)]
pub(super) struct Binary(pub(super) BinaryOp);

impl Operation for Binary {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [left, right] = inputs_of(inputs)?;
        binary(self.0, left, right).map(Value::new)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/binary")
    }
}

/// An array and one element.
#[derive(Serialize, Deserialize)]
pub(super) struct WithLiteral {
    pub(super) op: BinaryOp,
    pub(super) literal: Literal,
    /// Whether the element is on the left.
    pub(super) literal_first: bool,
}

impl Operation for WithLiteral {
    fn name(&self) -> &str {
        self.op.name()
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [array] = inputs_of(inputs)?;
        let scalar = single(self.literal);
        if self.literal_first {
            binary(self.op, scalar, array)
        } else {
            binary(self.op, array, scalar)
        }
        .map(Value::new)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/with-literal")
    }
}

/// The chunks that a task of `N` inputs was given.
pub(super) fn inputs_of<const N: usize>(inputs: Vec<Value>) -> Result<[Chunk; N]> {
    Ok(Chunk::all_of(inputs)?
        .try_into()
        .unwrap_or_else(|_| unreachable!("invariant: the layer tells {N} inputs")))
}

/// An array of one element and no axis.
pub(super) fn single(literal: Literal) -> Chunk {
    fn wrap<T: Element>(element: T) -> Chunk {
        T::wrap(ArcArray::from_elem(IxDyn(&[]), element))
    }
    match literal {
        Literal::F64(value) => wrap(value),
        Literal::F32(value) => wrap(value),
        Literal::I64(value) => wrap(value),
        Literal::I32(value) => wrap(value),
        Literal::U64(value) => wrap(value),
        Literal::U32(value) => wrap(value),
        Literal::U8(value) => wrap(value),
        Literal::Bool(value) => wrap(value),
    }
}

/// Applies an operator to two chunks of one type, broadcasting as NumPy does.
pub(super) fn binary(op: BinaryOp, left: Chunk, right: Chunk) -> Result<Chunk> {
    fn numbers<T: Arithmetic>(op: BinaryOp, a: Elements<T>, b: Elements<T>) -> Result<Chunk> {
        let result = match op {
            BinaryOp::Add => zip_in_place(a, b, T::add),
            BinaryOp::Sub => zip_in_place(a, b, T::sub),
            BinaryOp::Mul => zip_in_place(a, b, T::mul),
            BinaryOp::Div => zip_in_place(a, b, T::div),
            BinaryOp::Rem => zip_in_place(a, b, T::rem),
            _ => return any(op, a, b),
        };
        Ok(T::wrap(result))
    }

    fn any<T: Kernel>(op: BinaryOp, a: Elements<T>, b: Elements<T>) -> Result<Chunk> {
        let result = match op {
            BinaryOp::Minimum => return Ok(T::wrap(zip_in_place(a, b, minimum))),
            BinaryOp::Maximum => return Ok(T::wrap(zip_in_place(a, b, maximum))),
            BinaryOp::Less => zip(&a, &b, |a, b| a < b),
            BinaryOp::LessEqual => zip(&a, &b, |a, b| a <= b),
            BinaryOp::Greater => zip(&a, &b, |a, b| a > b),
            BinaryOp::GreaterEqual => zip(&a, &b, |a, b| a >= b),
            BinaryOp::Equal => zip(&a, &b, |a, b| a == b),
            BinaryOp::NotEqual => zip(&a, &b, |a, b| a != b),
            _ => return Err(unsupported(op, T::DTYPE)),
        };
        Ok(Chunk::Bool(result))
    }

    fn masks(op: BinaryOp, a: Elements<bool>, b: Elements<bool>) -> Result<Chunk> {
        Ok(Chunk::Bool(match op {
            BinaryOp::And => zip_in_place(a, b, |a, b| a & b),
            BinaryOp::Or => zip_in_place(a, b, |a, b| a | b),
            BinaryOp::Xor => zip_in_place(a, b, |a, b| a ^ b),
            _ => return any(op, a, b),
        }))
    }

    with_numbers!(left,
        a => numbers(op, a, Element::unwrap(right)?),
        else a => masks(op, a, Element::unwrap(right)?))
}

/// The smaller one, or NaN if one of them is NaN.
pub(super) fn minimum<T: Kernel>(a: T, b: T) -> T {
    if a < b || a.is_nan() { a } else { b }
}

/// The larger one, or NaN if one of them is NaN.
pub(super) fn maximum<T: Kernel>(a: T, b: T) -> T {
    if a > b || a.is_nan() { a } else { b }
}

fn unsupported(op: BinaryOp, dtype: DType) -> Error {
    Error::Argument(format!(
        "no operation {} for elements of type {dtype}",
        op.name()
    ))
}

/// Into the memory of whichever array has the result's shape and is held by
/// nobody else.
fn zip_in_place<T: Kernel>(
    mut a: Elements<T>,
    mut b: Elements<T>,
    f: impl Fn(T, T) -> T,
) -> Elements<T> {
    if fits_into(&b, &a) {
        match a.try_into_owned_nocopy() {
            Ok(mut owned) => {
                if b.ndim() == 0 {
                    let b = b[[].as_slice()];
                    owned.map_inplace(|a| *a = f(*a, b));
                } else {
                    owned.zip_mut_with(&b, |a, b| *a = f(*a, *b));
                }
                return owned.into_shared();
            }
            Err(shared) => a = shared,
        }
    }
    if fits_into(&a, &b) {
        match b.try_into_owned_nocopy() {
            Ok(mut owned) => {
                owned.zip_mut_with(&a, |b, a| *b = f(*a, *b));
                return owned.into_shared();
            }
            Err(shared) => b = shared,
        }
    }
    zip(&a, &b, f)
}

/// Whether `smaller` broadcasts to the shape of `larger`.
fn fits_into<T>(smaller: &Elements<T>, larger: &Elements<T>) -> bool {
    smaller.ndim() <= larger.ndim()
        && smaller
            .shape()
            .iter()
            .rev()
            .zip(larger.shape().iter().rev())
            .all(|(&small, &large)| small == large || small == 1)
}

fn zip<T: Copy, U: Copy>(a: &Elements<T>, b: &Elements<T>, f: impl Fn(T, T) -> U) -> Elements<U> {
    if b.ndim() == 0 {
        let b = b[[].as_slice()];
        return a.map(|a| f(*a, b)).into_shared();
    }
    if a.ndim() == 0 {
        let a = a[[].as_slice()];
        return b.map(|b| f(a, *b)).into_shared();
    }
    let shape = broadcast_shape(a.shape(), b.shape());
    let (a, b) = (broadcast(a, &shape), broadcast(b, &shape));
    Zip::from(a)
        .and(b)
        .map_collect(|a, b| f(*a, *b))
        .into_shared()
}

fn broadcast<'a, T>(array: &'a Elements<T>, shape: &[usize]) -> ArrayViewD<'a, T> {
    array
        .broadcast(IxDyn(shape))
        .expect("invariant: shapes and chunks were made to fit when the layer was made")
}

fn broadcast_shape(a: &[usize], b: &[usize]) -> Vec<usize> {
    let (long, short) = if a.len() < b.len() { (b, a) } else { (a, b) };
    let lead = long.len() - short.len();
    long.iter()
        .enumerate()
        .map(|(axis, &length)| match axis.checked_sub(lead) {
            Some(at) if length == 1 => short[at],
            _ => length,
        })
        .collect()
}

/// What is done with one element.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum UnaryOp {
    Neg,
    Abs,
    Not,
    Sqrt,
    Exp,
    Ln,
    Log10,
    Log2,
    Sin,
    Cos,
    Tan,
    Tanh,
    Floor,
    Ceil,
    Round,
    IsNan,
    Powi(i32),
    Powf(f64),
}

impl UnaryOp {
    /// The type of the result for elements of a type.
    pub(super) fn result(self, dtype: DType) -> DType {
        if self == Self::IsNan {
            DType::Bool
        } else {
            dtype
        }
    }
}

/// One array, element by element.
#[derive(Serialize, Deserialize)]
pub(super) struct Unary(pub(super) UnaryOp);

impl Operation for Unary {
    fn name(&self) -> &str {
        match self.0 {
            UnaryOp::Neg => "neg",
            UnaryOp::Abs => "abs",
            UnaryOp::Not => "not",
            UnaryOp::Sqrt => "sqrt",
            UnaryOp::Exp => "exp",
            UnaryOp::Ln => "ln",
            UnaryOp::Log10 => "log10",
            UnaryOp::Log2 => "log2",
            UnaryOp::Sin => "sin",
            UnaryOp::Cos => "cos",
            UnaryOp::Tan => "tan",
            UnaryOp::Tanh => "tanh",
            UnaryOp::Floor => "floor",
            UnaryOp::Ceil => "ceil",
            UnaryOp::Round => "round",
            UnaryOp::IsNan => "is_nan",
            UnaryOp::Powi(_) => "powi",
            UnaryOp::Powf(_) => "powf",
        }
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [array] = inputs_of(inputs)?;
        unary(self.0, array).map(Value::new)
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/unary")
    }
}

fn unary(op: UnaryOp, chunk: Chunk) -> Result<Chunk> {
    macro_rules! float {
        ($array:ident: $type:ident) => {{
            match op {
                UnaryOp::Neg => map($array, |v| -v),
                UnaryOp::Abs => map($array, $type::abs),
                UnaryOp::Sqrt => map($array, $type::sqrt),
                UnaryOp::Exp => map($array, $type::exp),
                UnaryOp::Ln => map($array, $type::ln),
                UnaryOp::Log10 => map($array, $type::log10),
                UnaryOp::Log2 => map($array, $type::log2),
                UnaryOp::Sin => map($array, $type::sin),
                UnaryOp::Cos => map($array, $type::cos),
                UnaryOp::Tan => map($array, $type::tan),
                UnaryOp::Tanh => map($array, $type::tanh),
                UnaryOp::Floor => map($array, $type::floor),
                UnaryOp::Ceil => map($array, $type::ceil),
                // To even, as NumPy and IEEE 754 round.
                UnaryOp::Round => map($array, $type::round_ties_even),
                UnaryOp::IsNan => Chunk::Bool($array.map(|v| v.is_nan()).into_shared()),
                UnaryOp::Powi(exponent) => map($array, |v| v.powi(exponent)),
                UnaryOp::Powf(exponent) => map($array, |v| v.powf(exponent as $type)),
                UnaryOp::Not => return Err(unsupported_unary(op, DType::F64)),
            }
        }};
    }
    macro_rules! signed {
        ($array:ident: $type:ident) => {
            match op {
                UnaryOp::Neg => map($array, |v| {
                    v.checked_neg().unwrap_or_else(|| overflow(0, "-", v))
                }),
                UnaryOp::Abs => map($array, |v| {
                    v.checked_abs().unwrap_or_else(|| overflow(0, "-", v))
                }),
                _ => return integer(op, $array),
            }
        };
    }
    fn integer<T: Arithmetic>(op: UnaryOp, array: Elements<T>) -> Result<Chunk> {
        match op {
            UnaryOp::Powi(exponent) => Ok(map(array, |v| v.powi(exponent))),
            _ => Err(unsupported_unary(op, T::DTYPE)),
        }
    }
    Ok(match chunk {
        Chunk::F64(array) => float!(array: f64),
        Chunk::F32(array) => float!(array: f32),
        Chunk::I64(array) => signed!(array: i64),
        Chunk::I32(array) => signed!(array: i32),
        Chunk::U64(array) => return integer(op, array),
        Chunk::U32(array) => return integer(op, array),
        Chunk::U8(array) => return integer(op, array),
        Chunk::Bool(array) => match op {
            UnaryOp::Not => map(array, |v: bool| !v),
            _ => return Err(unsupported_unary(op, DType::Bool)),
        },
    })
}

fn unsupported_unary(op: UnaryOp, dtype: DType) -> Error {
    Error::Argument(format!("no operation {op:?} for elements of type {dtype}"))
}

/// Into the array's own memory where nobody else holds it.
fn map<T: Element>(array: Elements<T>, f: impl Fn(T) -> T) -> Chunk {
    T::wrap(match array.try_into_owned_nocopy() {
        Ok(mut owned) => {
            owned.map_inplace(|v| *v = f(*v));
            owned.into_shared()
        }
        Err(shared) => shared.map(|v| f(*v)).into_shared(),
    })
}

/// Another element type, by Rust's `as`; to `bool`: whether it is not zero.
#[derive(Serialize, Deserialize)]
pub(super) struct Cast {
    pub(super) to: DType,
}

impl Operation for Cast {
    fn name(&self) -> &str {
        "astype"
    }

    fn arguments(&self) -> Arguments {
        Arguments::of(self)
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [array] = inputs_of(inputs)?;
        Ok(Value::new(cast(array, self.to)))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/cast")
    }
}

fn cast(chunk: Chunk, to: DType) -> Chunk {
    if chunk.dtype() == to {
        return chunk;
    }
    macro_rules! targets {
        ($array:ident, |$v:ident| $number:expr) => {
            match to {
                DType::F64 => Chunk::F64($array.map(|&$v| $number as f64).into_shared()),
                DType::F32 => Chunk::F32($array.map(|&$v| $number as f32).into_shared()),
                DType::I64 => Chunk::I64($array.map(|&$v| $number as i64).into_shared()),
                DType::I32 => Chunk::I32($array.map(|&$v| $number as i32).into_shared()),
                DType::U64 => Chunk::U64($array.map(|&$v| $number as u64).into_shared()),
                DType::U32 => Chunk::U32($array.map(|&$v| $number as u32).into_shared()),
                DType::U8 => Chunk::U8($array.map(|&$v| $number as u8).into_shared()),
                DType::Bool => Chunk::Bool($array.map(|v| *v != zero(v)).into_shared()),
            }
        };
    }
    fn zero<T: Element>(_: &T) -> T {
        T::default()
    }
    with_numbers!(chunk, array => targets!(array, |v| v), else array => targets!(array, |v| u8::from(v)))
}

/// `condition ? then : other`, element by element.
#[derive(Serialize, Deserialize)]
pub(super) struct Select;

impl Operation for Select {
    fn name(&self) -> &str {
        "select"
    }

    fn arguments(&self) -> Arguments {
        Arguments::none()
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [condition, then, other] = inputs_of(inputs)?;
        let condition: Elements<bool> = Element::unwrap(condition)?;
        fn select<T: Element>(
            condition: &Elements<bool>,
            then: Elements<T>,
            other: Elements<T>,
        ) -> Chunk {
            let shape = broadcast_shape(then.shape(), other.shape());
            let shape = broadcast_shape(condition.shape(), &shape);
            let zip = Zip::from(broadcast(condition, &shape))
                .and(broadcast(&then, &shape))
                .and(broadcast(&other, &shape));
            T::wrap(
                zip.map_collect(|c, a, b| if *c { *a } else { *b })
                    .into_shared(),
            )
        }
        Ok(Value::new(with_array!(then, then => {
            select(&condition, then, Element::unwrap(other)?)
        })))
    }

    fn encode(&self) -> Result<EncodedOperation> {
        EncodedOperation::of(self, "array/select")
    }
}

/// A user's function on a chunk.
pub(super) type ChunkFunction = Arc<dyn Fn(Chunk) -> Result<Chunk> + Send + Sync>;

/// A user's function on every chunk, which keeps the chunk's shape.
pub(super) struct MapChunks {
    pub(super) name: &'static str,
    pub(super) function: ChunkFunction,
}

impl Operation for MapChunks {
    fn name(&self) -> &str {
        self.name
    }

    fn arguments(&self) -> Arguments {
        Arguments::Unique
    }

    fn run(&self, _: &Block<'_>, inputs: Vec<Value>) -> Result<Value> {
        let [chunk] = inputs_of(inputs)?;
        let expected = chunk.shape().to_vec();
        let result = (self.function)(chunk)?;
        if result.shape() != expected {
            return Err(Error::Shape(format!(
                "{}: the function made shape {} of a chunk of shape {}, expected the same shape",
                self.name,
                tuple(result.shape()),
                tuple(&expected),
            )));
        }
        Ok(Value::new(result))
    }
}

/// A closure on elements as a function on chunks.
pub(super) fn on_elements<T: Element, U: Element>(
    f: impl Fn(T) -> U + Send + Sync + 'static,
) -> ChunkFunction {
    Arc::new(move |chunk| Ok(U::wrap(T::unwrap(chunk)?.mapv(&f).into_shared())))
}

/// A closure on arrays as a function on chunks.
pub(super) fn on_arrays<T: Element, U: Element>(
    f: impl Fn(ArrayD<T>) -> ArrayD<U> + Send + Sync + 'static,
) -> ChunkFunction {
    Arc::new(move |chunk| Ok(U::wrap(f(T::owned(chunk)?).into_shared())))
}

/// A chunk of this shape with the same element everywhere.
pub(super) fn filled(literal: Literal, shape: &[usize]) -> Result<Chunk> {
    with_type!(literal.dtype(), T => {
        Ok(T::wrap(ArcArray::from_elem(IxDyn(shape), T::from_literal(literal)?)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(chunk: &Chunk) -> Option<*const f64> {
        match chunk {
            Chunk::F64(array) => Some(array.as_ptr()),
            _ => None,
        }
    }

    #[test]
    fn memory_is_reused_where_nobody_else_holds_it() {
        let ones = |shape: &[usize]| f64::wrap(ArcArray::from_elem(IxDyn(shape), 1.0));
        for (left, right) in [(&[3, 4][..], &[4][..]), (&[3, 4], &[3, 4]), (&[3, 4], &[])] {
            let (a, b) = (ones(left), ones(right));
            let at = address(&a);
            let sum = binary(BinaryOp::Add, a, b).expect("shapes fit");
            assert_eq!(address(&sum), at);
            let (a, b) = (ones(right), ones(left));
            let at = address(&b);
            let sum = binary(BinaryOp::Add, a, b).expect("shapes fit");
            // Of two arrays of one shape the left one is taken.
            assert!(address(&sum) == at || left == right);
        }
        let (a, b) = (ones(&[2]), ones(&[2]));
        let held = (a.clone(), b.clone());
        let sum = binary(BinaryOp::Add, a, b).expect("shapes fit");
        assert!(![address(&held.0), address(&held.1)].contains(&address(&sum)));
        let Chunk::F64(held) = held.0 else {
            panic!("an array of f64")
        };
        assert!(held.iter().all(|&v| v == 1.0));
    }
}
