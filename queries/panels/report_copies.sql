-- report_copies: duplicates of one report, and documents in conflict with it. One row per (item_no, path).
-- params: $report VARCHAR
-- panel: page=report title="Duplicates and conflicts" chart=table order=50
select
    documents.item_no,
    documents.path,
    documents.outcome,
    documents.code,
    documents.detail,
    items.file_name,
    items.mail_from,
    documents.sha256
from documents
left join items using (item_no)
where documents.report = $report
    and documents.outcome in ('duplicate', 'conflict')
order by item_no, path
limit 200
