//! Operators on arrays, scalars and elements, owned and borrowed.

use super::dtype::{Element, Number, Signed};
use super::elementwise::{BinaryOp, UnaryOp};
use super::raw::{Operand, RawArray};
use super::typed::{Array, Scalar};
use std::ops::{Add, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Rem, Sub};

#[track_caller]
fn binary(op: BinaryOp, left: &RawArray, right: &RawArray) -> RawArray {
    match left.binary(op, &Operand::Array(right.clone())) {
        Ok(array) => array,
        Err(error) => error.raise(),
    }
}

/// `left op right` for one pair of types.
macro_rules! pair {
    ($trait:ident $method:ident $op:ident <$T:ident: $bound:ident> $left:ty, $right:ty => $result:ident) => {
        impl<$T: $bound> $trait<$right> for $left {
            type Output = $result<$T>;

            #[track_caller]
            fn $method(self, other: $right) -> $result<$T> {
                $result::from_raw(binary(BinaryOp::$op, self.raw(), other.raw()))
            }
        }
    };
}

/// `left op right` where at least one side is an array, or both are scalars.
macro_rules! pairs {
    ($trait:ident $method:ident $op:ident $bound:ident) => {
        pair!($trait $method $op <T: $bound> Array<T>, Array<T> => Array);
        pair!($trait $method $op <T: $bound> Array<T>, &Array<T> => Array);
        pair!($trait $method $op <T: $bound> Array<T>, Scalar<T> => Array);
        pair!($trait $method $op <T: $bound> Array<T>, &Scalar<T> => Array);
        pair!($trait $method $op <T: $bound> &Array<T>, Array<T> => Array);
        pair!($trait $method $op <T: $bound> &Array<T>, &Array<T> => Array);
        pair!($trait $method $op <T: $bound> &Array<T>, Scalar<T> => Array);
        pair!($trait $method $op <T: $bound> &Array<T>, &Scalar<T> => Array);
        pair!($trait $method $op <T: $bound> Scalar<T>, Array<T> => Array);
        pair!($trait $method $op <T: $bound> Scalar<T>, &Array<T> => Array);
        pair!($trait $method $op <T: $bound> &Scalar<T>, Array<T> => Array);
        pair!($trait $method $op <T: $bound> &Scalar<T>, &Array<T> => Array);
        pair!($trait $method $op <T: $bound> Scalar<T>, Scalar<T> => Scalar);
        pair!($trait $method $op <T: $bound> Scalar<T>, &Scalar<T> => Scalar);
        pair!($trait $method $op <T: $bound> &Scalar<T>, Scalar<T> => Scalar);
        pair!($trait $method $op <T: $bound> &Scalar<T>, &Scalar<T> => Scalar);
    };
}

/// `array op element`.
macro_rules! with_element {
    ($trait:ident $method:ident $op:ident: $($left:ty => $result:ident),*) => {$(
        impl<T: Number> $trait<T> for $left {
            type Output = $result<T>;

            fn $method(self, element: T) -> $result<T> {
                let literal = Element::literal(element);
                $result::from_raw(self.raw().with_literal(BinaryOp::$op, literal, false))
            }
        }
    )*};
}

/// `element op array`. Rust requires a separate implementation for each element type.
macro_rules! element_first {
    ($trait:ident $method:ident $op:ident: $($element:ident)*) => {$(
        element_first!(@one $trait $method $op $element Array<$element> => Array);
        element_first!(@one $trait $method $op $element &Array<$element> => Array);
        element_first!(@one $trait $method $op $element Scalar<$element> => Scalar);
        element_first!(@one $trait $method $op $element &Scalar<$element> => Scalar);
    )*};
    (@one $trait:ident $method:ident $op:ident $element:ident $right:ty => $result:ident) => {
        impl $trait<$right> for $element {
            type Output = $result<$element>;

            fn $method(self, array: $right) -> $result<$element> {
                let literal = Element::literal(self);
                $result::from_raw(array.raw().with_literal(BinaryOp::$op, literal, true))
            }
        }
    };
}

macro_rules! arithmetic {
    ($($trait:ident $method:ident;)*) => {$(
        pairs!($trait $method $trait Number);
        with_element!($trait $method $trait:
            Array<T> => Array, &Array<T> => Array, Scalar<T> => Scalar, &Scalar<T> => Scalar);
        element_first!($trait $method $trait: f64 f32 i64 i32 u64 u32 u8);
    )*};
}
arithmetic! {
    Add add;
    Sub sub;
    Mul mul;
    Div div;
    Rem rem;
}

/// Operators on masks.
macro_rules! logic {
    ($($trait:ident $method:ident $op:ident;)*) => {$(
        logic!(@one $trait $method $op Array<bool>, Array<bool>);
        logic!(@one $trait $method $op Array<bool>, &Array<bool>);
        logic!(@one $trait $method $op &Array<bool>, Array<bool>);
        logic!(@one $trait $method $op &Array<bool>, &Array<bool>);
    )*};
    (@one $trait:ident $method:ident $op:ident $left:ty, $right:ty) => {
        impl $trait<$right> for $left {
            type Output = Array<bool>;

            #[track_caller]
            fn $method(self, other: $right) -> Array<bool> {
                Array::from_raw(binary(BinaryOp::$op, self.raw(), other.raw()))
            }
        }
    };
}
logic! {
    BitAnd bitand And;
    BitOr bitor Or;
    BitXor bitxor Xor;
}

macro_rules! negate {
    ($($type:ty => $result:ident),*) => {$(
        impl<T: Signed> Neg for $type {
            type Output = $result<T>;

            fn neg(self) -> $result<T> {
                $result::from_raw(self.raw().unary(UnaryOp::Neg))
            }
        }
    )*};
}
negate!(Array<T> => Array, &Array<T> => Array, Scalar<T> => Scalar, &Scalar<T> => Scalar);

macro_rules! not {
    ($($type:ty),*) => {$(
        impl Not for $type {
            type Output = Array<bool>;

            fn not(self) -> Array<bool> {
                Array::from_raw(self.raw().unary(UnaryOp::Not))
            }
        }
    )*};
}
not!(Array<bool>, &Array<bool>);
