-- tls_reports: one row per accepted SMTP TLS report (RFC 8460). One row per (id).
create table tls_reports (
    id varchar not null,
    sha256 varchar not null,
    org_name varchar not null,
    org_domain varchar not null,
    contact_info varchar,
    report_id varchar not null,
    begin_utc timestamp not null,
    end_utc timestamp not null,
    day date not null,
    policies_sha256 varchar not null,
    oddities struct(code varchar, detail varchar)[] not null,
    item_no bigint not null,
    inbox varchar,
    folder varchar,
    message_id varchar,
    mail_from varchar,
    file_name varchar
)
