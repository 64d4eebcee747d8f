-- alert_days: days on which the rules found something: the evidence of alerts. One row per (rule, domain, subject, day).
create table alert_days (
    rule varchar not null, -- name of the query in queries/alerts
    domain varchar, -- policy domain; null for a finding about the whole
    subject varchar not null, -- what it is about: an address, a sender, a reporter
    day date not null, -- UTC day
    severity varchar not null, -- info, warning or critical
    messages bigint not null, -- messages concerned; 0 where none are
    ended_day date, -- day from which it is over; null where the rule cannot tell
    facts json not null -- what else the rule says
)
