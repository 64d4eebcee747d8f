-- documents: how the reading of every document in every item ended. One row per (item_no, path).
create table documents (
    item_no bigint not null, -- item it was found in
    path varchar not null, -- where in the item, members joined by !; empty when the item is the document
    sha256 varchar, -- SHA-256 of its bytes, lower-case hex; null where they were not read to the end
    kind varchar, -- aggregate, tls or failure; null where it is no report
    outcome varchar not null, -- accepted, duplicate, conflict, no-traffic, not-a-report, foreign, expired or refused
    code varchar, -- stable code of a refusal; null otherwise
    detail varchar, -- one sentence for people; null where the outcome says all
    report varchar -- id of the report it is, repeats or contradicts; null otherwise
)
