-- intake_items: the newest 50 items and what was found in them. One row per (item_no).
-- panel: page=intake title="Newest items" chart=table order=50
with newest as (
    select item_no, kind, source, inbox, folder, file_name, mail_from, subject, mail_date_utc, bytes
    from items
    order by item_no desc
    limit 50
),
read as (
    select
        item_no,
        count(*) as documents,
        string_agg(distinct outcome, ', ' order by outcome) as outcomes
    from documents
    where item_no in (select item_no from newest)
    group by item_no
)
select
    newest.item_no,
    newest.kind,
    read.outcomes,
    coalesce(read.documents, 0) as documents,
    newest.bytes,
    newest.mail_from,
    newest.subject,
    newest.mail_date_utc,
    newest.file_name,
    newest.source,
    newest.inbox,
    newest.folder
from newest
left join read using (item_no)
order by item_no desc
