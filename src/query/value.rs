//! Columns of Arrow -> rows of [`Value`].

use std::sync::Arc;

use anyhow::{Context, bail};
use chrono::NaiveDate;
use duckdb::arrow::array::{Array, AsArray, GenericListArray, OffsetSizeTrait, StructArray};
use duckdb::arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type, UInt32Type, UInt64Type,
};
use duckdb::arrow::util::display::{ArrayFormatter, FormatOptions};

use super::Value;
use crate::model::day::Day;

/// Depth of lists and structs that is read.
const MAX_DEPTH: usize = 16;

/// Days from 1970-01-01 to `day`; DuckDB's form of a DATE.
pub(super) fn days_since_1970(day: Day) -> i32 {
    i32::try_from(day.signed_duration_since(NaiveDate::default()).num_days()).unwrap_or(i32::MAX)
}

/// The rows of a batch. Columns are read one after the other: a list of a row is no array of its own then.
pub fn rows(batch: &StructArray) -> anyhow::Result<impl Iterator<Item = Vec<Value>>> {
    let columns: anyhow::Result<Vec<_>> = (batch.columns().iter())
        .map(|column| Ok(values(column.as_ref(), 0)?.into_iter()))
        .collect();
    let mut columns = columns?;
    Ok((0..batch.len()).map(move |_| columns.iter_mut().filter_map(Iterator::next).collect()))
}

fn values(column: &dyn Array, depth: usize) -> anyhow::Result<Vec<Value>> {
    if depth > MAX_DEPTH && column.null_count() < column.len() {
        bail!("a value is nested more than {MAX_DEPTH} times");
    }
    match column.data_type() {
        DataType::List(_) => lists(column.as_list::<i32>(), depth),
        DataType::LargeList(_) => lists(column.as_list::<i64>(), depth),
        DataType::Struct(_) => structs(column.as_struct(), depth),
        _ => (0..column.len()).map(|row| scalar(column, row)).collect(),
    }
}

fn lists<O: OffsetSizeTrait>(
    column: &GenericListArray<O>,
    depth: usize,
) -> anyhow::Result<Vec<Value>> {
    let offsets = column.value_offsets();
    let (from, to) = match offsets {
        [from, .., to] => (from.as_usize(), to.as_usize()),
        _ => (0, 0),
    };
    let mut items = values(&column.values().slice(from, to - from), depth + 1)?.into_iter();
    let ends = offsets.windows(2).enumerate();
    let list = |(row, ends): (usize, &[O])| {
        // Also of a list that is NULL, which may have some behind it.
        let items: Vec<Value> = (items.by_ref())
            .take(ends[1].as_usize() - ends[0].as_usize())
            .collect();
        if column.is_null(row) {
            Value::Null
        } else {
            Value::List(items)
        }
    };
    Ok(ends.map(list).collect())
}

fn structs(column: &StructArray, depth: usize) -> anyhow::Result<Vec<Value>> {
    let fields = column.fields().iter().zip(column.columns());
    let mut fields = fields
        .map(|(field, column)| {
            let name: Arc<str> = field.name().as_str().into();
            Ok((name, values(column.as_ref(), depth + 1)?.into_iter()))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let entry = |row| {
        let entries = (fields.iter_mut())
            .filter_map(|(name, values)| Some((Arc::clone(name), values.next()?)))
            .collect();
        if column.is_null(row) {
            Value::Null
        } else {
            Value::Struct(entries)
        }
    };
    Ok((0..column.len()).map(entry).collect())
}

fn scalar(column: &dyn Array, row: usize) -> anyhow::Result<Value> {
    if column.is_null(row) || *column.data_type() == DataType::Null {
        return Ok(Value::Null);
    }
    Ok(match column.data_type() {
        DataType::Boolean => Value::Bool(column.as_boolean().value(row)),
        DataType::Utf8 => Value::Text(column.as_string::<i32>().value(row).to_owned()),
        DataType::LargeUtf8 => Value::Text(column.as_string::<i64>().value(row).to_owned()),
        DataType::Float32 => {
            Value::Double(f64::from(column.as_primitive::<Float32Type>().value(row)))
        }
        DataType::Float64 => Value::Double(column.as_primitive::<Float64Type>().value(row)),
        DataType::Decimal128(_, scale) => {
            decimal(column.as_primitive::<Decimal128Type>().value(row), *scale)
        }
        DataType::Date32 => day(column.as_primitive::<Date32Type>().value(row)),
        // With a time zone or without, it counts from 1970 UTC.
        DataType::Timestamp(unit, _) => Value::Timestamp(seconds(*unit, column, row)),
        other if other.is_integer() => integer(column, row)?,
        _ => shown(column, row)?,
    })
}

fn integer(column: &dyn Array, row: usize) -> anyhow::Result<Value> {
    let number = match column.data_type() {
        DataType::Int8 => column.as_primitive::<Int8Type>().value(row).into(),
        DataType::Int16 => column.as_primitive::<Int16Type>().value(row).into(),
        DataType::Int32 => column.as_primitive::<Int32Type>().value(row).into(),
        DataType::Int64 => column.as_primitive::<Int64Type>().value(row),
        DataType::UInt8 => column.as_primitive::<UInt8Type>().value(row).into(),
        DataType::UInt16 => column.as_primitive::<UInt16Type>().value(row).into(),
        DataType::UInt32 => column.as_primitive::<UInt32Type>().value(row).into(),
        DataType::UInt64 => {
            return Ok(fitting(
                column.as_primitive::<UInt64Type>().value(row).into(),
            ));
        }
        _ => return shown(column, row),
    };
    Ok(Value::Int(number))
}

/// HUGEINT, the type of sums, comes as a decimal without a fraction. A decimal with more digits than a DOUBLE tells
/// apart becomes text.
fn decimal(unscaled: i128, scale: i8) -> Value {
    if scale <= 0 {
        return fitting(unscaled);
    }
    if unscaled.unsigned_abs() > 1 << f64::MANTISSA_DIGITS {
        let places = usize::from(scale.unsigned_abs());
        let digits = format!("{:0>width$}", unscaled.unsigned_abs(), width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let sign = if unscaled < 0 { "-" } else { "" };
        return Value::Text(format!("{sign}{whole}.{fraction}"));
    }
    #[expect(clippy::cast_precision_loss, reason = "it has no more digits")]
    Value::Double(unscaled as f64 / 10f64.powi(scale.into()))
}

fn fitting(number: i128) -> Value {
    i64::try_from(number).map_or_else(|_| Value::Text(number.to_string()), Value::Int)
}

/// DuckDB has days that chrono does not: those become text.
fn day(days: i32) -> Value {
    let date = NaiveDate::default().checked_add_signed(chrono::Duration::days(days.into()));
    date.map_or_else(|| Value::Text(far_day(days)), Value::Day)
}

fn far_day(days: i32) -> String {
    const INFINITY: i32 = i32::MAX;
    const MINUS_INFINITY: i32 = -i32::MAX;
    match days {
        INFINITY => "infinity".to_owned(),
        MINUS_INFINITY => "-infinity".to_owned(),
        _ => format!("{days} days from 1970-01-01"),
    }
}

fn seconds(unit: TimeUnit, column: &dyn Array, row: usize) -> i64 {
    match unit {
        TimeUnit::Second => column.as_primitive::<TimestampSecondType>().value(row),
        TimeUnit::Millisecond => column
            .as_primitive::<TimestampMillisecondType>()
            .value(row)
            .div_euclid(1_000),
        TimeUnit::Microsecond => column
            .as_primitive::<TimestampMicrosecondType>()
            .value(row)
            .div_euclid(1_000_000),
        TimeUnit::Nanosecond => column
            .as_primitive::<TimestampNanosecondType>()
            .value(row)
            .div_euclid(1_000_000_000),
    }
}

fn shown(column: &dyn Array, row: usize) -> anyhow::Result<Value> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(column, &options)
        .context("a column has a type that cannot be shown")?;
    Ok(Value::Text(
        formatter
            .value(row)
            .try_to_string()
            .context("a value cannot be shown")?,
    ))
}
