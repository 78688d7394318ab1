//! Files are read the same however they are cut, and errors in them are reported with
//! file, line and fix.

use super::*;
use crate::compute::Collection;
use crate::frame::Frame;
use polars::df;
use polars::prelude::{AnyValue, col};
use proptest::prelude::*;
use std::path::Path;
use tempfile::TempDir;

struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(content: impl AsRef<[u8]>) -> (Self, PathBuf) {
        let files = Self::new();
        let path = files.add("data.csv", content);
        (files, path)
    }

    fn add(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }
}

fn read(content: impl AsRef<[u8]>, options: impl Fn(CsvReader) -> CsvReader) -> Result<Frame> {
    let (_files, path) = Files::with(content);
    options(read_csv(&path)).load()?.compute()
}

/// Compares the error's message, without the directory.
#[track_caller]
fn check_error(
    content: impl AsRef<[u8]>,
    options: impl Fn(CsvReader) -> CsvReader,
    expected: &str,
) {
    let (files, path) = Files::with(content);
    let result = options(read_csv(&path))
        .load()
        .and_then(|frame| frame.compute());
    assert_eq!(text(&files, result), expected);
}

/// Returns the text of the error, or of the cause of the task's failure.
#[track_caller]
fn text<T>(files: &Files, result: Result<T>) -> String {
    let message = match result {
        Ok(_) => panic!("an error was expected"),
        Err(Error::Task { cause, .. }) => cause.to_string(),
        Err(error) => error.to_string(),
    };
    message.replace(&format!("{}/", files.0.path().display()), "")
}

fn as_is(reader: CsvReader) -> CsvReader {
    reader
}

/// Records, and the text of a file with them.
#[derive(Clone, Debug)]
struct Table {
    rows: Vec<(Option<i64>, String)>,
    text: String,
}

fn tables() -> impl Strategy<Value = Table> {
    let text = prop_oneof![
        "[a-z ]{0,6}",
        prop::sample::select(vec![
            "a,b",
            "two\nlines",
            "two\r\nlines",
            "two\rlines",
            "say \"yes\"",
            "\n\n",
            "\"",
            "é",
            "#"
        ])
        .prop_map(str::to_owned),
    ];
    let row = (prop::option::of(-1000i64..1000), text, any::<bool>());
    (
        prop::collection::vec(row, 0..40),
        prop::sample::select(vec![
            ["\n"; 3],
            ["\r\n"; 3],
            ["\r"; 3],
            ["\r", "\n", "\r\n"],
        ]),
        any::<bool>(),
        any::<bool>(),
    )
        .prop_map(|(rows, all_ends, ends, blank)| {
            let end = all_ends[0];
            let mut text = format!("n,t{end}");
            for (at, (number, field, quote)) in rows.iter().enumerate() {
                let end = all_ends[at % 3];
                // A carriage return and a line feed are one line end, not a blank line.
                if blank && at == rows.len() / 2 && !(text.ends_with('\r') && end == "\n") {
                    text += end;
                }
                let number = number.map(|number| number.to_string()).unwrap_or_default();
                let needs = field.contains(['"', ',', '\n', '\r']) || field.is_empty() || *quote;
                let field = if needs {
                    format!("\"{}\"", field.replace('"', "\"\""))
                } else {
                    field.clone()
                };
                text += &format!("{number},{field}{end}");
            }
            if !ends {
                text.truncate(text.trim_end_matches(['\n', '\r']).len());
            }
            Table {
                rows: rows
                    .into_iter()
                    .map(|(number, field, _)| (number, field))
                    .collect(),
                text,
            }
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_cut_gives_the_same_rows(table in tables(), blocksize in 1u64..200, partitions in 1usize..12) {
        let (_files, path) = Files::with(&table.text);
        let typed = || read_csv(&path).with_dtype("n", DataType::Int64);
        for reader in [typed(), typed().blocksize(blocksize), typed().partitions(partitions)] {
            let frame = reader.load().unwrap();
            prop_assert!(frame.npartitions().unwrap() <= table.text.len().max(1));
            let found = frame.compute().unwrap();
            let numbers: Vec<Option<i64>> = found.column("n").unwrap().i64().unwrap().iter().collect();
            let texts: Vec<Option<&str>> = found.column("t").unwrap().str().unwrap().iter().collect();
            prop_assert_eq!(numbers, table.rows.iter().map(|row| row.0).collect::<Vec<_>>());
            prop_assert_eq!(texts, table.rows.iter().map(|row| Some(&*row.1)).collect::<Vec<_>>());
        }
    }

    /// In large files, the cuts are found block by block. Here the bytes are arbitrary.
    #[test]
    fn cuts_are_where_records_begin(
        content in "[a,\n\"]{0,60}",
        places in prop::collection::vec(0u64..60, 1..8),
    ) {
        let (_files, path) = Files::with(&content);
        let stamp = &find(vec![path]).unwrap()[0];
        let format = read_csv("").format().unwrap();
        let mut begins = vec![0];
        let mut fields = Vec::new();
        while let Some(end) = format.record(content.as_bytes(), begins[begins.len() - 1] as usize, &mut fields).end() {
            begins.push(end as u64);
        }
        let Ok(looked) = cut::FileScan::at(stamp, &format, 0, places.len()) else {
            return Ok(());
        };
        for start in looked.starts {
            prop_assert!(begins.contains(&start), "{start} of {begins:?}");
        }
    }
}

/// There are more partitions than bytes, and a quoted line end. The first position is
/// the beginning of the file.
#[test]
fn a_tiny_file_is_not_cut_inside_of_quotes() {
    let frame = read("\"\n\"\n", |reader| reader.has_header(false).partitions(8)).unwrap();
    assert_eq!(frame.height(), 1);
}

#[test]
fn types_follow_from_the_content_and_partitions_share_them() {
    let content = "i,f,b,s,e\n1,1,true,x,\n2,2.5,false,y,\n3,3,,\"\",\n";
    let frame = read(content, |reader| reader.partitions(3)).unwrap();
    let expected = df!(
        "i" => [1i64, 2, 3],
        "f" => [1.0, 2.5, 3.0],
        "b" => [Some(true), Some(false), None],
        "s" => ["x", "y", ""],
        "e" => [None::<&str>; 3],
    );
    assert_eq!(frame.schema(), expected.as_ref().unwrap().schema());
    assert!(frame.equals_missing(&expected.unwrap()));
}

#[test]
fn names_separators_nulls_comments_and_skipped_lines() {
    let content = "written by hand\n# users\n1|24|M\n# that was one\n2|NA|F\n";
    let frame = read(content, |reader| {
        reader
            .separator('|')
            .names(["id", "age", "sex"])
            .skip_rows(1)
            .comment_prefix("#")
            .null_values(["NA"])
    });
    let expected = df!("id" => [1i64, 2], "age" => [Some(24i64), None], "sex" => ["M", "F"]);
    assert!(frame.unwrap().equals_missing(&expected.unwrap()));
    let frame = read("\u{feff}1,2\n", |reader| reader.has_header(false)).unwrap();
    assert_eq!(
        frame,
        df!("column_1" => [1i64], "column_2" => [2i64]).unwrap()
    );
    let frame = read("a,b\n1,2\n", |reader| {
        reader.names(["x", "y"]).has_header(true)
    })
    .unwrap();
    assert_eq!(frame, df!("x" => [1i64], "y" => [2i64]).unwrap());
    let frame = read("x\n1\n\n2", as_is).unwrap();
    assert_eq!(frame.column("x").unwrap().null_count(), 1);
}

#[test]
fn types_can_be_given() {
    let content = "zip,day,small\n01234,2024-01-31,1\n,2024-02-01,2\n";
    let frame = read(content, |reader| {
        reader
            .with_dtype("zip", DataType::String)
            .with_dtype("day", DataType::Date)
            .with_dtype("small", DataType::Int8)
    })
    .unwrap();
    assert_eq!(
        frame.column("zip").unwrap().get(0).unwrap(),
        AnyValue::String("01234")
    );
    assert_eq!(frame.column("day").unwrap().dtype(), &DataType::Date);
    assert_eq!(frame.column("small").unwrap().dtype(), &DataType::Int8);
    check_error(
        content,
        |reader| reader.with_dtype("zap", DataType::String),
        "no column \"zap\" in with_dtype: the columns are \"zip\", \"day\", \"small\"",
    );
}

#[test]
fn quotes() {
    let content = "a,b\n\"x \"\"y\"\"\",\"1\"\n\"Ten\" things,2\nplain \"quoted\" text,3\n";
    let frame = read(content, as_is).unwrap();
    let texts: Vec<_> = frame
        .column("a")
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert_eq!(texts, ["x \"y\"", "Ten things", "plain \"quoted\" text"]);
    assert_eq!(frame.column("b").unwrap().dtype(), &DataType::Int64);
    let frame = read("a|b\n\"Heat|1\n", |reader| {
        reader.separator('|').quote_char(None)
    })
    .unwrap();
    assert_eq!(
        frame.column("a").unwrap().get(0).unwrap(),
        AnyValue::String("\"Heat")
    );
}

#[test]
fn encodings() {
    let content = b"1|Mis\xe9rables, Les (1995)\n2|Caf\xe9\n";
    let names = |reader: CsvReader| reader.separator('|').names(["id", "title"]);
    let frame = read(content, |reader| {
        names(reader).encoding(Encoding::Latin1).partitions(2)
    })
    .unwrap();
    let titles: Vec<_> = frame
        .column("title")
        .unwrap()
        .str()
        .unwrap()
        .iter()
        .flatten()
        .collect();
    assert_eq!(titles, ["Misérables, Les (1995)", "Café"]);
    let frame = read(content, |reader| {
        names(reader).encoding(Encoding::Utf8Lossy)
    })
    .unwrap();
    assert_eq!(
        frame.column("title").unwrap().get(1).unwrap(),
        AnyValue::String("Caf\u{fffd}")
    );
    check_error(
        content,
        names,
        "data.csv, line 1: the byte 0xE9 is not valid UTF-8: if the file is in Latin-1, read it with .encoding(Encoding::Latin1)",
    );
    check_error(
        b"id,title\n1,ok\n2,Caf\xe9\n",
        |reader| reader.partitions(2),
        "data.csv, line 3: the byte 0xE9 is not valid UTF-8: if the file is in Latin-1, read it with .encoding(Encoding::Latin1)",
    );
}

#[test]
fn missing_and_empty_files() {
    let files = Files::new();
    let missing = files.0.path().join("u.user");
    assert_eq!(
        text(&files, read_csv(&missing).load()),
        "cannot open u.user: No such file or directory (os error 2)"
    );
    assert_eq!(
        text(&files, read_csv(files.0.path().join("*.csv")).load()),
        "no file matches *.csv"
    );
    check_error("", as_is, "data.csv: the file is empty, expected a header");
    check_error(
        "\n\n",
        as_is,
        "data.csv: the file has no records, expected a header",
    );
    check_error(
        "",
        |reader| reader.names(["a"]),
        "data.csv: the file is empty, expected records",
    );
    let none = read("a,b\n", as_is).unwrap();
    assert_eq!(none.shape(), (0, 2));
}

#[test]
fn lines_with_other_fields() {
    check_error(
        "a,b\n1,2\n\n3\n",
        as_is,
        "data.csv, line 4: 1 field found, 2 expected: \"3\"",
    );
    for partitions in 1..6 {
        check_error(
            "a,b\n1,2\n3,4\n5,6,7\n8,9\n",
            |reader| reader.partitions(partitions),
            "data.csv, line 4: 3 fields found, 2 expected: \"5,6,7\"",
        );
    }
    check_error(
        "1|2|3\n",
        |reader| reader.names(["a", "b"]).separator('|'),
        "data.csv, line 1: 3 fields found, 2 names given: give one name for each field",
    );
    check_error(
        "1|2\n",
        |reader| reader.names(["a", "b"]),
        "data.csv, line 1: 1 field found, 2 names given: give one name for each field; is ',' the separator?",
    );
    check_error(
        "a,a\n1,2\n",
        as_is,
        "data.csv, line 1: two columns have the name \"a\": set distinct names with .names([...]); if the file has a header, add .has_header(true)",
    );
    check_error(
        "a,b\n1,2\n3,\"x\n4,5\n",
        as_is,
        "data.csv, line 3: a field that begins with \" does not end with one: if quotes are text in this file, read it with .quote_char(None)",
    );
    check_error(
        "a,b\n1,\"x\n2,y\",z\n",
        as_is,
        "data.csv, line 2: 3 fields found, 2 expected: \"1,\\\"x\\n2,y\\\",z\"; a quoted field contains line ends: if quotes are text in this file, read it with .quote_char(None)",
    );
}

#[test]
fn values_of_another_type_than_inferred() {
    check_error(
        "a,b\n1,2\n3,x\n",
        |reader| reader.with_dtype("b", DataType::Int64),
        "data.csv, line 3: column \"b\": \"x\" found, i64 expected; if the column holds other values, read it with .with_dtype(\"b\", DataType::String)",
    );
    check_error(
        "a,b\n1,2\n\n# no\n3,300\n",
        |reader| {
            reader
                .with_dtype("b", DataType::Int8)
                .comment_prefix("#")
                .partitions(2)
        },
        "data.csv, line 5: column \"b\": \"300\" found, i8 expected; if the column holds other values, read it with .with_dtype(\"b\", DataType::String)",
    );
}

/// In a large file, types are inferred from samples. A value between them may not fit.
#[test]
fn a_large_file_is_sampled_and_a_mismatch_is_named() {
    let mut content = String::from("n,t\n");
    let rows = 900_000;
    for row in 0..rows {
        let value = if row == 100_000 {
            "odd".to_owned()
        } else {
            row.to_string()
        };
        content += &format!("{value},text\n");
    }
    let (files, path) = Files::with(&content);
    let frame = read_csv(&path).load().unwrap();
    assert_eq!(frame.schema().unwrap().get("n"), Some(&DataType::Int64));
    assert_eq!(
        text(&files, frame.len().compute()),
        "data.csv, line 100002: column \"n\": \"odd\" found, i64 expected; if the column holds other values, read it with .with_dtype(\"n\", DataType::String)"
    );
    let texts = read_csv(&path)
        .with_dtype("n", DataType::String)
        .blocksize(1 << 20)
        .load()
        .unwrap();
    assert_eq!(texts.len().compute().unwrap(), rows);
    assert!(texts.npartitions().unwrap() > 8);
}

#[test]
fn a_large_file_with_quotes_is_cut_between_records() {
    let mut content = String::from("n,t\n");
    let rows = 700_000;
    for row in 0..rows {
        let text = if row % 3 == 0 {
            "\"two\nlines, \"\"quoted\"\"\""
        } else {
            "one line"
        };
        content += &format!("{row},{text}\n");
    }
    let (_files, path) = Files::with(&content);
    let frame = read_csv(&path).blocksize(1 << 20).load().unwrap();
    assert!(frame.npartitions().unwrap() > 8);
    let numbers = frame.column("n");
    assert_eq!(numbers.count().compute().unwrap(), rows);
    assert_eq!(
        numbers.sum().cast::<i64>().compute().unwrap(),
        (0..rows as i64).sum::<i64>()
    );
}

#[test]
fn several_files_make_one_frame() {
    let files = Files::new();
    files.add("a-1.csv", "x,y\n1,p\n");
    files.add("a-2.csv", "x,y\n2.5,q\n");
    let pattern = files.0.path().join("a-*.csv");
    let frame = read_csv(&pattern).load().unwrap();
    assert_eq!(frame.npartitions().unwrap(), 2);
    let expected = df!("x" => [1.0, 2.5], "y" => ["p", "q"]).unwrap();
    assert_eq!(frame.compute().unwrap(), expected);
    let other = files.add("b.csv", "x,z\n3,r\n");
    assert_eq!(
        text(
            &files,
            read_csv([files.0.path().join("a-1.csv"), other]).load()
        ),
        "b.csv, line 1: the columns are [\"x\", \"z\"], expected [\"x\", \"y\"] as in a-1.csv"
    );
}

#[test]
fn another_content_is_another_key() {
    let files = Files::new();
    let path = files.add("a.csv", "x\n1\n");
    let key = |path: &Path| {
        read_csv(path)
            .load()
            .unwrap()
            .layer()
            .unwrap()
            .name()
            .clone()
    };
    let (first, frame) = (key(&path), read_csv(&path).load().unwrap());
    assert_eq!(first, key(&path));
    files.add("a.csv", "x\n1\n2\n");
    assert_ne!(first, key(&path));
    assert_eq!(
        text(&files, frame.compute()),
        "cannot read a.csv: it has changed since the frame was created: read it again"
    );
}

#[test]
fn parquet_has_a_partition_a_row_group() {
    use polars::prelude::ParquetWriter;
    let files = Files::new();
    let path = files.0.path().join("a.parquet");
    let mut frame = df!("x" => (0i64..100).collect::<Vec<_>>()).unwrap();
    ParquetWriter::new(std::fs::File::create(&path).unwrap())
        .with_row_group_size(Some(30))
        .finish(&mut frame)
        .unwrap();
    let read = crate::io::read_parquet(&path).unwrap();
    assert!(read.npartitions().unwrap() > 1);
    assert_eq!(read.compute().unwrap(), frame);
    assert_eq!(
        read.filter(col("x").gt(polars::prelude::lit(97)))
            .len()
            .compute()
            .unwrap(),
        2
    );
}

/// Files of MovieLens' format: users, ratings, and titles in Latin-1.
#[test]
fn a_recommendation_from_beginning_to_end() {
    let files = Files::new();
    let mut ratings = String::new();
    for user in 1..=50 {
        for movie in (user % 3 + 1..=20).step_by(3) {
            ratings += &format!(
                "{user}\t{movie}\t{}\t88125{user:04}\n",
                (user + movie) % 5 + 1
            );
        }
    }
    let mut items = Vec::new();
    for movie in 1..=20 {
        items.extend_from_slice(format!("{movie}|Movie ").as_bytes());
        items.extend_from_slice(if movie == 7 {
            b"Star Caf\xe9"
        } else {
            b"\"X\""
        });
        items.extend_from_slice(b" (1995)|01-Jan-1995||0|1\n");
    }
    let ratings = read_csv(files.add("u.data", ratings))
        .separator('\t')
        .names(["user_id", "movie_id", "rating", "timestamp"])
        .partitions(4)
        .load()
        .unwrap();
    let movies = read_csv(files.add("u.item", items))
        .separator('|')
        .names(["movie_id", "title", "release", "video", "unknown", "action"])
        .encoding(Encoding::Latin1)
        .partitions(2)
        .load()
        .unwrap();
    use crate::frame::{ExprExt, JoinType, Order};
    use polars::prelude::{len, lit};
    assert_eq!(ratings.npartitions().unwrap(), 4);
    let stars = movies
        .filter(col("title").str_contains("Star"))
        .column("movie_id");
    assert_eq!(stars.to_vec::<i64>().unwrap(), [7]);
    let fans = ratings
        .filter(
            col("movie_id")
                .is_in_values([7])
                .and(col("rating").gt_eq(lit(4))),
        )
        .column("user_id")
        .sort(Order::Ascending)
        .to_vec::<i64>()
        .unwrap();
    assert!(!fans.is_empty() && fans.is_sorted());
    let best = ratings
        .filter(
            col("user_id")
                .is_in_values(&fans)
                .and(col("rating").gt_eq(lit(4))),
        )
        .group_by("movie_id")
        .agg([len().alias("count"), col("rating").mean().alias("mean")])
        .join(
            &movies.select(["movie_id", "title"]),
            "movie_id",
            JoinType::Inner,
        )
        .sort(["count", "movie_id"], [Order::Descending, Order::Ascending])
        .head(5)
        .unwrap();
    assert_eq!(
        best.column("movie_id").unwrap().get(0).unwrap(),
        AnyValue::Int64(7)
    );
    assert_eq!(
        best.column("title").unwrap().get(0).unwrap(),
        AnyValue::String("Movie Star Café (1995)")
    );
    assert_eq!(
        best.column("count").unwrap().get(0).unwrap(),
        AnyValue::UInt32(fans.len() as u32)
    );
}

#[test]
fn lines_end_as_on_old_macs_too() {
    let rows = |text: &str| {
        let (_files, path) = Files::with(text);
        let whole = read_csv(&path).load().unwrap().compute().unwrap();
        for partitions in 1..=text.len() {
            let cut = read_csv(&path).partitions(partitions).load().unwrap();
            assert!(
                cut.compute().unwrap().equals_missing(&whole),
                "{text:?} in {partitions}"
            );
        }
        whole
    };
    let expected = rows("a,b,c,d\n1,2,3,4\n5,6,7,8\n");
    assert_eq!(expected.shape(), (2, 4));
    for text in [
        "a,b,c,d\r1,2,3,4\r5,6,7,8\r",
        "a,b,c,d\r1,2,3,4\r5,6,7,8",
        "a,b,c,d\r\n1,2,3,4\r5,6,7,8\n",
        "a,b,c,d\n1,2,3,4\r\n5,6,7,8\r",
        "a,b,c,d\r\r1,2,3,4\r\n\r\n5,6,7,8\n\r",
        "\ra,b,c,d\r1,2,3,4\r5,6,7,8\r\r",
        "\"a\",b,c,d\r1,2,3,4\r\"5\",6,7,\"8\"\r",
    ] {
        assert!(rows(text).equals(&expected), "{text:?}");
    }
    let quoted = rows("a,b\r1,\"x\ry\"\r2,\"\r\n\"\r\n");
    assert_eq!(
        quoted,
        df!("a" => [1i64, 2], "b" => ["x\ry", "\r\n"]).unwrap()
    );
    let alone = rows("a\r1\r2\r\n3\n");
    assert_eq!(alone, df!("a" => [1i64, 2, 3]).unwrap());
    // More than is read at once, with a line end at each border of blocks.
    let long = "1,2,3,4\r\n".repeat(1 << 20);
    let (_files, path) = Files::with(format!("a,b,c,d\r\n{long}\"1\",2,3,4\r\n"));
    for partitions in [1, 2, 7, 64, 1000] {
        let frame = read_csv(&path).partitions(partitions).load().unwrap();
        assert_eq!(frame.len().compute().unwrap(), (1 << 20) + 1);
        assert_eq!(
            frame.column("d").sum().compute().unwrap(),
            4 * ((1 << 20) + 1)
        );
    }
}

#[test]
fn lines_are_counted_whatever_they_end_with() {
    for (text, line) in [
        ("a,b\r1,2\r3\r", 3),
        ("a,b\r\n1,2\r\n3\r\n", 3),
        ("a,b\r\r\n1,2\n\r3", 5),
        ("a,b\r1,\"2\r\n2\"\r3\r", 4),
    ] {
        let (_files, path) = Files::with(text);
        for partitions in [1, 2, 4] {
            let error = read_csv(&path)
                .partitions(partitions)
                .load()
                .unwrap()
                .compute()
                .unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains(&format!("line {line}: 1 field found")),
                "{text:?}: {error}"
            );
        }
    }
    let (_files, path) = Files::with("about\rthis\r\na,b\r1,2\r");
    let skipped = read_csv(&path)
        .skip_rows(2)
        .load()
        .unwrap()
        .compute()
        .unwrap();
    assert_eq!(skipped, df!("a" => [1i64], "b" => [2i64]).unwrap());
    let (_files, path) = Files::with("#about\ra,b\r#1\r1,2\r");
    let commented = read_csv(&path)
        .comment_prefix("#")
        .load()
        .unwrap()
        .compute()
        .unwrap();
    assert_eq!(commented, df!("a" => [1i64], "b" => [2i64]).unwrap());
    let wrong = read_csv(&path).separator('\r').load().unwrap_err();
    assert!(wrong.to_string().contains("line end"), "{wrong}");
    let wrong = read_csv(&path).quote_char('\n').load().unwrap_err();
    assert!(wrong.to_string().contains("line end"), "{wrong}");
}

#[test]
fn dates_are_read_grouped_and_compared() {
    use polars::prelude::{TimeUnit, col, lit};
    let (_files, path) = Files::with("day,n\n2024-01-31,1\n2024-02-29,2\n,3\n2024-03-01,4\n");
    for partitions in 1..4 {
        let frame = read_csv(&path)
            .with_dtype("day", DataType::Date)
            .partitions(partitions)
            .load()
            .unwrap();
        let schema = frame.schema().unwrap();
        assert_eq!(
            schema.get("day").map(ToString::to_string).as_deref(),
            Some("date")
        );
        let february = frame.filter(col("day").dt().month().eq(lit(2)));
        assert_eq!(february.column("n").to_vec::<i64>().unwrap(), [2]);
        let days = frame.column("day").to_frame().compute().unwrap();
        assert!(days.to_string().contains("2024-02-29"), "{days}");
        assert_eq!(
            frame.column("day").max().compute().unwrap().to_string(),
            "2024-03-01"
        );
        let months = frame
            .group_by([col("day").dt().month().alias("month")])
            .agg([col("n").sum()])
            .compute()
            .unwrap();
        let expected = df!("month" => [None, Some(1i8), Some(2), Some(3)], "n" => [3i64, 1, 2, 4]);
        assert!(months.equals_missing(&expected.unwrap()), "{months}");
    }
    let wrong = Files::with("day\n2024-01-31\n31/01/2024\n");
    let error = read_csv(&wrong.1)
        .with_dtype("day", DataType::Date)
        .load()
        .unwrap()
        .compute();
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("line 3: column \"day\": \"31/01/2024\" found, date (2024-01-31) expected"),
        "{error}"
    );
    let times = Files::with("at\n2024-01-31 12:30:00\n1970-01-01T00:00:01.5\n");
    let times =
        read_csv(&times.1).with_dtype("at", DataType::Datetime(TimeUnit::Milliseconds, None));
    let times = times
        .load()
        .unwrap()
        .select([col("at").cast(DataType::Int64)]);
    assert_eq!(
        times.column("at").to_vec::<i64>().unwrap(),
        [1_706_704_200_000, 1500]
    );
}
