-- tls_failures: one row per failure detail; counts are not exclusive. One row per (report, policy_no, failure_no).
create table tls_failures (
    report varchar not null,
    policy_no bigint not null,
    failure_no bigint not null,
    day date not null,
    domain varchar not null,
    result_type varchar,
    sending_mta_ip varchar,
    receiving_mx_hostname varchar,
    receiving_mx_helo varchar,
    receiving_ip varchar,
    failed_sessions bigint not null,
    additional_information varchar,
    failure_reason_code varchar
)
