-- overview_daily: messages per day of the last 30 and their categories. One row per (day).
-- params: $as_of DATE
-- panel: page=overview title="Messages per day" chart=stacked x=day y=passed,failed columns=day,passed,failed about="Messages per day of the last 30, passed and failed." order=20
-- panel: page=overview title="Categories per day" chart=stacked x=day y=compliant,forwarded_pass,forwarded_fail,misconfigured,known_unapproved,unknown,threat columns=day,compliant,forwarded_pass,forwarded_fail,misconfigured,known_unapproved,unknown,threat about="Messages per day of the last 30 by the category of their record. Unknown: from nobody known by name, passes for another domain. Threat: from nobody known by name, and nothing vouches for it. Neither proves ill will." order=30
with volume as (
    select day, sum(columns(* exclude (domain, day))) as '\0'
    from daily
    where day >= $as_of - 30
        and day < $as_of
    group by day
),
-- Days without mail are zeros, so that the axis is even; without any mail there is nothing to draw.
days as (
    select $as_of + i::integer as day
    from range(-30, 0) as t(i)
    where exists (from volume)
)
select
    day,
    coalesce(passed, 0) as passed,
    coalesce(messages - passed, 0) as failed,
    coalesce(columns([
        'compliant', 'forwarded_pass', 'forwarded_fail', 'misconfigured', 'known_unapproved', 'unknown', 'threat'
    ]), 0)
from days
left join volume using (day)
order by day
