-- renamed_records: the records of renamed addresses, as objects. One row per (load_key, record_no).
select p.load_key,
    to_json({
        'record_no': r.record_no, 'source_ip': r.source_ip, 'messages': r.messages, 'disposition': r.disposition,
        'dkim_aligned': r.dkim_aligned, 'spf_aligned': r.spf_aligned, 'header_from': r.header_from,
        'reasons': r.reasons, 'dkim': r.dkim, 'spf': r.spf
    })::varchar as record
from records r
semi join stage_renamed n on n.source_ip = r.source_ip
join stage_reports p on p.report = r.report
order by p.load_key, r.record_no
