-- reclassified_records: the records, as they are classified now. One row per (report, record_no).
update records
set sender = n.sender, carrier = n.carrier, category = n.category
from stage_reclassified n
where records.report = n.report and records.record_no = n.record_no
