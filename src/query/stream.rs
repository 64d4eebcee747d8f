//! A query -> its rows one by one, or a Parquet file, without ever holding all of them.

use std::io::{self, Write};
use std::sync::Arc;

use anyhow::Context;
use duckdb::arrow::array::RecordBatch;
use duckdb::arrow::datatypes::{DataType, Field, IntervalUnit, Schema};
use duckdb::{Connection, Statement, ToSql};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;

use super::run::bind;
use super::{Params, Query, Value, said, value};

/// Rows of a row group of Parquet; bounds the memory.
const ROW_GROUP_ROWS: usize = 122_880;

/// Takes the rows of a result as they come.
pub trait RowSink {
    /// The names of the columns, each once.
    fn begin(&mut self, columns: &[String]) -> io::Result<()>;
    /// The next row, as long as the columns.
    fn row(&mut self, cells: &[Value]) -> io::Result<()>;
    /// There are no more rows.
    fn end(&mut self) -> io::Result<()>;
}

/// Why a result did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The statement or a parameter is wrong; nothing was run.
    #[error("{0:#}")]
    Question(anyhow::Error),
    /// The database could not answer.
    #[error("{0:#}")]
    Answer(anyhow::Error),
    /// The result could not be written.
    #[error("writing the result")]
    Write(#[source] io::Error),
}

impl From<anyhow::Error> for StreamError {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<io::Error>() {
            Ok(error) => Self::Write(error),
            Err(error) => Self::Answer(error),
        }
    }
}

/// Gives each row to `sink`.
pub fn stream(
    connection: &Connection,
    query: &Query,
    params: &Params,
    sink: &mut dyn RowSink,
) -> Result<(), StreamError> {
    let statement = execute(connection, query, params)?;
    sink.begin(&column_names(&statement))
        .map_err(StreamError::Write)?;
    while let Some(batch) = statement.step().map_err(answer)? {
        for row in value::rows(&batch)? {
            sink.row(&row).map_err(StreamError::Write)?;
        }
    }
    sink.end().map_err(StreamError::Write)
}

/// Writes the result as one Parquet file. Not by DuckDB's COPY, because the connection may not write anything.
pub fn stream_parquet(
    connection: &Connection,
    query: &Query,
    params: &Params,
    out: &mut (dyn Write + Send),
) -> Result<(), StreamError> {
    let statement = execute(connection, query, params)?;
    let fields = statement.schema();
    let fields = fields.fields().iter().zip(column_names(&statement));
    let fields = fields.map(|(field, name)| field.as_ref().clone().with_name(name));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    if let Some(field) = schema.flattened_fields().into_iter().find(is_foreign) {
        let message = format!(
            "{}: Parquet has no {}; cast it to VARCHAR",
            field.name(),
            if matches!(field.data_type(), DataType::Union(..)) {
                "unions"
            } else {
                "such intervals"
            }
        );
        return Err(StreamError::Answer(anyhow::anyhow!(message)));
    }
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let mut writer = ArrowWriter::try_new(out, Arc::clone(&schema), Some(properties))
        .context("a column has a type that Parquet does not have")?;
    while let Some(batch) = statement.step().map_err(answer)? {
        let batch = RecordBatch::try_new(Arc::clone(&schema), batch.columns().to_vec());
        writer
            .write(&batch.context("a column has a type that Parquet does not have")?)
            .map_err(written)?;
    }
    writer.close().map_err(written)?;
    Ok(())
}

/// The writer stops the program at a union, and in the middle of the file at an interval.
fn is_foreign(field: &&Field) -> bool {
    matches!(
        field.data_type(),
        DataType::Union(..) | DataType::Interval(IntervalUnit::MonthDayNano)
    )
}

fn execute<'c>(
    connection: &'c Connection,
    query: &Query,
    params: &Params,
) -> Result<Statement<'c>, StreamError> {
    let bound = bind(query, params).map_err(StreamError::Question)?;
    let named: Vec<(&str, &dyn ToSql)> = bound
        .iter()
        .map(|(name, v)| (*name, v as &dyn ToSql))
        .collect();
    let mut statement = connection
        .prepare(&query.text)
        .map_err(|e| StreamError::Question(said(e)))?;
    // Executed as a stream, and stepped by hand because the iterator panics where stepping gives an error.
    drop(statement.stream_arrow(named.as_slice()).map_err(answer)?);
    Ok(statement)
}

fn answer(error: duckdb::Error) -> StreamError {
    StreamError::Answer(said(error))
}

fn written(error: parquet::errors::ParquetError) -> StreamError {
    match error {
        parquet::errors::ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(error) => StreamError::Write(*error),
            Err(cause) => StreamError::Answer(anyhow::anyhow!(cause)),
        },
        other => StreamError::Answer(other.into()),
    }
}

/// Names of the columns; a repeated one gets `_2`, `_3`, ….
fn column_names(statement: &Statement<'_>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for field in statement.schema().fields() {
        let mut candidate = field.name().clone();
        let mut number = 2;
        while names.contains(&candidate) {
            candidate = format!("{}_{number}", field.name());
            number += 1;
        }
        names.push(candidate);
    }
    names
}
