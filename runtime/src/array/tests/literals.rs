//! Numbers without a suffix are `f64` and `i32`. The code that cells contain must compile
//! without annotations, both for the value and for its display.

use crate::prelude::*;
use crate::show_value;
use ndarray::array;

/// Returns the text that a cell shows for its last expression.
macro_rules! shown {
    ($value:expr) => {
        show_value!(&$value)
            .unwrap()
            .unwrap()
            .get("text/plain")
            .unwrap()
            .to_owned()
    };
}

type Tested = Result<(), Box<dyn std::error::Error>>;

#[test]
fn sums_in_the_same_cell() -> Tested {
    let x = Array::from_ndarray(vec![4.0, -1.0, 7.0], 2);
    assert_eq!(shown!(x.sum().compute()?), "10.0");

    let x = Array::from_ndarray(vec![4, -1, 7], 2);
    assert_eq!(shown!((x.sum().compute()?, x.max().compute()?)), "(10, 7)");

    let sums = Array::from_ndarray(array![[1.0, 2.0], [3.0, 4.0]], 1).sum_axis(Axis(0));
    assert!(
        shown!(sums.compute()?).contains("[4.0, 6.0]"),
        "{}",
        shown!(sums.compute()?)
    );

    assert_eq!(
        shown!(Array::full((2, 2), 1.5, 1).prod().compute()?),
        "5.0625"
    );
    Ok(())
}

#[test]
fn integers_are_i32_and_their_sums_i64() -> Tested {
    assert_eq!(
        shown!(Array::from_ndarray(vec![1, 2, 3], 2).sum().compute()?),
        "6"
    );
    assert_eq!(
        shown!(
            Array::from_ndarray(array![[1, 2], [3, 4]], 1)
                .prod()
                .compute()?
        ),
        "24"
    );
    // Beyond `i32`, without an error.
    let large = Array::full(3, 2_000_000_000, 1);
    assert_eq!(shown!(large.sum().compute()?), "6000000000");
    assert_eq!(large.dtype(), DType::I32);
    let total: i64 = Array::full((2, 3), 7, (1, 2)).sum().compute()?;
    assert_eq!(total, 42);
    let rows = Array::from_ndarray(vec![1, 2, 3, 4], 3)
        .prod_axis(Axis(0))
        .compute()?;
    assert_eq!(rows.iter().copied().sum::<i64>(), 24);
    Ok(())
}

#[test]
fn what_follows_from_literals() -> Tested {
    let x = Array::from_ndarray(vec![1.0, 2.0, 3.0], 2);
    assert_eq!(shown!((&x + 1.0).sum().compute()?), "9.0");
    let x = Array::from_ndarray(vec![1, 2, 3], 2);
    assert_eq!(shown!(((&x + 1) * 2 - 1).sum().compute()?), "15");
    let x = Array::from_ndarray(vec![1, 2, 3], 2);
    assert_eq!(shown!(x.map(|v| v * 2).sum().compute()?), "12");
    let by = 3.0;
    let x = Array::from_ndarray(vec![1.0, 2.0, 3.0], 2);
    assert_eq!(shown!(x.map(move |v| v * by).max().compute()?), "9.0");
    let x = Array::from_ndarray(vec![1.0, 2.0, 3.0], 2);
    assert_eq!(shown!(x.mean().compute()?), "2.0");
    let x = Array::from_ndarray(vec![1, 2, 3], 2);
    assert_eq!(shown!(x.gt(1).sum().compute()?), "2");
    let x = Array::from_ndarray(vec![1, 2, 3], 2);
    assert_eq!(shown!(x.gt(1).any().compute()?), "true");
    let x = Array::from_ndarray(vec![3, 1, 2], 2);
    assert_eq!(shown!(x.gt(1).select(10, 0).sum().compute()?), "20");
    let x = Array::from_ndarray(vec![1.5, 2.5], 1);
    assert_eq!(
        shown!((x.min().compute()?, x.std().compute()?)),
        "(1.5, 0.5)"
    );
    let x = Array::from_ndarray(vec![1.5, 2.5], 1);
    assert_eq!(shown!((x.max() + 1.0).compute()?), "3.5");
    let x = Array::from_ndarray(vec![1, 2], 1);
    assert_eq!(shown!(x.astype::<f64>().sum().compute()?), "3.0");
    let x = Array::from_ndarray(vec![1.0, 2.0, 2.0], 1);
    assert_eq!(shown!(x.dot(&x).into_scalar().compute()?), "9.0");
    let x = Array::from_ndarray(vec![1.0, 2.0], 1);
    let y = Array::from_ndarray(vec![3.0, 4.0], 1);
    assert_eq!(
        shown!(
            concatenate(Axis(0), &[x.clone(), y.clone()])
                .sum()
                .compute()?
        ),
        "10.0"
    );
    assert_eq!(
        shown!(stack(Axis(0), &[x, y]).sum_axis(Axis(1)).compute()?[1]),
        "7.0"
    );
    // The type does not follow from the length alone, but from the operations.
    assert_eq!(shown!((Array::arange(4, 2) * 1.5).sum().compute()?), "9.0");
    assert_eq!(shown!((Array::zeros((2, 2), 1) + 1).sum().compute()?), "4");
    assert_eq!(shown!((Array::ones(3, 2) / 2.0).sum().compute()?), "1.5");
    assert_eq!(
        shown!(Array::linspace(0.0, 1.0, 5, 2).sum().compute()?),
        "2.5"
    );
    assert_eq!(
        shown!(Array::from_ndarray(vec![1, 2], 1).compute()?.sum()),
        "3"
    );
    let (sum, most) = {
        let x = Array::from_ndarray(vec![1.0, 5.0], 1);
        compute((&x.sum(), &x.max()))?
    };
    assert_eq!(shown!((sum, most)), "(6.0, 5.0)");
    let kept = Array::from_ndarray(vec![1.0, 2.0], 1).persist()?;
    assert_eq!(shown!(kept.sum().compute()?), "3.0");
    Ok(())
}

#[test]
fn types_that_are_given_stay() -> Tested {
    let x = Array::from_ndarray(vec![1.5f32, 2.5], 1);
    assert_eq!((x.sum().compute()?, x.sum().dtype()), (4.0f32, DType::F32));
    let x = Array::<f32>::full(3, 1.5, 2);
    assert_eq!(x.prod().compute()?, 3.375f32);
    let x = Array::<i64>::full(3, 2, 2);
    assert_eq!(x.sum().compute()?, 6i64);
    let x = Array::from_ndarray(vec![250u8, 250], 1);
    assert_eq!(x.sum_axis(Axis(0)).compute()?[[].as_slice()], 500u64);
    fn total<T: crate::array::Element>(x: &Array<T>) -> Scalar<T::Sum> {
        x.sum()
    }
    assert_eq!(total(&Array::full(2, true, 1)).compute()?, 2i64);
    assert_eq!(total(&Array::<f32>::full(2, 0.5, 1)).compute()?, 1.0);
    Ok(())
}

#[test]
fn frames_of_literals() -> Tested {
    let frame = DataFrame::from_polars(df!("v" => [1, 2, 3], "w" => [0.5, 1.5, 2.5])?, 2);
    assert_eq!(shown!(frame.column("v").sum().compute()?), "6");
    assert_eq!(shown!(frame.column("w").sum().compute()?), "4.5");
    assert_eq!(shown!(frame.column("v").sum().compute()? + 1.0), "7.0");
    assert_eq!(shown!(frame.column("v").sum().compute()? + 1), "7");
    assert_eq!(
        shown!(frame.filter(col("v").gt(lit(1))).len().compute()?),
        "2"
    );
    assert_eq!(
        shown!(
            frame
                .select([(col("v") * lit(2)).sum()])
                .column("v")
                .max()
                .compute()?
        ),
        "12"
    );
    assert_eq!(
        shown!((
            frame.column("v").max().compute()?,
            frame.column("w").min().compute()?
        )),
        "(3, 0.5)"
    );
    Ok(())
}
