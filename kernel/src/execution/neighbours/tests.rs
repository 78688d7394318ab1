use super::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// For each row of the table, a line with a cell, the compiler's error for it,
/// and the hint.
const ERRORS: &str = include_str!("errors.jsonl");

fn errors() -> Vec<Value> {
    let parsed = ERRORS.lines().map(serde_json::from_str);
    parsed.collect::<Result<_, _>>().unwrap()
}

fn text<'a>(error: &'a Value, key: &str) -> Option<&'a str> {
    error[key].as_str()
}

fn known(error: &Value) -> Known<'_> {
    let labels = error["labels"].as_array().into_iter().flatten();
    let offset = |at: usize| error["at"][at].as_u64().unwrap() as usize;
    Known {
        code: text(error, "code"),
        message: text(error, "message").unwrap(),
        labels: labels.map(|label| label.as_str().unwrap()).collect(),
        callee: text(error, "callee"),
        owner_type: text(error, "owner").unwrap_or_default(),
        range: offset(0)..offset(1),
        cell: text(error, "cell").unwrap(),
    }
}

fn hint_of(error: &Value) -> Option<String> {
    hint(&known(error), &|_| false)
}

/// Returns the error of a cell from the list.
fn error_of(cell: &str) -> Value {
    let mut all = errors().into_iter();
    let error = all.find(|error| error["cell"] == cell);
    error.unwrap_or_else(|| panic!("no error of `{cell}`"))
}

#[test]
fn an_error_as_the_compiler_has_it_gets_its_line() {
    for error in errors() {
        let cell = text(&error, "cell").unwrap();
        assert_eq!(
            hint_of(&error).as_deref(),
            text(&error, "hint"),
            "{cell}: {}",
            error["message"]
        );
    }
}

#[test]
fn every_row_has_an_error() {
    let mut found = BTreeSet::new();
    for error in errors() {
        let known = known(&error);
        for subject in known.subjects() {
            let row = subject.words.iter().find_map(|word| {
                TABLE.iter().position(|row| {
                    row.what == subject.what
                        && row.words.contains(&word.as_str())
                        && row.of.fits(subject.of, &|_| false)
                })
            });
            found.extend(row);
        }
    }
    let missing: Vec<_> = TABLE
        .iter()
        .enumerate()
        .filter(|(number, _)| !found.contains(number))
        .map(|(_, row)| (row.what, row.words))
        .collect();
    assert_eq!(missing, []);
}

#[test]
fn a_line_is_one_line() {
    for row in TABLE {
        let rest = row.hint.replace("{word}", "word");
        assert!(!rest.contains('\n'), "{row:?}");
        assert_eq!(rest.matches('`').count() % 2, 0, "{row:?}");
    }
}

#[test]
fn no_word_is_there_twice() {
    let mut seen = BTreeSet::new();
    for row in TABLE {
        for word in row.words {
            let key = format!("{:?} {:?} {word}", row.what, row.of);
            assert!(seen.insert(key.clone()), "{key}");
        }
    }
}

#[test]
fn a_type_of_the_users_has_no_line() {
    // Without a path, the type may be the user's.
    let mut error = error_of("groups.aggregate()");
    assert!(hint_of(&error).is_some());
    let own = |name: &str| name == "GroupedFrame";
    assert_eq!(hint(&known(&error), &own), None);
    error["cell"] = "groups.aggregate(); struct GroupedFrame;".into();
    assert_eq!(hint_of(&error), None);
    // With another path, it is another type.
    for (cell, ours, other) in [
        ("df.groupby()", "swath::frame::DataFrame", "DataFrame"),
        (
            "df.groupby()",
            "swath::frame::DataFrame",
            "other::DataFrame",
        ),
        (
            "df.merge()",
            "swath::frame::DataFrame",
            "swath::polars::prelude::DataFrame",
        ),
        ("x[0]", "swath::array::Array", "ndarray::Array"),
        ("x > 1.5", "swath::array::Array", "swath::ndarray::Array"),
        (
            "frame.groupby()",
            "swath::polars::prelude::DataFrame",
            "other::DataFrame",
        ),
    ] {
        let mut error = error_of(cell);
        let replaced = error.to_string().replace(ours, other);
        error = serde_json::from_str(&replaced).unwrap();
        let own = |name: &str| name == "DataFrame";
        let said = hint(&known(&error), &own).unwrap_or_default();
        assert!(
            said.is_empty() || other.contains("polars") && said.contains("polars"),
            "{other}: {said}"
        );
    }
}

#[test]
fn ours_keeps_its_line_beside_one_of_the_users() {
    let error = error_of("client.close()").to_string();
    let error: Value =
        serde_json::from_str(&error.replace("`Client`", "`swath::cluster::Client`")).unwrap();
    let own = |name: &str| name == "Client";
    assert!(hint(&known(&error), &own).is_some());
}

#[test]
fn a_name_of_the_users_has_no_line() {
    let error = error_of("np.array(1)");
    assert!(hint_of(&error).is_some());
    assert_eq!(hint(&known(&error), &|name| name == "np"), None);
}

#[test]
fn a_function_of_the_users_has_no_line() {
    let mut error = error_of("len(x)");
    assert!(hint_of(&error).is_some());
    error["callee"] = Value::Null;
    assert_eq!(hint_of(&error), None);
}

#[test]
fn what_is_no_neighbours_word_has_no_line() {
    for (code, message, cell, at) in [
        (
            "E0425",
            "cannot find value `unheard_of` in this scope",
            "unheard_of",
            0..10,
        ),
        (
            "E0425",
            "cannot find function `zeros` in module `grid`",
            "grid::zeros(3)",
            6..11,
        ),
        (
            "E0599",
            "no method named `groupby` found for struct `Vec<f64>` in the current scope",
            "numbers.groupby()",
            8..15,
        ),
        (
            "E0614",
            "type `f64` cannot be dereferenced",
            "a * (*b)",
            5..7,
        ),
        (
            "E0308",
            "mismatched types",
            "let b: i32 = \"text\";",
            13..19,
        ),
        ("E0505", "cannot move out of `x`", "drop(x)", 5..6),
    ] {
        let known = Known {
            code: Some(code),
            message,
            labels: vec!["expected `i32`, found `&str`"],
            callee: None,
            owner_type: "",
            range: at,
            cell,
        };
        assert_eq!(hint(&known, &|_| false), None, "{cell}");
    }
}

#[test]
fn a_place_outside_of_the_cell_is_no_place() {
    let known = Known {
        code: None,
        message: "expected expression, found `}`",
        labels: Vec::new(),
        callee: None,
        owner_type: "",
        range: 90..91,
        cell: "größe(",
    };
    assert_eq!(hint(&known, &|_| false), None);
}

#[test]
fn a_cell_defines_the_types_whose_items_it_has() {
    assert!(defines("struct  Array<T>(T);", "Array"));
    assert!(defines("let x = 1; enum Expr { A }", "Expr"));
    assert!(!defines(
        "struct ArrayLike; let x: Array<f64> = y;",
        "Array"
    ));
}
