-- alert_actions: what people did with alerts, from the ledger. One row per (seq).
create table alert_actions (
    seq bigint not null, -- number of the ledger's line
    alert varchar not null, -- id of the alert
    at_utc timestamp not null, -- when, UTC
    action varchar not null, -- ack, resolve or reopen
    severity varchar not null, -- how grave the alert was
    last_day date not null, -- last day of its evidence at that time
    note varchar -- what the person had to say; null where nothing
)
