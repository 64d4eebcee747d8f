-- domain_senders: what each recognised sender sent for each domain, over all time. One row per (domain, sender).
create table domain_senders (
    domain varchar not null, -- policy domain
    sender varchar not null, -- sender
    first_day date not null, -- first UTC day it was reported, also where that report is gone
    last_day date not null, -- last UTC day it was reported
    messages bigint not null, -- messages
    passed bigint not null, -- messages that pass DMARC
    dkim_aligned bigint not null, -- messages with an aligned DKIM pass
    spf_aligned bigint not null, -- messages with an aligned SPF pass
    compliant bigint not null, -- messages of category compliant
    forwarded_pass bigint not null, -- messages of category forwarded_pass
    forwarded_fail bigint not null, -- messages of category forwarded_fail
    misconfigured bigint not null, -- messages of category misconfigured
    known_unapproved bigint not null, -- messages of category known_unapproved
    unknown bigint not null, -- messages of category unknown
    threat bigint not null -- messages of category threat
)
