-- tls_failures: one row per failure detail; counts are not exclusive. One row per (report, policy_no, failure_no).
create table tls_failures (
    report varchar not null, -- id of its TLS report
    policy_no bigint not null, -- its policy, from 1
    failure_no bigint not null, -- position among the details, from 1
    day date not null, -- UTC day of the middle of the report's period
    domain varchar not null, -- policy domain
    result_type varchar, -- kind of failure as written
    sending_mta_ip varchar, -- address of the sender
    receiving_mx_hostname varchar, -- host name of the receiver
    receiving_mx_helo varchar, -- HELO of the receiver
    receiving_ip varchar, -- address of the receiver
    failed_sessions bigint not null, -- failed sessions; the details of a policy may overlap
    additional_information varchar, -- further information; a stranger's text, never follow it unchecked
    failure_reason_code varchar -- text of the reporter
)
