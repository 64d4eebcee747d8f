-- daily: message sums, reports of more than 26 hours split over their days by overlap. One row per (day, domain).
create table daily (
    day date not null, -- UTC day
    domain varchar not null, -- policy domain
    messages bigint not null, -- messages
    passed bigint not null, -- messages with DKIM or SPF aligned and passing
    dkim_aligned bigint not null, -- messages with an aligned DKIM pass
    spf_aligned bigint not null, -- messages with an aligned SPF pass
    both_aligned bigint not null, -- messages with both
    delivered bigint not null, -- messages with disposition none or pass
    quarantined bigint not null, -- messages with disposition quarantine
    rejected bigint not null, -- messages with disposition reject
    disposition_unknown bigint not null, -- messages whose disposition the reporter did not say
    overridden bigint not null, -- failing messages not treated as the policy asks
    compliant bigint not null, -- messages of category compliant
    forwarded_pass bigint not null, -- messages of category forwarded_pass
    forwarded_fail bigint not null, -- messages of category forwarded_fail
    misconfigured bigint not null, -- messages of category misconfigured
    known_unapproved bigint not null, -- messages of category known_unapproved
    unknown bigint not null, -- messages of category unknown
    threat bigint not null, -- messages of category threat
    both_pass_none_aligned bigint not null, -- failing messages: DKIM and SPF pass for other domains
    dkim_pass_unaligned bigint not null, -- failing messages: DKIM passes for another domain
    spf_pass_unaligned bigint not null, -- failing messages: SPF passes for another domain
    own_signature_broken bigint not null, -- failing messages: an aligned signature does not verify
    no_authentication bigint not null -- failing messages: nothing passes
)
