//! Document -> report and oddities, or a refusal with a code. The only user of `quick-xml`.

use crate::model::aggregate::{AggregateHead, Record};
use crate::model::failure::FailureReport;
use crate::model::limits::Limits;
use crate::model::outcome::Refusal;
use crate::model::tls::TlsReport;
use crate::unpack::Document;

/// A parsed document. The records of an aggregate report went to the sink before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// RFC 7489 or RFC 9990.
    Aggregate(Box<AggregateHead>),
    /// RFC 8460.
    Tls(Box<TlsReport>),
    /// RFC 6591 or RFC 9991.
    Failure(Box<FailureReport>),
}

/// Parses one document by its content. Records are handed to `record` as they are read (a report may hold a
/// million); they count only if the result is `Ok`. `file_name` is a hint for a missing policy domain
/// (`receiver!domain!begin!end.xml`), never more.
pub fn parse(
    _document: &Document,
    _file_name: Option<&str>,
    _limits: &Limits,
    _record: &mut dyn FnMut(Record),
) -> Result<Report, Refusal> {
    todo!()
}
