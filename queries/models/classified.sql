-- classified: category and cause of failure of each staged record that counts. One row per (load_key, record_no).
insert into stage_classified
with facts as (
    select r.load_key, r.record_no, r.address_key, r.messages,
        r.disposition, r.dkim_aligned, r.spf_aligned, r.dkim_aligned or r.spf_aligned as dmarc_pass, k.sender, k.carrier,
        coalesce(k.is_approved, false) as is_approved, coalesce(k.is_forwarder, false) as is_forwarder,
        coalesce(k.sends_for_others, false) as sends_for_others,
        r.has_dkim_pass, r.has_spf_pass, r.is_own_signature_broken, r.is_forward_reported,
        -- a sample is not an override
        r.is_sampled_out or coalesce(p.pct, 100) < 100 as is_sampled,
        case when r.header_from = p.domain then p.p else coalesce(p.sp, p.p) end as published,
        case
            when coalesce(p.testing, false) and published = 'reject' then 'quarantine'
            when coalesce(p.testing, false) and published = 'quarantine' then 'none'
            else published
        end as requested
    from stage_records r
    join (
        select stage_reports.*, coalesce(scope, 0) as scope, coalesce(len(own), 0) > 0 as has_own
        from stage_reports left join stage_scopes using (domain)
    ) p using (load_key)
    left join stage_addresses a using (address_key)
    left join stage_senders k
        on k.evidence_key = r.evidence_key and k.place = coalesce(a.place, 0) and k.scope = p.scope
        and k.is_own = (r.dkim_aligned and p.has_own)
), forwards as (
    select *,
        is_forward_reported or is_forwarder
        -- DKIM survived, SPF did not, and the source is not one of the domain's own senders
        or (dkim_aligned and not spf_aligned and not is_approved and not sends_for_others) as is_forward
    from facts
)
select load_key, record_no, address_key, messages, disposition, dkim_aligned, spf_aligned, dmarc_pass, sender,
    carrier,
    case
        when dmarc_pass and is_forward then 'forwarded_pass'::category
        when dmarc_pass then 'compliant'::category
        when is_forward then 'forwarded_fail'::category
        when is_approved then 'misconfigured'::category
        when sender is not null then 'known_unapproved'::category
        when has_spf_pass or has_dkim_pass then 'unknown'::category
        else 'threat'::category
    end as category,
    case
        when dmarc_pass then null
        when has_dkim_pass and has_spf_pass then 'both_pass_none_aligned'::fail_cause
        when has_dkim_pass then 'dkim_pass_unaligned'::fail_cause
        when has_spf_pass then 'spf_pass_unaligned'::fail_cause
        when is_own_signature_broken then 'own_signature_broken'::fail_cause
        else 'no_authentication'::fail_cause
    end as fail_cause,
    coalesce(not dmarc_pass and not is_sampled and coalesce(disposition, 'none') <> requested, false) as overridden
from forwards
