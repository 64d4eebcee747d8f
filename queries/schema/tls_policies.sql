-- tls_policies: one row per policy of a TLS report. One row per (report, policy_no).
create table tls_policies (
    report varchar not null,
    policy_no bigint not null,
    day date not null,
    domain varchar not null,
    policy_type varchar,
    policy_strings varchar[] not null,
    mx_hosts varchar[] not null,
    successful_sessions bigint not null,
    failed_sessions bigint not null
)
