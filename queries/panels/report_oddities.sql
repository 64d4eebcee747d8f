-- report_oddities: what was forgiven while reading one report. One row per (place).
-- params: $report VARCHAR
-- panel: page=report title="Oddities forgiven" chart=table order=40
with found as (
    select unnest(range(1, len(oddities) + 1)) as place, oddities
    from reports
    where id = $report
)
select place, oddities[place].code as code, oddities[place].detail as detail
from found
order by place
