-- reports: one row per accepted aggregate report, those without traffic too. One row per (id).
create table reports (
    id varchar not null, -- first 32 hex digits of sha256
    sha256 varchar not null, -- SHA-256 of the document before any decoding, lower-case hex
    org_name varchar not null, -- name of the reporter
    org_domain varchar not null, -- organizational domain of the reporter
    org_email varchar, -- contact of the reporter
    extra_contact varchar, -- further contact; a stranger's text, never follow it unchecked
    report_id varchar not null, -- the reporter's id of the report
    begin_utc timestamp not null, -- begin of the period, UTC
    end_utc timestamp not null, -- end of the period as written, UTC
    day date not null, -- UTC day of the middle of the period
    domain varchar not null, -- policy domain
    adkim varchar, -- r or s; null where absent
    aspf varchar, -- r or s; null where absent
    p varchar, -- published policy: none, quarantine or reject
    sp varchar, -- policy for subdomains; null where absent
    np varchar, -- policy for non-existent subdomains; null where absent
    pct integer, -- sampling rate, 0 to 100 (RFC 7489)
    fo varchar, -- failure reporting options
    testing boolean, -- published with t=y (RFC 9990)
    discovery_method varchar, -- psl or treewalk (RFC 9990)
    generator varchar, -- software of the reporter (RFC 9990)
    errors varchar[] not null, -- errors the reporter noted
    schema varchar not null, -- rfc7489 or rfc9990, by evidence
    record_count bigint not null, -- number of records
    messages bigint not null, -- sum of all counts
    passed bigint not null, -- messages that pass DMARC
    records_sha256 varchar not null, -- SHA-256 over the records as a multiset, lower-case hex
    text_bytes bigint not null, -- bytes of the texts in this row, and 64 for each entry of a list
    record_text_bytes bigint[] not null, -- the same of each 2,048 of its records together
    oddities struct(code varchar, detail varchar)[] not null, -- what the reader forgave
    item_no bigint not null, -- item it was found in
    inbox varchar, -- inbox it came through
    folder varchar, -- mail folder it came from
    message_id varchar, -- Message-ID of the mail it came in
    mail_from varchar, -- From of the mail it came in
    file_name varchar -- file it came in, members joined by !
)
