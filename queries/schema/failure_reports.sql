-- failure_reports: one row per failure report (RFC 6591, RFC 9991), without bodies and recipients. One row per (id).
create table failure_reports (
    id varchar not null, -- first 32 hex digits of sha256
    sha256 varchar not null, -- SHA-256 of the report's bytes, lower-case hex
    day date not null, -- UTC day of arrival_utc, else of the mail's date, else 1970-01-01
    domain varchar not null, -- reported domain; may be empty
    user_agent varchar, -- software of the reporter
    reporting_mta varchar, -- host of the reporter
    arrival_utc timestamp, -- when the message arrived, UTC
    source_ip varchar, -- sending address
    incidents bigint not null, -- number of messages it stands for
    auth_failures varchar[] not null, -- what failed
    delivery_result varchar, -- what happened to the message
    identity_alignment varchar[], -- mechanisms without an aligned identity; null where not said
    dkim_domain varchar, -- d= of the signature
    dkim_selector varchar, -- s= of the signature
    spf_dns varchar[] not null, -- SPF records seen
    authentication_results varchar[] not null, -- Authentication-Results fields
    envelope_from varchar, -- domain of the return path; empty for the null path
    header_from varchar, -- domain of From
    reported_message_id varchar, -- Message-ID of the reported message
    oddities struct(code varchar, detail varchar)[] not null, -- what the reader forgave
    item_no bigint not null, -- item it was found in
    inbox varchar, -- inbox it came through
    folder varchar, -- mail folder it came from
    message_id varchar, -- Message-ID of the mail it came in
    mail_from varchar, -- From of the mail it came in
    file_name varchar -- file it came in, members joined by !
)
