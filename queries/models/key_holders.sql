-- key_holders: reports in the tables with the bytes or the key of a staged document. One row per (document_no, by_bytes).
select k.document_no, true as by_bytes, r.id, r.records_sha256 as content_sha256, r.record_count as records, r.messages,
    false as is_conflict
from stage_keys k
join reports r on r.begin_utc = k.begin_utc and r.sha256 = k.sha256
where k.kind = 'aggregate'
union all
select k.document_no, false, r.id, r.records_sha256, r.record_count, r.messages, false
from stage_keys k
join reports r
    on r.begin_utc = k.begin_utc and r.end_utc = k.end_utc and r.report_id = k.report_id
    and r.org_domain = k.org_domain and r.domain = k.domain
where k.kind = 'aggregate'
union all
select k.document_no, true, r.id, r.policies_sha256, coalesce(p.policies, 0), coalesce(p.sessions, 0), false
from stage_keys k
join tls_reports r on r.begin_utc = k.begin_utc and r.sha256 = k.sha256
left join (
    select report, count(*) as policies,
        least(sum(successful_sessions::hugeint + failed_sessions), 9223372036854775807)::bigint as sessions
    from tls_policies
    group by report
) p on p.report = r.id
where k.kind = 'tls'
union all
select k.document_no, false, r.id, r.policies_sha256, coalesce(p.policies, 0), coalesce(p.sessions, 0), false
from stage_keys k
join tls_reports r
    on r.begin_utc = k.begin_utc and r.end_utc = k.end_utc and r.report_id = k.report_id
    and r.org_domain = k.org_domain and r.domain = k.domain
left join (
    select report, count(*) as policies,
        least(sum(successful_sessions::hugeint + failed_sessions), 9223372036854775807)::bigint as sessions
    from tls_policies
    group by report
) p on p.report = r.id
where k.kind = 'tls'
union all
select k.document_no, true, r.id, '', 1, r.incidents, false
from stage_keys k
join failure_reports r on r.sha256 = k.sha256
where k.kind = 'failure'
union all
-- what conflicts with a report is in the list of documents alone
select k.document_no, true, min(d.report), '', 0, 0, true
from stage_keys k
join documents d on d.sha256 = k.sha256
where d.outcome = 'conflict'
group by k.document_no
order by document_no, by_bytes
