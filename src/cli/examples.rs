//! What `--help` of each command shows at its end.

pub(super) const PARSE_EXAMPLES: &str = "Examples:
  sentinel parse mail.eml
  sentinel parse reports/ --format csv > records.csv
  sentinel parse - < report.xml.gz";
pub(super) const INGEST_EXAMPLES: &str = "Examples:
  sentinel ingest ~/reports ~/Maildir archive.mbox
  sentinel --data-dir /srv/dmarc ingest report.zip
  zcat reports.tar.gz | sentinel ingest -";
pub(super) const REBUILD_EXAMPLES: &str = "Examples:
  sentinel rebuild
  sentinel rebuild --diff";
pub(super) const VERIFY_EXAMPLES: &str = "Examples:
  sentinel verify
  sentinel --data-dir /srv/dmarc verify";
pub(super) const QUERY_EXAMPLES: &str = "Examples:
  sentinel query --list
  sentinel query 'select domain, sum(messages) from daily group by domain order by domain'
  sentinel query domain_sources --param domain=example.com --format json";
pub(super) const DEMO_EXAMPLES: &str = "Examples:
  sentinel demo --serve
  sentinel demo --reports 500 --days 30 --end 2026-03-09 --seed 7";
pub(super) const SERVE_EXAMPLES: &str = "Examples:
  DASHBOARD_USERNAME=me DASHBOARD_PASSWORD=secret sentinel serve
  sentinel serve --listen 127.0.0.1:8080";
