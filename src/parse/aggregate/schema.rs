//! What element may stand where, for RFC 7489 and RFC 9990 together.

use super::name::Name;

/// What an open element is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The root.
    Feedback,
    /// `report_metadata`.
    Metadata,
    /// `date_range`.
    DateRange,
    /// `policy_published`.
    Policy,
    /// `record`.
    Record,
    /// `row` and `identifiers`: their leaves are told apart by name alone.
    Row,
    /// `policy_evaluated`.
    Evaluated,
    /// `auth_results`.
    AuthResults,
    /// `reason`, `auth_results/dkim`, `auth_results/spf`.
    Entry,
    /// A field with text.
    Leaf,
    /// Unknown, or an extension, with all that is in it.
    Skipped,
}

/// What `name` is inside of an element of `place` that is called `parent`; `None` for the unknown.
pub(super) fn child(place: Place, parent: Name, name: Name) -> Option<Place> {
    use Name as N;
    match place {
        Place::Feedback => match name {
            N::Record => Some(Place::Record),
            N::ReportMetadata => Some(Place::Metadata),
            N::PolicyPublished => Some(Place::Policy),
            N::Version | N::Extension => Some(Place::Skipped),
            _ => None,
        },
        Place::Metadata if name == N::DateRange => Some(Place::DateRange),
        Place::Metadata => leaf(matches!(
            name,
            N::OrgName
                | N::Email
                | N::ExtraContactInfo
                | N::ReportId
                | N::Error
                | N::Generator
                | N::Begin
                | N::End
        )),
        Place::DateRange => leaf(matches!(name, N::Begin | N::End)),
        Place::Policy => leaf(matches!(
            name,
            N::Domain
                | N::P
                | N::Sp
                | N::Np
                | N::Adkim
                | N::Aspf
                | N::Pct
                | N::Fo
                | N::Testing
                | N::DiscoveryMethod
        )),
        Place::Record | Place::Row => match name {
            N::Row | N::Identifiers => Some(Place::Row),
            N::PolicyEvaluated => Some(Place::Evaluated),
            N::AuthResults => Some(Place::AuthResults),
            N::SourceIp | N::Count | N::HeaderFrom | N::EnvelopeFrom | N::EnvelopeTo => {
                Some(Place::Leaf)
            }
            _ => None,
        },
        Place::Evaluated if name == N::Reason => Some(Place::Entry),
        Place::Evaluated => leaf(matches!(name, N::Disposition | N::Dkim | N::Spf)),
        Place::AuthResults => matches!(name, N::Dkim | N::Spf).then_some(Place::Entry),
        Place::Entry => leaf(match parent {
            N::Reason => matches!(name, N::Type | N::Comment),
            N::Dkim => matches!(name, N::Domain | N::Selector | N::Result | N::HumanResult),
            _ => matches!(name, N::Domain | N::Scope | N::Result | N::HumanResult),
        }),
        Place::Leaf | Place::Skipped => None,
    }
}

/// Children of the root: they end whatever is still open before them.
pub(super) fn is_section(name: Name) -> bool {
    matches!(
        name,
        Name::Record | Name::PolicyPublished | Name::ReportMetadata
    )
}

fn leaf(is_known: bool) -> Option<Place> {
    is_known.then_some(Place::Leaf)
}
