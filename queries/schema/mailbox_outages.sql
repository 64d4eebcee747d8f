-- mailbox_outages: times in which a mailbox could not be read, from the ledger. One row per (inbox, since_utc).
create table mailbox_outages (
    inbox varchar not null, -- name of the configured inbox
    since_utc timestamp not null, -- when it was last read before, or when this was noted, UTC
    until_utc timestamp, -- when it could be read again, UTC; null while it cannot
    last_utc timestamp not null, -- when it was last found that it cannot, UTC
    error varchar not null, -- what the server said, or what kept it from being asked
    needs_a_person boolean not null -- trying again is of no use until a person mends something
)
