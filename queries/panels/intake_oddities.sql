-- intake_oddities: what was forgiven while reading, by reporter. One row per (code, reporter).
-- panel: page=intake title="Oddities forgiven" chart=table order=30
with found as (
    select org_domain as reporter, day, unnest(list_distinct([o.code for o in oddities])) as code
    from reports
    where len(oddities) > 0
)
select
    code,
    reporter,
    count(*) as reports,
    min(day) as first_day,
    max(day) as last_day
from found
group by all
order by reports desc, code, reporter
limit 200
