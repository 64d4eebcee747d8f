-- records: one row per <record> of an accepted report. One row per (report, record_no).
create table records (
    report varchar not null, -- id of its report
    record_no bigint not null, -- position in the document, from 1
    day date not null, -- UTC day of the middle of the report's period
    domain varchar not null, -- policy domain
    source_ip varchar, -- sending address; null where the report has no usable one
    messages bigint not null, -- number of messages
    disposition varchar, -- none, pass, quarantine or reject; null where the reporter said something else
    dkim_aligned boolean not null, -- DKIM passes aligned, by policy_evaluated
    spf_aligned boolean not null, -- SPF passes aligned, by policy_evaluated
    dmarc_pass boolean not null, -- either of the two
    header_from varchar, -- domain of From
    envelope_from varchar, -- domain of the return path; empty for the null path, null where absent
    envelope_to varchar, -- domain of the recipient
    reasons struct("type" varchar, "comment" varchar)[] not null, -- why the policy was overridden
    dkim struct("domain" varchar, selector varchar, result varchar, aligned boolean, human_result varchar)[] not null, -- DKIM signatures in document order
    spf struct("domain" varchar, "scope" varchar, result varchar, aligned boolean, human_result varchar)[] not null, -- SPF results in document order
    sender varchar, -- sender with the best evidence; null where none is recognised
    carrier varchar, -- another service with evidence in the record, such as the one that the sender rides on; null where none is
    category varchar not null, -- compliant, forwarded_pass, forwarded_fail, misconfigured, known_unapproved, unknown or threat
    fail_cause varchar -- both_pass_none_aligned, dkim_pass_unaligned, spf_pass_unaligned, own_signature_broken or no_authentication; null where DMARC passes
)
