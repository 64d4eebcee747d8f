-- alert_policies: the policies that reporters saw around the day of an alert about one. One row per (alert, day, reporter, report).
-- params: $alerts VARCHAR[]
-- panel: page=alert title="Policies in reports" chart=table columns=day,reporter,report,p,sp,adkim,aspf,pct,testing order=50
with asked as (
    select id as alert, domain, first_day - 3 as since, last_day + 3 as until
    from alerts
    where id in (select unnest($alerts::varchar[]))
        and rule = 'policy_changed'
)
select
    alert,
    reports.day,
    org_domain as reporter,
    reports.id as report,
    p,
    sp,
    adkim,
    aspf,
    pct,
    testing
from asked
join reports on reports.domain = asked.domain
where reports.day between since and until
qualify row_number() over (partition by alert order by reports.day, reports.messages desc, reports.id) <= 100
order by alert, day, reporter, report
