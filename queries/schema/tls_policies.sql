-- tls_policies: one row per policy of a TLS report. One row per (report, policy_no).
create table tls_policies (
    report varchar not null, -- id of its TLS report
    policy_no bigint not null, -- position in the report, from 1
    day date not null, -- UTC day of the middle of the report's period
    domain varchar not null, -- policy domain; may be empty
    policy_type varchar, -- tlsa, sts, no-policy-found or as written
    policy_strings varchar[] not null, -- policy as the sender had it cached
    mx_hosts varchar[] not null, -- MX patterns of the policy
    successful_sessions bigint not null, -- successful sessions
    failed_sessions bigint not null -- failed sessions
)
