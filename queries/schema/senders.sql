-- senders: named senders: well-known services, and known_senders of the configuration. One row per (sender).
create table senders (
    sender varchar not null, -- identifier: of a service, or the name in the configuration
    name varchar not null, -- name for people
    kind varchar not null, -- mailbox, host, transactional, marketing, crm, ticketing, saas, finance, relay, gateway or forwarder; configured for a sender of the configuration
    approved_for varchar[] not null, -- policy domains it may send for, those below included
    networks varchar[] not null, -- its addresses in CIDR notation
    dkim_domains varchar[] not null, -- domains of its own DKIM signatures; # is one digit
    dkim_selectors varchar[] not null, -- selectors that it alone uses in signatures for others; # is one digit, * is anything
    spf_domains varchar[] not null, -- domains of its return paths; # is one digit
    ptr_domains varchar[] not null, -- domains of the names of its hosts; # is one digit
    spf_include varchar[] not null, -- what its customers include into their SPF record
    aligns_spf varchar, -- whether SPF can align with the domain of a customer: yes, partial or no; null where unknown
    aligns_dkim varchar, -- whether DKIM can: yes, partial or no; null where unknown
    rides_on varchar[] not null, -- services that carry its mail
    aligned_dkim boolean not null -- an aligned DKIM pass for a domain that it is approved for is evidence of it
)
