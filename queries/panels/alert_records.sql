-- alert_records: the records with most messages behind an alert, those that fail first, with the reports that they are in. One row per (alert, report, record_no).
-- params: $alerts VARCHAR[]
-- panel: page=alert title="Records behind it" chart=table columns=day,reporter,report,source_ip,messages,disposition,category,fail_cause,dkim,spf order=30
with asked as (
    select id as alert, domain, subject, first_day, last_day
    from alerts
    where id in (select unnest($alerts::varchar[]))
),
concerned as (
    select asked.alert, records.*
    from asked
    join records on records.domain = asked.domain
        and records.source_ip is not distinct from nullif(asked.subject, 'no usable address')
    where day between first_day and last_day
    union all
    select asked.alert, records.*
    from asked
    join records on records.domain = asked.domain and records.sender = asked.subject
    where day between first_day and last_day
    union all
    select asked.alert, records.*
    from asked
    join records on records.domain = asked.domain and asked.subject = asked.domain
    where day between first_day and last_day and not dmarc_pass
),
most as (
    select *
    from concerned
    qualify row_number() over (partition by alert order by dmarc_pass, messages desc, report, record_no) <= 100
)
select
    alert,
    record_no,
    most.day,
    reports.org_domain as reporter,
    most.report,
    source_ip,
    most.messages,
    disposition,
    category,
    fail_cause,
    list_transform(most.dkim, lambda x: concat_ws(' ', x.domain, x.selector, x.result)) as dkim,
    list_transform(most.spf, lambda x: concat_ws(' ', x.domain, x.result)) as spf
from most
-- those of the domains alone: the database would make ready to join all of them
join (select id, org_domain from reports where domain in (select domain from asked)) reports on reports.id = most.report
order by alert, fail_cause nulls last, messages desc, report, record_no
