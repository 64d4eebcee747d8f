-- auth_results: every DKIM signature and SPF result of every record. One row per (report, record_no, mechanism, result_no).
create view auth_results as
select
    report, -- id of its report
    record_no, -- record in the report
    mechanism, -- dkim or spf
    result_no, -- position in the record, from 1
    day, -- UTC day of the middle of the report's period
    policy_domain, -- policy domain
    source_ip, -- sending address
    messages, -- messages of the record
    domain, -- domain that was authenticated
    selector, -- DKIM selector; null for SPF
    scope, -- SPF scope, mfrom or helo; null for DKIM
    result, -- pass, fail, … as in RFC 8601; null where the reporter said something else
    aligned, -- the domain aligns with From under the published mode
    human_result -- text of the reporter
from (
    select report, record_no, 'dkim' as mechanism, result_no, day, domain as policy_domain, source_ip, messages,
        dkim[result_no].domain as domain, dkim[result_no].selector as selector, null::varchar as scope,
        dkim[result_no].result as result, dkim[result_no].aligned as aligned,
        dkim[result_no].human_result as human_result
    from (select *, unnest(range(1, len(dkim) + 1)) as result_no from records)
    union all
    select report, record_no, 'spf', result_no, day, domain, source_ip, messages,
        spf[result_no].domain, null, spf[result_no].scope, spf[result_no].result, spf[result_no].aligned,
        spf[result_no].human_result
    from (select *, unnest(range(1, len(spf) + 1)) as result_no from records)
)
