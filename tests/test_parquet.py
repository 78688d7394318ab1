"""Parquet files of every type that Arrow's own library writes: each column is either read, or refused with its name."""

import datetime
import decimal

import pyarrow as arrow
import pyarrow.parquet as parquet
import pytest

DAY = datetime.date(2026, 11, 30)
MOMENT = datetime.datetime(2026, 11, 30, 12, 30, 15, 123456)

# A type, its values, and the type of the frame's column.
READ = {
    "bool": (arrow.bool_(), [True, None], "bool"),
    "int8": (arrow.int8(), [-128, None], "i8"),
    "int16": (arrow.int16(), [-32768, None], "i16"),
    "int32": (arrow.int32(), [-(2**31), None], "i32"),
    "int64": (arrow.int64(), [2**63 - 1, None], "i64"),
    "uint8": (arrow.uint8(), [255, None], "u8"),
    "uint16": (arrow.uint16(), [65535, None], "u16"),
    "uint32": (arrow.uint32(), [2**32 - 1, None], "u32"),
    "uint64": (arrow.uint64(), [2**64 - 1, None], "u64"),
    "float32": (arrow.float32(), [1.5, None], "f32"),
    "float64": (arrow.float64(), [2.5, None], "f64"),
    "float16": (arrow.float16(), [0.5, None], "f16"),
    "string": (arrow.string(), ["a", None], "str"),
    "large_string": (arrow.large_string(), ["b", None], "str"),
    "binary": (arrow.binary(), [b"\x00\xff", None], "binary"),
    "fixed_binary": (arrow.binary(2), [b"ab", None], "binary"),
    "decimal": (arrow.decimal128(15, 2), [decimal.Decimal("1234567890123.45"), None], "decimal[15,2]"),
    "long_decimal": (arrow.decimal128(38, 10), [decimal.Decimal("-0.0000000001"), None], "decimal[38,10]"),
    "date32": (arrow.date32(), [DAY, None], "date"),
    "date64": (arrow.date64(), [DAY, None], "datetime[ms]"),
    "time32": (arrow.time32("ms"), [datetime.time(12, 30, 15), None], "time"),
    "time64": (arrow.time64("us"), [datetime.time(23, 59, 59, 999999), None], "time"),
    "moment": (arrow.timestamp("us"), [MOMENT, None], "datetime[μs]"),
    "zoned": (arrow.timestamp("ms", tz="Europe/Vienna"), [MOMENT.replace(microsecond=0), None], "datetime[ms, Europe/Vienna]"),
    "duration": (arrow.duration("us"), [datetime.timedelta(seconds=90), None], "duration[μs]"),
    "list": (arrow.list_(arrow.int64()), [[1, 2], None], "list[i64]"),
    "array": (arrow.list_(arrow.float64(), 2), [[1.0, 2.0], [3.0, 4.0]], "array[f64, 2]"),
    "struct": (arrow.struct([("x", arrow.int64()), ("y", arrow.string())]), [{"x": 1, "y": "a"}, None], "struct[2]"),
    "map": (arrow.map_(arrow.string(), arrow.int64()), [[("a", 1)], None], "list[struct[2]]"),
    "dictionary": (arrow.dictionary(arrow.int32(), arrow.string()), ["red", "blue"], "cat"),
    "null": (arrow.null(), [None, None], "null"),
}


@pytest.fixture(scope="module")
def every(tmp_path_factory):
    path = tmp_path_factory.mktemp("parquet") / "every.parquet"
    table = arrow.table({name: arrow.array(values, type=of_type) for name, (of_type, values, _) in READ.items()})
    parquet.write_table(table, path)
    return path


@pytest.mark.parametrize("name", READ)
def test_a_column_of_every_type_is_read(kernel, every, name):
    of_type, values, expected = READ[name]
    kernel.ok(f'let every = read_parquet("{every}")?;')
    column = f'every.select([col("{name}")]).compute()?.column("{name}")?'
    assert kernel.ok(f"{column}.dtype().to_string()").result == f'"{expected}"'
    nulls = values.count(None)
    assert kernel.ok(f"{column}.null_count()").result == str(nulls)


@pytest.mark.parametrize(
    "name, text",
    [
        ("decimal", "1234567890123.45"),
        ("long_decimal", "-0.0000000001"),
        ("uint64", "18446744073709551615"),
        ("date64", "2026-11-30 00:00:00"),
        ("time64", "23:59:59.999999"),
        ("zoned", "2026-11-30 13:30:15 CET"),
        ("duration", "1m 30s"),
        ("dictionary", "red"),
    ],
)
def test_values_are_those_that_were_written(kernel, every, name, text):
    value = f'read_parquet("{every}")?.select([col("{name}")]).compute()?.column("{name}")?.get(0)?.str_value().to_string()'
    assert kernel.ok(value).result == f'"{text}"'


def test_decimals_are_exact(kernel, tmp_path):
    """The same decimal type as in the files of TPC-H."""
    prices = [decimal.Decimal("0.10"), decimal.Decimal("0.20"), decimal.Decimal("9999999999999.99")]
    path = tmp_path / "lineitem.parquet"
    parquet.write_table(arrow.table({"price": arrow.array(prices, type=arrow.decimal128(15, 2))}), path, row_group_size=1)
    kernel.ok(f'let items = read_parquet("{path}")?;')
    total = kernel.ok('items.select([col("price").sum()]).compute()?.column("price")?.get(0)?.to_string()').result
    assert total == '"10000000000000.29"'


def test_a_file_that_is_none_is_named(kernel, tmp_path):
    path = tmp_path / "notes.parquet"
    path.write_text("no Parquet at all, but long enough to look like something")
    kernel.fails(f'read_parquet("{path}")?', "IoError", "notes.parquet")


def test_a_type_that_frames_do_not_have_is_named(kernel, tmp_path):
    path = tmp_path / "months.parquet"
    # Parquet's own type for intervals, which only the schema in the metadata reveals.
    table = arrow.table({"span": arrow.array([arrow.MonthDayNano([1, 2, 3])], type=arrow.month_day_nano_interval())})
    try:
        parquet.write_table(table, path)
    except arrow.ArrowNotImplementedError:
        pytest.skip("this pyarrow cannot write intervals")
    kernel.fails(f'read_parquet("{path}")?', "span", "months.parquet")
