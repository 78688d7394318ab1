//! Columns of integers of every type at its limits, with nulls, in any partitioning, compared with
//! arithmetic in 128 bits: the same value, or an error that reports the overflow.

use super::*;
use polars::prelude::ClosedInterval;
use polars::series::ops::NullBehavior;
use std::cmp::Ordering;
use std::ops::RangeInclusive;

fn types() -> [(DataType, RangeInclusive<i128>); 8] {
    macro_rules! types {
        ($($dtype:ident $native:ident),*) => {
            [$((DataType::$dtype, $native::MIN as i128..=$native::MAX as i128)),*]
        };
    }
    types!(
        Int8 i8, Int16 i16, Int32 i32, Int64 i64, UInt8 u8, UInt16 u16, UInt32 u32, UInt64 u64
    )
}

const LIMITS: [i128; 14] = [
    i64::MIN as i128,
    i64::MIN as i128 + 1,
    i32::MIN as i128,
    -(1 << 53) - 1,
    i8::MIN as i128,
    i16::MAX as i128,
    i32::MAX as i128,
    u32::MAX as i128,
    u8::MAX as i128,
    1 << 53,
    (1 << 53) + 1,
    i64::MAX as i128,
    u64::MAX as i128 - 1,
    u64::MAX as i128,
];

fn numbers() -> impl Strategy<Value = Vec<Option<i128>>> {
    let one = prop_oneof![3 => -3i128..4, 2 => prop::sample::select(LIMITS.to_vec())];
    prop::collection::vec(prop::option::weighted(0.8, one), 0..14)
}

/// Returns a column of the numbers that the type holds.
fn column(name: &str, numbers: &[Option<i128>], dtype: &DataType) -> Column {
    let values = if *dtype == DataType::UInt64 {
        let values: Vec<Option<u64>> = numbers
            .iter()
            .map(|v| v.map(|v| v.try_into().unwrap()))
            .collect();
        Col::new(name.into(), values)
    } else {
        let values: Vec<Option<i64>> = numbers
            .iter()
            .map(|v| v.map(|v| v.try_into().unwrap()))
            .collect();
        Col::new(name.into(), values)
    };
    values.strict_cast(dtype).unwrap().into()
}

fn of_type(numbers: &[Option<i128>], range: &RangeInclusive<i128>) -> Vec<Option<i128>> {
    let fits = |v: &&Option<i128>| v.is_none_or(|v| range.contains(&v));
    numbers.iter().filter(fits).copied().collect()
}

fn integer(value: &AnyValue<'_>) -> Option<i128> {
    match value {
        AnyValue::Null => None,
        value => Some(value.extract::<i128>().unwrap()),
    }
}

/// Returns a column's values.
fn integers(frame: &Frame, name: &str) -> Vec<Option<i128>> {
    let column = frame.column(name).unwrap().as_materialized_series();
    assert!(column.dtype().is_integer(), "{name}: {}", column.dtype());
    column.iter().map(|value| integer(&value)).collect()
}

/// Returns the type of sums of such values.
fn wide(dtype: &DataType) -> (DataType, RangeInclusive<i128>) {
    if dtype.is_unsigned_integer() {
        (DataType::UInt64, 0..=u64::MAX.into())
    } else {
        (DataType::Int64, i64::MIN.into()..=i64::MAX.into())
    }
}

/// Checks a frame of one expression: it has these integers of a type, or fails with an error about
/// the ones that the type does not hold.
#[track_caller]
fn check_sums(
    found: &DataFrame,
    name: &str,
    expected: &[Option<i128>],
    (dtype, range): &(DataType, RangeInclusive<i128>),
    what: &str,
) {
    assert_eq!(found.schema().unwrap().get(name), Some(dtype), "{what}");
    let fits = expected.iter().flatten().all(|v| range.contains(v));
    match found.compute() {
        Ok(frame) => {
            assert!(fits, "{what}: {expected:?} does not fit, found {frame}");
            assert_eq!(integers(&frame, name), expected, "{what}");
        }
        Err(error) => {
            assert!(!fits, "{what}: {error}");
            let error = error.to_string();
            assert!(error.contains("\"v\" is beyond what"), "{what}: {error}");
        }
    }
}

fn product(numbers: impl IntoIterator<Item = i128>) -> i128 {
    // Beyond all types, only a factor of zero brings the product back.
    const BEYOND: i128 = 1 << 70;
    numbers.into_iter().fold(1, |all: i128, one| {
        all.saturating_mul(one).clamp(-BEYOND, BEYOND)
    })
}

/// Returns the results so far at each value; null at nulls.
fn running(numbers: &[Option<i128>], of: impl Fn(&[i128]) -> i128) -> Vec<Option<i128>> {
    let mut so_far = Vec::new();
    numbers
        .iter()
        .map(|one| {
            so_far.push((*one)?);
            Some(of(&so_far))
        })
        .collect()
}

fn compare(integer: i128, float: f64) -> Ordering {
    if float.abs() >= 2f64.powi(53) {
        // A whole number, or infinite.
        integer.cmp(&(float as i128))
    } else if integer.abs() > 1 << 53 {
        integer.cmp(&0)
    } else {
        (integer as f64).partial_cmp(&float).unwrap()
    }
}

/// Checks a frame of one column: it has these integers, or fails with an error about its type.
#[track_caller]
fn check_arithmetic(found: &DataFrame, expected: &[Option<i128>], written: &str) {
    let schema = found.schema().unwrap();
    let (name, dtype) = schema.get_at_index(0).unwrap();
    let Some((_, range)) = types().into_iter().find(|(of, _)| of == dtype) else {
        return check_floats(found, expected);
    };
    let fits = expected.iter().flatten().all(|v| range.contains(v));
    match found.compute() {
        Ok(frame) => {
            assert!(fits, "{written}: {expected:?} does not fit, found {frame}");
            assert_eq!(integers(&frame, name), expected, "{written}");
        }
        Err(error) => {
            let error = error.to_string();
            let text = format!("{written} is beyond what {dtype} holds");
            // A divisor may result in a type that does not hold the dividend.
            let divided = written.contains('/') && error.contains("conversion from `u64` to `i64`");
            assert!(
                divided || (!fits && error.contains(&text)),
                "{written}: {error}"
            );
        }
    }
}

fn floor_div(a: i128, b: i128) -> Option<i128> {
    let rounded = a.checked_div(b)?;
    Some(rounded - i128::from(a % b != 0 && (a < 0) != (b < 0)))
}

fn is_float(number: i128) -> bool {
    number as f64 as i128 == number
}

/// Checks a frame of one column: it has these integers as floats, or fails if no float represents
/// one of them.
#[track_caller]
fn check_floats(found: &DataFrame, expected: &[Option<i128>]) {
    match found.compute() {
        Ok(frame) => {
            let values: Vec<_> = frame.columns()[0].f64().unwrap().iter().collect();
            let expected: Vec<_> = expected.iter().map(|v| v.map(|v| v as f64)).collect();
            assert_eq!(values, expected);
        }
        Err(error) => {
            assert!(!expected.iter().flatten().all(|v| is_float(*v)), "{error}");
            assert!(
                error
                    .to_string()
                    .contains("which f64 cannot represent exactly"),
                "{error}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn reductions_are_right_or_an_error(numbers in numbers(), partitions in 1usize..5) {
        for (dtype, range) in types() {
            let numbers = of_type(&numbers, &range);
            let what = format!("{numbers:?} of {dtype} in {partitions}");
            let whole = Frame::new_infer_height(vec![column("v", &numbers, &dtype)]).unwrap();
            let frame = DataFrame::from_polars(whole.clone(), partitions);
            let v = frame.column("v");
            let some: Vec<i128> = numbers.iter().flatten().copied().collect();
            let wide = wide(&dtype);
            let sum: i128 = some.iter().sum();
            let sums = [Some(sum)];
            check_sums(&frame.agg(col("v").sum()), "v", &sums, &wide, &what);
            check_sums(&frame.select(col("v").sum()), "v", &sums, &wide, &what);
            check_sums(&frame.select(all().as_expr().sum()), "v", &sums, &wide, &what);
            let mut filtered = frame.select([col("v").filter(col("v").is_not_null()).sum()]);
            check_sums(&filtered, "v", &sums, &wide, &what);
            filtered = frame.agg([col("v").filter(col("v").is_not_null()).sum(), col("v").median().alias("m")]);
            check_sums(&filtered, "v", &sums, &wide, &what);
            let products = [Some(product(some.iter().copied()))];
            check_sums(&frame.select(col("v").product()), "v", &products, &wide, &what);
            check_sums(&frame.agg(col("v").product()), "v", &products, &wide, &what);
            let running_sums = running(&numbers, |all| all.iter().sum());
            check_sums(&frame.select(col("v").cum_sum(false)), "v", &running_sums, &wide, &what);
            let running_products = running(&numbers, |all| product(all.iter().copied()));
            check_sums(&frame.select(col("v").cum_prod(false)), "v", &running_products, &wide, &what);
            let mut backwards = numbers.clone();
            backwards.reverse();
            let mut running_back = running(&backwards, |all| all.iter().sum());
            running_back.reverse();
            check_sums(&frame.select(col("v").cum_sum(true)), "v", &running_back, &wide, &what);
            if wide.1.contains(&sum) {
                let found = v.sum().compute().unwrap();
                prop_assert_eq!(integer(found.any_value()), Some(sum));
                prop_assert_eq!(found.to_string(), sum.to_string());
            }

            let shown = |value: Option<i128>| value.map_or("null".to_owned(), |value| value.to_string());
            prop_assert_eq!(v.min().compute().unwrap().to_string(), shown(some.iter().min().copied()));
            prop_assert_eq!(v.max().compute().unwrap().to_string(), shown(some.iter().max().copied()));
            prop_assert_eq!(v.count().compute().unwrap(), some.len());
            prop_assert_eq!(v.len().compute().unwrap(), numbers.len());
            prop_assert_eq!(
                v.to_vec::<Datum>().unwrap().iter().map(Datum::to_string).collect::<Vec<_>>(),
                numbers.iter().map(|v| shown(*v)).collect::<Vec<_>>()
            );
            let mean = sum as f64 / some.len() as f64;
            let largest = some.iter().map(|v| v.abs()).max().unwrap_or(0) as f64;
            let found = v.mean().compute().unwrap();
            prop_assert!((found.is_nan() && some.is_empty()) || (found - mean).abs() <= 1e-15 * largest, "{} {}", found, what);

            let mut sorted = numbers.clone();
            sorted.sort_unstable();
            let ascending = v.sort(Order::Ascending).to_frame().compute().unwrap();
            prop_assert_eq!(integers(&ascending, "v"), sorted.clone(), "{}", what);
            let descending = v.sort(Order::Descending).to_frame().compute().unwrap();
            let mut kinds = sorted.clone();
            kinds.dedup();
            // Nulls come first in both orders.
            sorted.sort_by_key(|v| (v.is_some(), std::cmp::Reverse(*v)));
            prop_assert_eq!(integers(&descending, "v"), sorted, "{}", what);
            prop_assert_eq!(v.n_unique().compute().unwrap(), kinds.len());
            let counts = v.value_counts().compute().unwrap();
            let counted = counts.column("count").unwrap().as_materialized_series();
            let mut counted: Vec<_> = integers(&counts, "v").into_iter()
                .zip(counted.iter().map(|count| integer(&count).unwrap()))
                .collect();
            counted.sort_unstable();
            let expected: Vec<_> = kinds.iter()
                .map(|kind| (*kind, numbers.iter().filter(|v| *v == kind).count() as i128))
                .collect();
            prop_assert_eq!(counted, expected, "{}", what);

            let ends = frame.agg([col("v").first().alias("first"), col("v").last().alias("last")]).compute().unwrap();
            prop_assert_eq!(integers(&ends, "first"), [numbers.first().copied().flatten()]);
            prop_assert_eq!(integers(&ends, "last"), [numbers.last().copied().flatten()]);
            // These are floats, as in Polars.
            let statistics = [
                col("v").median().alias("median"),
                col("v").var(1).alias("var"),
                col("v").quantile(lit(0.3), polars::prelude::QuantileMethod::Nearest).alias("third"),
            ];
            let expected = whole.lazy().select(&statistics[..1]).collect().unwrap();
            same(&frame.agg(statistics[..1].to_vec()).compute().unwrap(), &expected);
            frame.agg(statistics.to_vec()).compute().unwrap();
        }
    }

    #[test]
    fn groups_and_joins_are_right_or_an_error(numbers in numbers(), partitions in 1usize..5) {
        for (dtype, range) in types() {
            let numbers = of_type(&numbers, &range);
            let what = format!("{numbers:?} of {dtype} in {partitions}");
            let places: Vec<i64> = (0..numbers.len() as i64).collect();
            let groups: Vec<i64> = places.iter().map(|at| at % 2).collect();
            let whole = Frame::new_infer_height(vec![
                column("v", &numbers, &dtype),
                Column::new("at".into(), places),
                Column::new("g".into(), groups),
            ]).unwrap();
            let frame = DataFrame::from_polars(whole, partitions);
            let group = |g: usize| numbers.iter().skip(g).step_by(2).flatten().copied().collect::<Vec<_>>();
            let groups: Vec<Vec<i128>> = (0..numbers.len().min(2)).map(group).collect();
            let wide = wide(&dtype);
            let sums: Vec<_> = groups.iter().map(|group| Some(group.iter().sum())).collect();
            check_sums(&frame.group_by("g").agg(col("v").sum()), "v", &sums, &wide, &what);
            check_sums(&frame.select(["g", "v"]).group_by("g").sum(), "v", &sums, &wide, &what);
            // Not computed by partition.
            let whole_groups = frame.group_by("g").agg([col("v").sum(), col("at").median()]);
            check_sums(&whole_groups, "v", &sums, &wide, &what);
            let products: Vec<_> = groups.iter().map(|group| Some(product(group.iter().copied()))).collect();
            check_sums(&frame.group_by("g").agg(col("v").product()), "v", &products, &wide, &what);
            let over: Vec<_> = (0..numbers.len()).map(|at| sums[at % 2]).collect();
            let window = frame.select([col("v").sum().over([col("g")]).unwrap()]);
            check_sums(&window, "v", &over, &wide, &what);
            let ends = frame.group_by("g").agg([col("v").min().alias("min"), col("v").max().alias("max")]).compute().unwrap();
            prop_assert_eq!(integers(&ends, "min"), groups.iter().map(|group| group.iter().min().copied()).collect::<Vec<_>>());
            prop_assert_eq!(integers(&ends, "max"), groups.iter().map(|group| group.iter().max().copied()).collect::<Vec<_>>());

            // The values are the keys.
            let keyed = frame.group_by("v").agg([len().alias("n")]).compute().unwrap();
            let mut kinds = numbers.clone();
            kinds.sort_unstable();
            kinds.dedup();
            prop_assert_eq!(integers(&keyed, "v"), kinds.clone(), "{}", what);
            let pairs: usize = kinds.iter().flatten()
                .map(|kind| numbers.iter().filter(|v| **v == Some(*kind)).count().pow(2))
                .sum();
            let right = frame.select(["v"]);
            let shuffled = right.with_column("one", lit(1));
            for right in [right, shuffled] {
                let joined = frame.join(&right, "v", JoinType::Inner);
                prop_assert_eq!(joined.len().compute().unwrap(), pairs, "{}", what);
            }
        }
    }

    #[test]
    fn arithmetic_is_right_or_an_error(numbers in numbers(), partitions in 1usize..4) {
        type Operator = (&'static str, fn(Expr, Expr) -> Expr, fn(i128, i128) -> Option<i128>);
        let operators: [Operator; 5] = [
            ("+", |a, b| a + b, i128::checked_add),
            ("-", |a, b| a - b, i128::checked_sub),
            ("*", |a, b| a * b, |a, b| Some(a.saturating_mul(b))),
            // Both are rounded down, and null by zero, as in Polars.
            ("/", |a, b| a / b, floor_div),
            ("//", Expr::floor_div, floor_div),
        ];
        for (dtype, range) in types() {
            let numbers = of_type(&numbers, &range);
            let pairs: Vec<_> = numbers.iter().flat_map(|a| numbers.iter().map(|b| (*a, *b))).collect();
            let (a, b): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
            let whole = Frame::new_infer_height(vec![column("a", &a, &dtype), column("b", &b, &dtype)]).unwrap();
            let frame = DataFrame::from_polars(whole, partitions);
            for (sign, operator, exact) in operators {
                let expected: Vec<_> = pairs.iter().map(|(a, b)| exact((*a)?, (*b)?)).collect();
                let found = frame.select([operator(col("a"), col("b"))]);
                check_arithmetic(&found, &expected, &format!("\"a\" {sign} \"b\""));
                for number in [-1, 2, i64::from(i32::MAX), i64::MAX] {
                    let literal = i128::from(number);
                    let expected: Vec<_> = a.iter().map(|a| exact((*a)?, literal)).collect();
                    let found = frame.select([operator(col("a"), lit(number))]);
                    check_arithmetic(&found, &expected, &format!("\"a\" {sign} {literal}"));
                    if !sign.contains('/') {
                        let expected: Vec<_> = a.iter().map(|a| exact(literal, (*a)?)).collect();
                        let found = frame.select([operator(lit(number), col("a")).alias("a")]);
                        check_arithmetic(&found, &expected, &format!("{literal} {sign} \"a\""));
                    }
                }
            }
            if dtype.is_signed_integer() {
                let negative: Vec<_> = a.iter().map(|a| Some(-(*a)?)).collect();
                check_arithmetic(&frame.select([-col("a")]), &negative, "-\"a\"");
                let absolute: Vec<_> = a.iter().map(|a| Some((*a)?.abs())).collect();
                check_arithmetic(&frame.select([col("a").abs()]), &absolute, "\"a\".abs()");
            }
            let steps: Vec<_> = (0..a.len()).map(|at| Some(a[at]? - a[at.checked_sub(1)?]?)).collect();
            check_arithmetic(&frame.select([col("a").diff(lit(1), Default::default())]), &steps, "\"a\".diff()");
            let drop = NullBehavior::Drop;
            let behind: Vec<_> = (1..a.len()).map(|at| Some(a[at]? - a[at - 1]?)).collect();
            let whole = frame.repartition(1);
            check_arithmetic(&whole.select([col("a").diff(lit(1), drop)]), &behind, "\"a\".diff()");
            let before: Vec<_> = (1..a.len()).map(|at| Some(a[at - 1]? - a[at]?)).collect();
            check_arithmetic(&whole.select([col("a").diff(lit(-1), drop)]), &before, "\"a\".diff()");
            // Values that are not needed cause no error.
            let expected: Vec<_> = pairs.iter().map(|(a, b)| Some(match (a, b) {
                (Some(a), Some(b)) if a >= b => a - b,
                _ => 0,
            })).collect();
            if expected.iter().flatten().all(|value| range.contains(value)) {
                let guarded = when(col("a").gt_eq(col("b"))).then(col("a") - col("b")).otherwise(lit(0));
                check_arithmetic(&frame.select([guarded.alias("a")]), &expected, "no error");
            }
        }
    }

    #[test]
    fn arithmetic_with_and_without_a_sign_is_right_or_an_error(numbers in numbers(), partitions in 1usize..4) {
        let [_, _, _, (signed, s), .., (unsigned, u)] = types();
        let (s, u) = (of_type(&numbers, &s), of_type(&numbers, &u));
        let pairs: Vec<_> = s.iter().flat_map(|s| u.iter().map(|u| (*s, *u))).collect();
        let (s, u): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
        let whole = Frame::new_infer_height(vec![column("s", &s, &signed), column("u", &u, &unsigned)]).unwrap();
        let frame = DataFrame::from_polars(whole, partitions);
        let both = |exact: fn(i128, i128) -> i128| -> Vec<_> {
            pairs.iter().map(|(s, u)| Some(exact((*s)?, (*u)?))).collect()
        };
        check_floats(&frame.select([col("s") + col("u")]), &both(|s, u| s + u));
        check_floats(&frame.select([col("u") - col("s")]), &both(|s, u| u - s));
        check_floats(&frame.select([col("s") * col("u")]), &both(i128::saturating_mul));
        let either = |exact: fn(Option<i128>, Option<i128>) -> Option<i128>| -> Vec<_> {
            pairs.iter().map(|(s, u)| exact(*s, *u)).collect()
        };
        let quotients = either(|s, u| floor_div(s?, u?));
        check_floats(&frame.select([col("s").floor_div(col("u"))]), &quotients);
        let rests = either(|s, u| Some(s? - floor_div(s?, u?)? * u?));
        check_floats(&frame.select([col("s") % col("u")]), &rests);
        check_floats(&frame.select([(col("u") % col("s"))]), &either(|s, u| Some(u? - floor_div(u?, s?)? * s?)));
        // Floats represent all values of both exactly, or it is an error.
        let fit = s.iter().chain(&u).flatten().all(|v| is_float(*v));
        let greatest = polars::lazy::dsl::max_horizontal([col("s"), col("u")]).unwrap();
        let first = polars::lazy::dsl::coalesce(&[col("s"), col("u")]);
        let sum = polars::lazy::dsl::sum_horizontal([col("s"), col("u")], true).unwrap();
        let chosen = when(col("u").gt(lit(1))).then(col("s")).otherwise(col("u"));
        let chosen_one = |s, u: Option<i128>| if u.is_some_and(|u| u > 1) { s } else { u };
        for (joined, expected) in [(greatest, either(Option::max)), (first, either(Option::or)), (chosen, either(chosen_one))] {
            let found = frame.select([joined]);
            if fit { check_floats(&found, &expected) } else if found.compute().is_ok() {
                check_floats(&found, &expected);
            }
        }
        check_floats(&frame.select([sum]), &either(|s, u| Some(s.unwrap_or(0) + u.unwrap_or(0))));
    }

    #[test]
    fn comparisons_with_columns_of_floats_are_exact(numbers in numbers(), partitions in 1usize..4) {
        let floats: Vec<Option<f64>> = LIMITS.iter().map(|v| Some(*v as f64))
            .chain([None, Some(-0.5), Some(2.5), Some(f64::INFINITY), Some(f64::NAN)])
            .collect();
        let order = |v: i128, f: f64| if f.is_nan() { Ordering::Less } else { compare(v, f) };
        for (dtype, range) in [types()[3].clone(), types()[7].clone()] {
            let numbers = of_type(&numbers, &range);
            let pairs: Vec<_> = numbers.iter().flat_map(|v| floats.iter().map(|f| (*v, *f))).collect();
            let (v, f): (Vec<_>, Vec<_>) = pairs.iter().copied().unzip();
            let whole = Frame::new_infer_height(vec![column("v", &v, &dtype), Column::new("f".into(), f)]).unwrap();
            let frame = DataFrame::from_polars(whole, partitions);
            let bools = |expression: Expr| -> Vec<Option<bool>> {
                let frame = frame.select([expression]).compute().unwrap();
                frame.columns()[0].bool().unwrap().iter().collect()
            };
            let expected = |holds: fn(Ordering) -> bool| -> Vec<Option<bool>> {
                pairs.iter().map(|(v, f)| Some(holds(order((*v)?, (*f)?)))).collect()
            };
            let (a, b) = (|| col("v"), || col("f"));
            prop_assert_eq!(bools(a().eq(b())), expected(Ordering::is_eq), "{:?}", numbers);
            prop_assert_eq!(bools(b().neq(a())), expected(Ordering::is_ne), "{:?}", numbers);
            prop_assert_eq!(bools(a().lt(b())), expected(Ordering::is_lt), "{:?}", numbers);
            prop_assert_eq!(bools(b().lt(a())), expected(Ordering::is_gt), "{:?}", numbers);
            prop_assert_eq!(bools(a().gt_eq(b())), expected(Ordering::is_ge), "{:?}", numbers);
            prop_assert_eq!(bools(b().gt_eq(a())), expected(Ordering::is_le), "{:?}", numbers);
            let missing: Vec<_> = pairs.iter().map(|pair| Some(match pair {
                (Some(v), Some(f)) => order(*v, *f).is_eq(),
                (v, f) => v.is_none() && f.is_none(),
            })).collect();
            prop_assert_eq!(bools(a().eq_missing(b())), missing.clone(), "{:?}", numbers);
            let not: Vec<_> = missing.iter().map(|equal| equal.map(|equal| !equal)).collect();
            prop_assert_eq!(bools(b().neq_missing(a())), not, "{:?}", numbers);
            for float in floats.iter().copied().flatten().filter(|f| !f.is_nan()) {
                let one_of: Vec<_> = v.iter().map(|v| Some(compare((*v)?, float).is_eq())).collect();
                prop_assert_eq!(bools(a().is_in_values([float])), one_of, "{} of {:?}", float, numbers);
                let least = 2f64.powi(53);
                let between: Vec<_> = v.iter().map(|v| {
                    Some(compare((*v)?, least).is_ge() && compare((*v)?, float).is_lt())
                }).collect();
                let found = bools(a().is_between(lit(least), lit(float), ClosedInterval::Left));
                prop_assert_eq!(found, between, "{} of {:?}", float, numbers);
            }
            for integer in LIMITS.iter().filter_map(|v| i64::try_from(*v).ok()) {
                let of = |holds: fn(Ordering) -> bool| -> Vec<_> {
                    pairs.iter().map(|(_, f)| Some(holds(order(integer.into(), (*f)?)))).collect()
                };
                prop_assert_eq!(bools(b().is_in_values([integer])), of(Ordering::is_eq), "{}", integer);
                prop_assert_eq!(bools(b().eq(lit(integer))), of(Ordering::is_eq), "{}", integer);
                prop_assert_eq!(bools(lit(integer).lt(b())), of(Ordering::is_lt), "{}", integer);
                prop_assert_eq!(bools(b().lt_eq(lit(integer))), of(Ordering::is_ge), "{}", integer);
            }
        }
    }

    #[test]
    fn comparisons_are_exact(numbers in numbers(), partitions in 1usize..4) {
        type Operator = (fn(Expr, Expr) -> Expr, fn(Ordering) -> bool);
        let operators: [Operator; 6] = [
            (Expr::gt, Ordering::is_gt),
            (Expr::gt_eq, Ordering::is_ge),
            (Expr::lt, Ordering::is_lt),
            (Expr::lt_eq, Ordering::is_le),
            (Expr::eq, Ordering::is_eq),
            (Expr::neq, Ordering::is_ne),
        ];
        let bools = |frame: DataFrame| -> Vec<Option<bool>> {
            let frame = frame.compute().unwrap();
            frame.columns()[0].bool().unwrap().iter().collect()
        };
        for (dtype, range) in [types()[3].clone(), types()[7].clone(), types()[2].clone()] {
            let numbers = of_type(&numbers, &range);
            let whole = Frame::new_infer_height(vec![column("v", &numbers, &dtype)]).unwrap();
            let frame = DataFrame::from_polars(whole, partitions);
            let floats = LIMITS.iter().map(|v| *v as f64)
                .chain([2f64.powi(53) + 2.0, -0.5, 0.0, 2.5, 1e300, -1e300, f64::INFINITY, f64::NEG_INFINITY]);
            for float in floats {
                for (operator, holds) in operators {
                    let expected: Vec<_> = numbers.iter().map(|v| v.map(|v| holds(compare(v, float)))).collect();
                    let found = bools(frame.select([operator(col("v"), lit(float))]));
                    prop_assert_eq!(&found, &expected, "{} with {} of {:?}", dtype, float, numbers);
                    let expected: Vec<_> = numbers.iter().map(|v| v.map(|v| holds(compare(v, float).reverse()))).collect();
                    let found = bools(frame.select([operator(lit(float), col("v"))]));
                    prop_assert_eq!(&found, &expected, "{} with {} of {:?}", float, dtype, numbers);
                }
            }
            for signed in LIMITS.iter().filter_map(|v| i64::try_from(*v).ok()) {
                for (operator, holds) in operators {
                    let expected: Vec<_> = numbers.iter().map(|v| v.map(|v| holds(v.cmp(&signed.into())))).collect();
                    let found = bools(frame.select([operator(col("v"), lit(signed))]));
                    prop_assert_eq!(&found, &expected, "{} with {} of {:?}", dtype, signed, numbers);
                }
            }
        }
        let [_, _, _, (signed, s), .., (unsigned, u)] = types();
        let (s, u) = (of_type(&numbers, &s), of_type(&numbers, &u));
        let pairs: Vec<_> = s.iter().flat_map(|s| u.iter().map(|u| (*s, *u))).collect();
        let whole = Frame::new_infer_height(vec![
            column("s", &pairs.iter().map(|pair| pair.0).collect::<Vec<_>>(), &signed),
            column("u", &pairs.iter().map(|pair| pair.1).collect::<Vec<_>>(), &unsigned),
        ]).unwrap();
        let frame = DataFrame::from_polars(whole, partitions);
        for (operator, holds) in operators {
            let expected: Vec<_> = pairs.iter().map(|(s, u)| Some(holds((*s)?.cmp(&(*u)?)))).collect();
            prop_assert_eq!(bools(frame.select([operator(col("s"), col("u"))])), expected, "{:?}", pairs);
            let expected: Vec<_> = pairs.iter().map(|(s, u)| Some(holds((*u)?.cmp(&(*s)?)))).collect();
            prop_assert_eq!(bools(frame.select([operator(col("u"), col("s"))])), expected, "{:?}", pairs);
        }
    }
}

#[test]
fn the_greatest_of_a_column_is_one_of_it() {
    let frame = df!("x" => [1i64, 9_007_199_254_740_995, -3], "s" => ["b", "a", "c"]).unwrap();
    let frame = DataFrame::from_polars(frame, 2);
    let greatest = frame.column("x").max();
    assert_eq!(
        format!("{:?}", greatest.compute().unwrap()),
        "9007199254740995"
    );
    assert_eq!(
        greatest.cast::<i64>().compute().unwrap(),
        9_007_199_254_740_995
    );
    assert_eq!(greatest.dtype().unwrap(), DataType::Int64);
    assert_eq!(frame.column("s").max().compute().unwrap(), "c");
    let days = frame.select([col("x")
        .clip(lit(0), lit(2))
        .cast(DataType::Date)
        .alias("day")]);
    assert_eq!(
        days.column("day").max().compute().unwrap().to_string(),
        "1970-01-03"
    );
    let none = frame.filter(lit(false)).column("x");
    assert!(none.max().compute().unwrap().is_null());
    assert_eq!(none.sum().compute().unwrap(), 0);
    assert!((none.max().compute().unwrap() + 1.0).is_nan());
}

#[test]
fn small_integers_are_added_up_in_64_bits() {
    let frame = DataFrame::from_polars(df!("x" => [2_000_000_000u32; 3]).unwrap(), 2);
    assert_eq!(frame.column("x").sum().compute().unwrap(), 6_000_000_000u64);
    assert_eq!(frame.column("x").sum().dtype().unwrap(), DataType::UInt64);
    let horizontal = polars::lazy::dsl::sum_horizontal([col("x"), col("x")], true).unwrap();
    let rows = frame.select([horizontal.alias("twice")]);
    assert_eq!(
        rows.column("twice").to_vec::<u64>().unwrap(),
        [4_000_000_000; 3]
    );
    let filtered = frame.filter(col("x").sum().gt(lit(5_000_000_000i64)));
    assert_eq!(filtered.len().compute().unwrap(), 3);
    // A lossy cast is the user's own decision.
    let signed = DataFrame::from_polars(df!("x" => [-1i32, 5, i32::MAX]).unwrap(), 2);
    let as_unsigned = |x: Expr| signed.agg(x.sum()).compute();
    let sum = as_unsigned(col("x").cast(DataType::UInt64)).unwrap();
    assert_eq!(
        sum.columns()[0].u64().unwrap().get(0),
        Some(i32::MAX as u64 + 5)
    );
    message(as_unsigned(col("x").strict_cast(DataType::UInt64)));
    let flags = DataFrame::from_polars(df!("b" => [true, false, true]).unwrap(), 2);
    assert_eq!(flags.column("b").sum().dtype().unwrap(), DataType::Int64);
    assert_eq!(flags.column("b").sum().compute().unwrap(), 2);
}

#[test]
fn arithmetic_on_small_integers_is_right_or_an_error() {
    let frame =
        DataFrame::from_polars(df!("n" => [1, 2_000_000_000], "u" => [1u32, 3]).unwrap(), 2);
    let doubled = frame.select([col("n") * lit(2)]);
    assert_eq!(doubled.schema().unwrap().get("n"), Some(&DataType::Int32));
    assert_eq!(doubled.head(1).unwrap(), df!("n" => [2]).unwrap());
    let found = message(doubled.compute());
    let expected =
        "\"n\" * 2 is beyond what i32 holds, 2000000000 * 2: cast first, .cast(DataType::Int64)";
    assert!(found.contains(expected), "{found}");
    let wide = frame.select([col("n").cast(DataType::Int64) * lit(2)]);
    assert_eq!(wide.column("n").sum().compute().unwrap(), 4_000_000_002i64);
    let found = message(frame.select([col("u") - lit(2u32)]).compute());
    assert!(
        found.contains("\"u\" - 2 is beyond what u32 holds, 1 - 2"),
        "{found}"
    );
    let found = message(frame.agg([(col("n") + col("n")).sum()]).compute());
    assert!(
        found.contains("\"n\" + \"n\" is beyond what i32 holds"),
        "{found}"
    );
    assert_eq!(
        frame
            .filter((col("u") + col("n")).gt(lit(5)))
            .len()
            .compute()
            .unwrap(),
        1
    );
}

#[test]
fn arithmetic_on_sums_is_right_or_an_error() {
    let sales = df!("day" => ["a", "b", "a"], "sold" => [3u32, 5, 1], "back" => [5u32, 1, 0]);
    for partitions in 1..4 {
        let sales = DataFrame::from_polars(sales.clone().unwrap(), partitions);
        let net = || (col("sold").sum() - col("back").sum()).alias("net");
        let found = message(sales.group_by("day").agg([net()]).compute());
        let expected = "\"sold\".sum() - \"back\".sum() is beyond what u64 holds, 4 - 5: cast first, .cast(DataType::Int128)";
        assert!(found.contains(expected), "{found}");
        let found = message(sales.agg([col("sold").sum() - lit(10)]).compute());
        assert!(
            found.contains("\"sold\".sum() - 10 is beyond what u64 holds, 9 - 10"),
            "{found}"
        );
        assert_eq!(
            sales.agg([net()]).compute().unwrap(),
            df!("net" => [3u64]).unwrap()
        );
        let signed = |name: &str| col(name).sum().cast(DataType::Int64);
        let net = sales
            .group_by("day")
            .agg([(signed("sold") - signed("back")).alias("net")]);
        assert_eq!(
            net.compute().unwrap(),
            df!("day" => ["a", "b"], "net" => [-1i64, 4]).unwrap()
        );
        let either = when(col("sold").sum().gt(col("back").sum()))
            .then(col("sold").sum() - col("back").sum())
            .otherwise(lit(0))
            .alias("net");
        assert_eq!(
            sales.group_by("day").agg([either]).compute().unwrap(),
            df!("day" => ["a", "b"], "net" => [0u64, 4]).unwrap()
        );
        let filtered = col("sold")
            .gt_eq(col("back"))
            .and((col("sold") - col("back")).gt(lit(1)));
        assert_eq!(sales.filter(filtered).len().compute().unwrap(), 1);
        // For integers, `and` is a different operation.
        let bits = sales.select([col("sold").and(col("back") + lit(1)).alias("bits")]);
        assert_eq!(bits.column("bits").to_vec::<u32>().unwrap(), [2, 0, 1]);
        let found = message(
            sales
                .filter((col("sold") - col("back")).gt(lit(1)))
                .compute(),
        );
        assert!(
            found.contains("\"sold\" - \"back\" is beyond what u32 holds"),
            "{found}"
        );
        let found = message(
            sales
                .group_by([col("sold") - lit(2)])
                .agg([len()])
                .compute(),
        );
        assert!(found.contains("\"sold\" - 2 is beyond"), "{found}");
    }
}

#[test]
fn sums_and_means_of_rows_windows_and_lists_do_not_wrap_around() {
    use polars::lazy::dsl::{concat_list, mean_horizontal, sum_horizontal};
    use polars::prelude::RollingOptionsFixedWindow;
    let frame = df!("a" => [2_000_000_000, 1], "b" => [2_000_000_000, 3], "l" => [i64::MAX, 1]);
    let frame = DataFrame::from_polars(frame.unwrap(), 2);
    let floats = |expression: Expr| {
        frame
            .select([expression.alias("x")])
            .column("x")
            .to_vec::<f64>()
            .unwrap()
    };
    let of = |names: [&str; 2]| names.map(col);
    assert_eq!(
        floats(mean_horizontal(of(["a", "b"]), true).unwrap()),
        [2e9, 2.0]
    );
    let mean = mean_horizontal(of(["l", "l"]), true).unwrap();
    assert_eq!(floats(mean), [i64::MAX as f64, 1.0]);
    // A selection of columns forms one row.
    let all = || [all().as_expr()];
    assert_eq!(floats(mean_horizontal(all(), true).unwrap())[1], 5.0 / 3.0);
    let sums = |expression: Expr| {
        let frame = frame.select([expression.alias("x")]);
        assert_eq!(frame.column("x").dtype().unwrap(), DataType::Int64);
        frame.column("x").to_vec::<i64>()
    };
    let windows = || RollingOptionsFixedWindow {
        window_size: 2,
        min_periods: 1,
        ..Default::default()
    };
    let row = sum_horizontal(of(["a", "b"]), true).unwrap();
    assert_eq!(sums(row).unwrap(), [4_000_000_000, 4]);
    let window = col("a").rolling_sum(windows());
    assert_eq!(sums(window).unwrap(), [2_000_000_000, 2_000_000_001]);
    let list = |names| concat_list(of(names)).unwrap();
    let found = sums(list(["a", "b"]).list().sum());
    assert_eq!(found.unwrap(), [4_000_000_000, 4]);
    let found = message(sums(sum_horizontal(all(), true).unwrap()));
    assert!(
        found.contains("the sum of a row of \"a\" is beyond what i64 holds"),
        "{found}"
    );
    let found = message(sums(col("l").rolling_sum(windows())));
    assert!(
        found.contains("the rolling sum of \"l\" is beyond what i64 holds"),
        "{found}"
    );
    let found = message(sums(list(["l", "l"]).list().sum()));
    assert!(found.contains("the sum of a list of"), "{found}");
}

#[test]
fn an_overflow_names_the_column() {
    let frame = DataFrame::from_polars(df!("it's" => [i64::MAX, 1]).unwrap(), 2);
    let error = |result: Result<Frame>| message(result);
    let expected = "the sum of \"it's\" is beyond what i64 holds: cast to another type first, .cast(DataType::Float64)";
    let found = error(frame.agg(col("it's").sum()).compute());
    assert!(found.contains(expected), "{found}");
    let found = frame.column("it's").sum().compute().unwrap_err();
    assert!(found.to_string().contains(expected), "{found}");
    let found = error(
        frame
            .with_column("all", col("it's").cum_sum(false))
            .compute(),
    );
    assert!(
        found.contains("the cumulative sum of \"it's\" is beyond"),
        "{found}"
    );
    let twice = polars::lazy::dsl::sum_horizontal([col("it's"), col("it's")], true).unwrap();
    let found = error(frame.select([twice.alias("twice")]).compute());
    assert!(
        found.contains("the sum of a row of \"it's\" is beyond"),
        "{found}"
    );
    let unsigned = DataFrame::from_polars(df!("u" => [u64::MAX, 1]).unwrap(), 2);
    let found = error(unsigned.agg(col("u").sum()).compute());
    assert!(
        found.contains("the sum of \"u\" is beyond what u64 holds"),
        "{found}"
    );
    let floats = frame
        .agg(col("it's").cast(DataType::Float64).sum())
        .compute()
        .unwrap();
    assert_eq!(
        floats.columns()[0].f64().unwrap().get(0),
        Some(2f64.powi(63))
    );
}

#[test]
fn datums_are_the_numbers_that_they_are() {
    let of = |value: AnyValue<'static>| <Datum as ScalarValue>::from_any(&value).unwrap();
    let three = of(AnyValue::Int32(3));
    let large = of(AnyValue::UInt64(u64::MAX));
    let half = of(AnyValue::Float64(0.5));
    let text = of(AnyValue::String("a"));
    let null = of(AnyValue::Null);
    assert_eq!(format!("{three} {half} {text} {null}"), "3 0.5 a null");
    assert_eq!(
        format!("{three:?} {half:?} {text:?} {null:?}"),
        "3 0.5 \"a\" null"
    );
    assert_eq!(format!("{:>4}|{:.2}", three, half), "   3|0.50");
    assert_eq!(&three + 1, 4);
    assert_eq!(1 + &three, 4);
    assert_eq!(&three + 1.0, 4.0f64);
    assert_eq!(2.0 * &three, 6.0f64);
    assert_eq!((&large + 1).to_string(), "18446744073709551616");
    assert_eq!(&three - &half, 2.5);
    assert_eq!(&three / 2, 1.5);
    assert_eq!(-three.clone(), -3);
    assert!((&null + 1).is_null() && (&null * 1.0).is_nan());
    assert!(three < 4 && 2 < three && three == 3.0 && three != 3.5);
    let (same, owned) = (three.clone(), "a".to_owned());
    assert!(three == same && text == owned);
    assert!(large > i64::MAX && large > 1e18 && large < 1e300 && large != u64::MAX as f64);
    assert!(of(AnyValue::Int64((1 << 53) + 1)) != 2f64.powi(53));
    assert!(text == "a" && text == *"a" && text < "b" && text != 1);
    assert!(null == of(AnyValue::Null) && null != 0 && null.partial_cmp(&0).is_none());
    assert!(of(AnyValue::Boolean(true)) == true);
    assert_eq!(i64::try_from(three).unwrap(), 3);
    assert_eq!(
        message(large.to::<i64>()),
        "the value is 18446744073709551615 of type u64, expected i64"
    );
    assert_eq!(
        message(half.to::<i64>()),
        "the value is 0.5 of type f64, expected i64"
    );
    assert_eq!(null.to::<Option<i64>>().unwrap(), None);
    assert_eq!(text.to::<String>().unwrap(), "a");
    assert_eq!(of(AnyValue::Float32(0.5)).to::<f32>().unwrap(), 0.5);
    let wrong = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| &text + 1)).unwrap_err();
    let error = wrong.downcast_ref::<crate::Error>().unwrap().to_string();
    assert!(error.contains("expected a number"), "{error}");
}

#[test]
fn keys_with_and_without_a_sign_do_not_meet() {
    let frame = |column| DataFrame::from_polars(Frame::new_infer_height(vec![column]).unwrap(), 2);
    let signed = frame(column("k", &[Some(1 << 53), Some(3)], &DataType::Int64));
    let unsigned = frame(column(
        "k",
        &[Some((1 << 53) + 1), Some(3)],
        &DataType::UInt64,
    ));
    let found = message(signed.join(&unsigned, "k", JoinType::Inner).compute());
    assert!(found.contains("cast one of them"), "{found}");
    let narrow = frame(column("k", &[Some(1), Some(3)], &DataType::UInt32));
    assert_eq!(
        signed
            .join(&narrow, "k", JoinType::Inner)
            .len()
            .compute()
            .unwrap(),
        1
    );
}
