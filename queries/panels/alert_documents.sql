-- alert_documents: the newest documents that were refused as an alert says. One row per (alert, item_no, path).
-- params: $alerts VARCHAR[]
-- panel: page=alert title="Documents" chart=table columns=day,item_no,mail_from,subject,file_name,path,detail order=50
with asked as (
    select id as alert, subject as code, first_day, last_day
    from alerts
    where id in (select unnest($alerts::varchar[]))
        and rule = 'intake_refusals'
),
refused as (
    select
        coalesce(code, 'refused') as code,
        least(coalesce(mail_date_utc, received_utc), received_utc)::date as day,
        item_no,
        mail_from,
        subject,
        file_name,
        path,
        detail
    from documents
    join items using (item_no)
    where outcome = 'refused'
)
select
    alert,
    day,
    item_no,
    mail_from,
    refused.subject,
    file_name,
    path,
    detail
from asked
join refused using (code)
where day between first_day and last_day
qualify row_number() over (partition by alert order by item_no desc, path) <= 50
order by alert, item_no desc, path
