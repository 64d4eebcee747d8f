-- records: one row per <record> of an accepted report. One row per (report, record_no).
create table records (
    report varchar not null,
    record_no bigint not null,
    day date not null,
    domain varchar not null,
    source_ip varchar,
    messages bigint not null,
    disposition varchar,
    dkim_aligned boolean not null,
    spf_aligned boolean not null,
    dmarc_pass boolean not null,
    header_from varchar,
    envelope_from varchar,
    envelope_to varchar,
    reasons struct("type" varchar, "comment" varchar)[] not null,
    dkim struct("domain" varchar, selector varchar, result varchar, aligned boolean, human_result varchar)[] not null,
    spf struct("domain" varchar, "scope" varchar, result varchar, aligned boolean, human_result varchar)[] not null,
    sender varchar,
    category varchar not null,
    fail_cause varchar
)
