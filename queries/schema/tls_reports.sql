-- tls_reports: one row per accepted SMTP TLS report (RFC 8460). One row per (id).
create table tls_reports (
    id varchar not null, -- first 32 hex digits of sha256
    sha256 varchar not null, -- SHA-256 of the document, lower-case hex
    org_name varchar not null, -- name of the reporter
    org_domain varchar not null, -- organizational domain of the reporter
    contact_info varchar, -- contact of the reporter
    report_id varchar not null, -- the reporter's id of the report
    begin_utc timestamp not null, -- begin of the period, UTC
    end_utc timestamp not null, -- end of the period, UTC
    day date not null, -- UTC day of the middle of the period
    domain varchar not null, -- policy domain of its first policy; may be empty
    policies_sha256 varchar not null, -- SHA-256 over the policies as a multiset, lower-case hex
    oddities struct(code varchar, detail varchar)[] not null, -- what the reader forgave
    item_no bigint not null, -- item it was found in
    inbox varchar, -- inbox it came through
    folder varchar, -- mail folder it came from
    message_id varchar, -- Message-ID of the mail it came in
    mail_from varchar, -- From of the mail it came in
    file_name varchar -- file it came in, members joined by !
)
