//! The table of functions on elements, one row for each.
//!
//! A row contains the elements that have the function, its name, its code and its
//! documentation. From it the macros generate the operation's variant, its code
//! for every element type, and the methods of [`Array`] and [`Scalar`].
//!
//! Results are NumPy's: `tests/test_numpy.py` compares every row with it.

use super::kernels::{Elements, map, maximum, minimum, test, zip, zip_in_place};
use crate::array::chunk::{Chunk, with_numbers};
use crate::array::dtype::{
    Arithmetic, DType, Element, Float, FloatKernel, Kernel, Number, Signed, overflow,
};
use crate::array::typed::{Array, Other, Scalar, ScalarOther};
use crate::error::{Error, Result};
use serde::{Deserialize, Serialize};

/// Functions of one element. `float`: of floating point numbers, with a body that is
/// compiled for `f64` and `f32`; `test`: the same, with a result of `bool`; `signed`: of
/// all numbers with a sign, with a second body for integers.
macro_rules! unary {
    (
        float { $($(#[$float_doc:meta])* $float:ident $float_name:ident |$f:ident| $float_body:expr;)* }
        test { $($(#[$test_doc:meta])* $test:ident $test_name:ident |$t:ident| $test_body:expr;)* }
        signed { $($(#[$signed_doc:meta])* $signed:ident $signed_name:ident |$s:ident| $signed_body:expr, $integer_body:expr;)* }
    ) => {
        /// An operation on one element.
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        pub(in crate::array) enum UnaryOp {
            Neg,
            Not,
            Powi(i32),
            Powf(f64),
            $($float,)*
            $($test,)*
            $($signed,)*
        }

        impl UnaryOp {
            pub(super) fn name(self) -> &'static str {
                match self {
                    Self::Neg => "neg",
                    Self::Not => "not",
                    Self::Powi(_) => "powi",
                    Self::Powf(_) => "powf",
                    $(Self::$float => stringify!($float_name),)*
                    $(Self::$test => stringify!($test_name),)*
                    $(Self::$signed => stringify!($signed_name),)*
                }
            }

            /// Returns the type of the result for elements of a type.
            pub(in crate::array) fn result(self, dtype: DType) -> DType {
                match self {
                    $(Self::$test => DType::Bool,)*
                    _ => dtype,
                }
            }
        }

        unary!(@floats f64 on_f64
            $($float |$f| $float_body;)* | $($test |$t| $test_body;)* | $($signed |$s| $signed_body;)*);
        unary!(@floats f32 on_f32
            $($float |$f| $float_body;)* | $($test |$t| $test_body;)* | $($signed |$s| $signed_body;)*);
        unary!(@integers i64 on_i64 $($signed |$s| $integer_body;)*);
        unary!(@integers i32 on_i32 $($signed |$s| $integer_body;)*);

        unary!(@methods Array $($(#[$float_doc])* $float $float_name;)* |
            $($(#[$test_doc])* $test $test_name;)* | $($(#[$signed_doc])* $signed $signed_name;)*);
        unary!(@methods Scalar $($(#[$float_doc])* $float $float_name;)* |
            $($(#[$test_doc])* $test $test_name;)* | $($(#[$signed_doc])* $signed $signed_name;)*);
    };
    (@floats $type:ident $function:ident
        $($float:ident |$f:ident| $float_body:expr;)* |
        $($test:ident |$t:ident| $test_body:expr;)* |
        $($signed:ident |$s:ident| $signed_body:expr;)*
    ) => {
        fn $function(op: UnaryOp, array: Elements<$type>) -> Result<Chunk> {
            Ok(match op {
                UnaryOp::Neg => map(array, |v| -v),
                UnaryOp::Powi(exponent) => map(array, |v| v.powi(exponent)),
                UnaryOp::Powf(exponent) => map(array, |v| v.powf(exponent as $type)),
                $(UnaryOp::$float => map(array, |$f: $type| $float_body),)*
                $(UnaryOp::$test => test(&array, |$t: $type| $test_body),)*
                $(UnaryOp::$signed => map(array, |$s: $type| $signed_body),)*
                UnaryOp::Not => return Err(unsupported(op.name(), $type::DTYPE)),
            })
        }
    };
    (@integers $type:ident $function:ident $($signed:ident |$s:ident| $body:expr;)*) => {
        fn $function(op: UnaryOp, array: Elements<$type>) -> Result<Chunk> {
            Ok(match op {
                UnaryOp::Neg => map(array, |v| {
                    v.checked_neg().unwrap_or_else(|| overflow(0, "-", v))
                }),
                $(UnaryOp::$signed => map(array, |$s: $type| $body),)*
                _ => return on_integers(op, array),
            })
        }
    };
    (@methods $name:ident
        $($(#[$float_doc:meta])* $float:ident $float_name:ident;)* |
        $($(#[$test_doc:meta])* $test:ident $test_name:ident;)* |
        $($(#[$signed_doc:meta])* $signed:ident $signed_name:ident;)*
    ) => {
        impl<T: Float> $name<T> {
            $(
                $(#[$float_doc])*
                pub fn $float_name(&self) -> Self {
                    Self::from_raw(self.raw().unary(UnaryOp::$float))
                }
            )*
            $(
                $(#[$test_doc])*
                pub fn $test_name(&self) -> $name<bool> {
                    $name::from_raw(self.raw().unary(UnaryOp::$test))
                }
            )*
        }

        impl<T: Signed> $name<T> {
            $(
                $(#[$signed_doc])*
                pub fn $signed_name(&self) -> Self {
                    Self::from_raw(self.raw().unary(UnaryOp::$signed))
                }
            )*
        }
    };
}

unary! {
    float {
        /// Computes the square root of each element. The result for negative elements is NaN.
        Sqrt sqrt |v| v.sqrt();
        /// Computes the cube root of each element.
        Cbrt cbrt |v| v.cbrt();
        /// Computes e to the power of each element.
        Exp exp |v| v.exp();
        /// Computes e to the power of each element, minus 1, accurately for small elements.
        Expm1 expm1 |v| v.exp_m1();
        /// Computes the natural logarithm of each element.
        Ln ln |v| v.ln();
        /// Computes the natural logarithm of each element plus 1, accurately for small elements.
        Log1p log1p |v| v.ln_1p();
        /// Computes the logarithm to base 10 of each element.
        Log10 log10 |v| v.log10();
        /// Computes the logarithm to base 2 of each element.
        Log2 log2 |v| v.log2();
        /// Computes the sine of each element, in radians.
        Sin sin |v| v.sin();
        /// Computes the cosine of each element, in radians.
        Cos cos |v| v.cos();
        /// Computes the tangent of each element, in radians.
        Tan tan |v| v.tan();
        /// Computes the arcsine of each element, in radians from −π/2 to π/2.
        #[doc(alias = "asin")]
        Arcsin arcsin |v| v.asin();
        /// Computes the arccosine of each element, in radians from 0 to π.
        #[doc(alias = "acos")]
        Arccos arccos |v| v.acos();
        /// Computes the arctangent of each element, in radians from −π/2 to π/2.
        #[doc(alias = "atan")]
        Arctan arctan |v| v.atan();
        /// Computes the hyperbolic sine of each element, to 2 units in the last place.
        Sinh sinh |v| v.sinh();
        /// Computes the hyperbolic cosine of each element.
        Cosh cosh |v| v.cosh();
        /// Computes the hyperbolic tangent of each element, to 2 units in the last place.
        Tanh tanh |v| v.tanh();
        /// Rounds each element down.
        Floor floor |v| v.floor();
        /// Rounds each element up.
        Ceil ceil |v| v.ceil();
        /// Removes the fraction of each element.
        #[doc(alias = "fix")]
        Trunc trunc |v| v.trunc();
        /// Rounds each element to the nearest integer, ties to even.
        #[doc(alias("rint", "around"))]
        Round round |v| v.round_ties_even();
        /// Divides 1 by each element.
        Reciprocal reciprocal |v| 1.0 / v;
    }
    test {
        /// Tests whether each element is NaN.
        #[doc(alias("isnan", "isna"))]
        IsNan is_nan |v| v.is_nan();
        /// Tests whether each element is neither infinite nor NaN.
        #[doc(alias = "is_finite")]
        IsFinite isfinite |v| v.is_finite();
        /// Tests whether each element is infinite, with either sign.
        #[doc(alias = "is_infinite")]
        IsInf isinf |v| v.is_infinite();
    }
    signed {
        /// Computes the absolute value of each element.
        #[doc(alias("absolute", "fabs"))]
        Abs abs |v| v.abs(), v.checked_abs().unwrap_or_else(|| overflow(0, "-", v));
        /// Computes the sign of each element: −1, 0 or 1, and NaN for NaN.
        #[doc(alias = "signum")]
        Sign sign |v| match v.partial_cmp(&0.0) {
            Some(std::cmp::Ordering::Equal) => 0.0,
            Some(_) => v.signum(),
            None => v,
        }, v.signum();
    }
}

fn on_integers<T: Arithmetic>(op: UnaryOp, array: Elements<T>) -> Result<Chunk> {
    match op {
        UnaryOp::Powi(exponent) => Ok(map(array, |v| v.powi(exponent))),
        _ => Err(unsupported(op.name(), T::DTYPE)),
    }
}

/// Applies a function to each element of a chunk.
pub(super) fn unary(op: UnaryOp, chunk: Chunk) -> Result<Chunk> {
    match chunk {
        Chunk::F64(array) => on_f64(op, array),
        Chunk::F32(array) => on_f32(op, array),
        Chunk::I64(array) => on_i64(op, array),
        Chunk::I32(array) => on_i32(op, array),
        Chunk::U64(array) => on_integers(op, array),
        Chunk::U32(array) => on_integers(op, array),
        Chunk::U8(array) => on_integers(op, array),
        Chunk::Bool(array) => match op {
            UnaryOp::Not => Ok(map(array, |v: bool| !v)),
            _ => Err(unsupported(op.name(), DType::Bool)),
        },
    }
}

fn unsupported(name: &str, dtype: DType) -> Error {
    Error::Argument(format!(
        "{name} is not defined for elements of type {dtype}"
    ))
}

/// Functions of two elements of one type. `verb` is for messages: cannot … shapes.
/// `float`: as above; `number`: of all numbers, with their own arithmetic; `any`: of all
/// elements; `compare`: the same, with a result of `bool`; `mask`: of `bool`. `number` and
/// `mask` are operators, which have no method here.
macro_rules! binary {
    (
        number { $($number:ident $number_name:ident $number_verb:literal $number_body:expr;)* }
        mask { $($mask:ident $mask_name:ident |$ma:ident, $mb:ident| $mask_body:expr;)* }
        float { $($(#[$float_doc:meta])* $float:ident $float_name:ident |$fa:ident, $fb:ident| $float_body:expr;)* }
        method { $($(#[$method_doc:meta])* $method:ident $method_name:ident $method_body:expr;)* }
        any { $($(#[$any_doc:meta])* $any:ident $any_name:ident $any_body:expr;)* }
        compare { $($(#[$compare_doc:meta])* $compare:ident $compare_name:ident |$ca:ident, $cb:ident| $compare_body:expr;)* }
    ) => {
        /// An operation on two elements of one type.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub(in crate::array) enum BinaryOp {
            $($number,)* $($mask,)* $($float,)* $($method,)* $($any,)* $($compare,)*
        }

        impl BinaryOp {
            pub(super) fn name(self) -> &'static str {
                match self {
                    $(Self::$number => stringify!($number_name),)*
                    $(Self::$mask => stringify!($mask_name),)*
                    $(Self::$float => stringify!($float_name),)*
                    $(Self::$method => stringify!($method_name),)*
                    $(Self::$any => stringify!($any_name),)*
                    $(Self::$compare => stringify!($compare_name),)*
                }
            }

            /// Returns the verb for messages: cannot … shapes.
            pub(in crate::array) fn verb(self) -> &'static str {
                match self {
                    $(Self::$number => $number_verb,)*
                    $(Self::$any)|* | $(Self::$compare)|* => "compare",
                    _ => "combine",
                }
            }

            /// Returns the type of the result for elements of a type.
            pub(in crate::array) fn result(self, dtype: DType) -> DType {
                match self {
                    $(Self::$compare)|* => DType::Bool,
                    _ => dtype,
                }
            }
        }

        fn of_numbers<T: Arithmetic>(op: BinaryOp, a: Elements<T>, b: Elements<T>) -> Result<Chunk> {
            let result = match op {
                $(BinaryOp::$number => zip_in_place(a, b, $number_body),)*
                $(BinaryOp::$method => zip_in_place(a, b, $method_body),)*
                _ => return of_any(op, a, b),
            };
            Ok(T::wrap(result))
        }

        fn of_any<T: Kernel>(op: BinaryOp, a: Elements<T>, b: Elements<T>) -> Result<Chunk> {
            let result = match op {
                $(BinaryOp::$any => return Ok(T::wrap(zip_in_place(a, b, $any_body))),)*
                $(BinaryOp::$compare => zip(&a, &b, |$ca, $cb| $compare_body),)*
                _ => return Err(unsupported(op.name(), T::DTYPE)),
            };
            Ok(Chunk::Bool(result))
        }

        fn of_masks(op: BinaryOp, a: Elements<bool>, b: Elements<bool>) -> Result<Chunk> {
            Ok(Chunk::Bool(match op {
                $(BinaryOp::$mask => zip_in_place(a, b, |$ma, $mb| $mask_body),)*
                _ => return of_any(op, a, b),
            }))
        }

        binary!(@floats f64 of_f64 $($float |$fa, $fb| $float_body;)*);
        binary!(@floats f32 of_f32 $($float |$fa, $fb| $float_body;)*);
        binary!(@methods Array Other $($(#[$float_doc])* $float $float_name;)* |
            $($(#[$method_doc])* $method $method_name;)* | $($(#[$any_doc])* $any $any_name;)* |
            $($(#[$compare_doc])* $compare $compare_name;)*);
        binary!(@methods Scalar ScalarOther $($(#[$float_doc])* $float $float_name;)* |
            $($(#[$method_doc])* $method $method_name;)* | $($(#[$any_doc])* $any $any_name;)* |
            $($(#[$compare_doc])* $compare $compare_name;)*);
    };
    (@floats $type:ident $function:ident $($float:ident |$fa:ident, $fb:ident| $float_body:expr;)*) => {
        fn $function(op: BinaryOp, a: Elements<$type>, b: Elements<$type>) -> Result<Chunk> {
            let result = match op {
                $(BinaryOp::$float => zip_in_place(a, b, |$fa: $type, $fb: $type| $float_body),)*
                _ => return of_numbers(op, a, b),
            };
            Ok(<$type as Element>::wrap(result))
        }
    };
    (@methods $name:ident $other:ident
        $($(#[$float_doc:meta])* $float:ident $float_name:ident;)* |
        $($(#[$method_doc:meta])* $method:ident $method_name:ident;)* |
        $($(#[$any_doc:meta])* $any:ident $any_name:ident;)* |
        $($(#[$compare_doc:meta])* $compare:ident $compare_name:ident;)*
    ) => {
        binary!(@impls $name $other Float $($(#[$float_doc])* $float $float_name;)*);
        binary!(@impls $name $other Number $($(#[$method_doc])* $method $method_name;)*);
        binary!(@impls $name $other Element $($(#[$any_doc])* $any $any_name;)*);

        impl<T: Element> $name<T> {$(
            $(#[$compare_doc])*
            ///
            /// **Panics** if the shapes don't fit.
            #[track_caller]
            #[allow(
                clippy::should_implement_trait,
                reason = "a comparison of arrays is an array, not a truth value"
            )]
            pub fn $compare_name(&self, other: impl Into<$other<T>>) -> $name<bool> {
                self.with(BinaryOp::$compare, other.into())
            }
        )*}
    };
    (@impls $name:ident $other:ident $bound:ident $($(#[$doc:meta])* $op:ident $method:ident;)*) => {
        impl<T: $bound> $name<T> {$(
            $(#[$doc])*
            ///
            /// **Panics** if the shapes don't fit.
            #[track_caller]
            pub fn $method(&self, other: impl Into<$other<T>>) -> Self {
                self.with(BinaryOp::$op, other.into())
            }
        )*}
    };
}

binary! {
    number {
        Add add "add" T::add;
        Sub sub "subtract" T::sub;
        Mul mul "multiply" T::mul;
        Div div "divide" T::div;
        Rem rem "divide" T::rem;
    }
    mask {
        And and |a, b| a & b;
        Or or |a, b| a | b;
        Xor xor |a, b| a ^ b;
    }
    float {
        /// Computes the angle of the point with the coordinates x = `other` and y = element, in
        /// radians from −π to π.
        #[doc(alias = "atan2")]
        Arctan2 arctan2 |a, b| a.atan2(b);
        /// Computes the length of the hypotenuse of both sides' elements, √(a² + b²).
        Hypot hypot |a, b| a.hypot(b);
        /// Computes ln(exp(a) + exp(b)), without overflow of the exponentials.
        Logaddexp logaddexp |a, b| a.logaddexp(b);
    }
    method {
        /// Divides and rounds each quotient down. An integer divided by zero fails the
        /// task.
        #[doc(alias = "div_floor")]
        FloorDivide floor_divide T::floor_divide;
    }
    any {
        /// Returns the smaller element of both sides, or NaN if one is NaN.
        Minimum minimum minimum;
        /// Returns the larger element of both sides, or NaN if one is NaN.
        Maximum maximum maximum;
        /// Returns the smaller element of both sides, or the other one if one is NaN.
        Fmin fmin |a, b| if a <= b || b.is_nan() { a } else { b };
        /// Returns the larger element of both sides, or the other one if one is NaN.
        Fmax fmax |a, b| if a >= b || b.is_nan() { a } else { b };
    }
    compare {
        /// Tests whether each element is less than the other side's.
        Less lt |a, b| a < b;
        /// Tests whether each element is less than or equal to the other side's.
        LessEqual le |a, b| a <= b;
        /// Tests whether each element is greater than the other side's.
        Greater gt |a, b| a > b;
        /// Tests whether each element is greater than or equal to the other side's.
        GreaterEqual ge |a, b| a >= b;
        /// Tests whether each element is equal to the other side's.
        Equal eq |a, b| a == b;
        /// Tests whether each element differs from the other side's.
        NotEqual ne |a, b| a != b;
    }
}

/// Applies an operator to two chunks of one type, broadcasting as NumPy does.
pub(in crate::array) fn binary(op: BinaryOp, left: Chunk, right: Chunk) -> Result<Chunk> {
    match left {
        Chunk::F64(a) => of_f64(op, a, Element::unwrap(right)?),
        Chunk::F32(a) => of_f32(op, a, Element::unwrap(right)?),
        left => with_numbers!(left,
            a => of_numbers(op, a, Element::unwrap(right)?),
            else a => of_masks(op, a, Element::unwrap(right)?)),
    }
}
