-- mailbox_outages: times in which a mailbox could not be read, from the ledger. One row per (inbox, since_utc).
create table mailbox_outages (
    inbox varchar not null, -- name of the configured inbox
    since_utc timestamp not null, -- when it was last read before, or when this was noted, UTC
    until_utc timestamp, -- when it could be read again, UTC; null while it cannot
    error varchar not null -- what the server said, or what kept it from being asked
)
