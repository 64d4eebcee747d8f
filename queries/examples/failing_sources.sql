-- failing_sources: who sends mail in your name that fails DMARC, in the 30 days before the newest report. One row per (domain, source_ip).
select
    domain,
    source_ip,
    coalesce(max(sender), 'not identified') as sender,
    sum(messages) as failing,
    string_agg(distinct category, ', ' order by category) as categories,
    string_agg(distinct fail_cause, ', ' order by fail_cause) as causes,
    max(day) as last_day
from records
where not dmarc_pass
    and day > (select max(day) from daily) - 30
group by domain, source_ip
order by failing desc, domain, source_ip
limit 50
