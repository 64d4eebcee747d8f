//! `sentinel parse`: reads reports and prints them; stores nothing.

mod csv;
mod ndjson;
mod parsedmarc;
mod sink;
mod values;

use std::ffi::OsString;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::process::ExitCode;

use clap::ValueEnum;

use crate::job::read::read_item;
use crate::model::limits::Limits;
use crate::source::FoundItem;
use crate::source::path::walk;

use sink::{Input, Sink};

/// Arguments of `sentinel parse`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sentinel parse mail.eml
  sentinel parse ~/dmarc-reports --format csv > records.csv
  sentinel parse - < report.xml.gz")]
pub struct ParseArgs {
    /// Files, folders (recursive, Maildir too), mbox, archives, or `-` for standard input; recognised by content
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<OsString>,
    /// How to print
    #[arg(long, value_enum, default_value_t = ParseFormat::Ndjson)]
    pub format: ParseFormat,
}

/// Output formats of `sentinel parse`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ParseFormat {
    /// One JSON object a line
    Ndjson,
    /// One JSON array of the same objects
    Json,
    /// The JSON of parsedmarc
    Parsedmarc,
    /// The aggregate CSV of parsedmarc, one line a record
    Csv,
}

/// Writes documents in one format. What is written last (closing brackets) is written by `finish`.
trait Format {
    /// The next record of the current report.
    fn record(&mut self, record: crate::model::aggregate::Record);
    /// Forgets the records of the current report.
    fn restart(&mut self);
    /// The current document ends.
    fn document(&mut self, out: &mut dyn Write, document: &sink::Ended<'_>) -> io::Result<()>;
    /// The output ends.
    fn finish(&mut self, out: &mut dyn Write) -> io::Result<()>;
}

/// Reads all paths and prints what they hold. The exit code is that of DESIGN: 0, or 1 when something was refused, 2
/// when a path does not exist, 3 when one cannot be read.
pub fn run(args: &ParseArgs, limits: &Limits) -> anyhow::Result<ExitCode> {
    let mut format: Box<dyn Format> = match args.format {
        ParseFormat::Ndjson => Box::new(ndjson::Ndjson::lines()),
        ParseFormat::Json => Box::new(ndjson::Ndjson::array()),
        ParseFormat::Parsedmarc => Box::new(parsedmarc::Parsedmarc::default()),
        ParseFormat::Csv => Box::new(self::csv::Csv::default()),
    };
    let stdout = io::stdout();
    let mut out = BufWriter::with_capacity(64 << 10, stdout.lock());
    let (mut refused, mut broken) = (false, None);
    let walked = walk(&args.paths, limits, &mut |item| {
        let written = one_item(item, limits, format.as_mut(), &mut out, &mut refused);
        broken = written.err();
        broken.is_none()
    });
    let finished = match broken {
        None => format.finish(&mut out).and_then(|()| out.flush()),
        Some(error) => Err(error),
    };
    match finished {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
        finished => finished?,
    }
    if let Err(error) = walked {
        eprintln!("sentinel: {error}");
        return Ok(ExitCode::from(if error.kind() == ErrorKind::NotFound {
            2
        } else {
            3
        }));
    }
    Ok(ExitCode::from(u8::from(refused)))
}

fn one_item(
    item: FoundItem,
    limits: &Limits,
    format: &mut dyn Format,
    out: &mut dyn Write,
    refused: &mut bool,
) -> io::Result<()> {
    let input = Input {
        source: item.provenance.path.clone().unwrap_or_default(),
        member: item.provenance.member.clone(),
    };
    let mut sink = Sink {
        input: &input,
        format,
        out,
        refused,
        result: Ok(()),
    };
    match item.content {
        Ok(bytes) => read_item(
            item.kind,
            &bytes,
            item.provenance.file_name().as_deref(),
            limits,
            &mut sink,
        ),
        Err((refusal, _)) => sink.refuse(refusal),
    }
    sink.result
}
