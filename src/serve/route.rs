//! A request path -> what it asks for. Pure: the manifest decides later whether a file of that name exists.

use percent_encoding::percent_decode_str;

use super::alert_desk::AlertForm;
use super::auth::Door;
use super::desk::Kind;
use super::settings::ReportForm;
use crate::model::alert::Action;

/// What a path asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Route {
    /// Another address, absolute path.
    Redirect(String),
    /// `/health`
    Health,
    /// `/api/status`
    Status,
    /// A published file, by its path in the manifest.
    File(String),
    /// Published homepage JSON, to be completed.
    Homepage(String),
    /// A report: its published file, or made on request.
    Report {
        /// Path in the manifest.
        file: String,
        /// 32 lower-case hex digits.
        id: String,
        /// Page or JSON.
        form: ReportForm,
    },
    /// All alerts: `/alerts`, `/api/alerts`.
    Alerts(AlertForm),
    /// One alert: `/alerts/{id}`, `/api/alerts/{id}`.
    Alert {
        /// 32 lower-case hex digits.
        id: String,
        /// Page or JSON.
        form: AlertForm,
    },
    /// `/api/alerts/{id}/ack`, `…/resolve` and `…/reopen`: does something with an alert.
    Act {
        /// 32 lower-case hex digits.
        id: String,
        /// What.
        action: Action,
    },
    /// `/inboxes`
    Inboxes,
    /// `/metrics`
    Metrics,
    /// `/api/admin/import-jobs`
    Jobs,
    /// `/api/admin/import-jobs/{id}`
    Job(String),
    /// `/api/admin/import-jobs/process-now` and `…/backlog`: asks for a job.
    Ask(Kind),
    /// Nothing that could exist.
    Unknown,
}

/// A route and how it is spoken of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Routed {
    pub(crate) route: Route,
    /// Whether errors are JSON.
    pub(crate) is_api: bool,
    /// The path without what it names, for the log.
    pub(crate) shape: &'static str,
}

impl Routed {
    /// The credentials it takes.
    pub(crate) fn door(&self) -> Door {
        match self.route {
            Route::Health => Door::Public,
            Route::Homepage(_) | Route::Metrics => Door::Homepage,
            _ => Door::Dashboard,
        }
    }

    /// Whether it is asked for with POST, and with nothing else.
    pub(crate) fn is_action(&self) -> bool {
        matches!(self.route, Route::Ask(_) | Route::Act { .. })
    }
}

/// Reads the path of a request below `base` (`""` or `/prefix`). Decodes `%XX` exactly once.
pub(crate) fn route(path: &str, base: &str) -> Routed {
    let unknown = |is_api| Routed {
        route: Route::Unknown,
        is_api,
        shape: "other",
    };
    if path == "/health" {
        // Also outside the prefix: who checks a container's health knows nothing of the proxy before it.
        return Routed {
            route: Route::Health,
            is_api: true,
            shape: "/health",
        };
    }
    let Some(below) = path
        .strip_prefix(base)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    else {
        return unknown(false);
    };
    if below.is_empty() || below == "/" {
        return Routed {
            route: Route::Redirect(format!("{base}/overview")),
            is_api: false,
            shape: "/",
        };
    }
    let is_api = below == "/api" || below.starts_with("/api/");
    match segments(&below[1..]) {
        Some(parts) => {
            let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
            Routed {
                route: of_parts(&parts),
                is_api,
                shape: shape_of(&parts),
            }
        }
        None => unknown(is_api),
    }
}

fn of_parts(parts: &[&str]) -> Route {
    match parts {
        ["health"] => Route::Health,
        ["api", "status"] => Route::Status,
        ["api", "homepage"] => Route::Homepage("site/api/homepage.json".into()),
        ["api", "homepage", domain] => Route::Homepage(format!(
            "site/api/homepage/{}.json",
            domain.to_ascii_lowercase()
        )),
        ["alerts"] => Route::Alerts(AlertForm::Page),
        ["api", "alerts"] => Route::Alerts(AlertForm::Json),
        ["alerts", id] if is_report_id(id) => Route::Alert {
            id: id.to_string(),
            form: AlertForm::Page,
        },
        ["api", "alerts", id] if is_report_id(id) => Route::Alert {
            id: id.to_string(),
            form: AlertForm::Json,
        },
        ["api", "alerts", id, word] if is_report_id(id) => act(id, word),
        ["inboxes"] => Route::Inboxes,
        ["metrics"] => Route::Metrics,
        ["api", "admin", "import-jobs"] => Route::Jobs,
        ["api", "admin", "import-jobs", "process-now"] => Route::Ask(Kind::ProcessNow),
        ["api", "admin", "import-jobs", "backlog"] => Route::Ask(Kind::Backlog),
        ["api", "admin", "import-jobs", id] => Route::Job(id.to_string()),
        ["reports", id] if is_report_id(id) => Route::Report {
            file: format!("site/reports/{id}.html"),
            id: id.to_string(),
            form: ReportForm::Page,
        },
        ["api", "reports", id] if is_report_id(id) => Route::Report {
            file: format!("site/api/reports/{id}.json"),
            id: id.to_string(),
            form: ReportForm::Json,
        },
        ["domains", domain] => {
            Route::File(format!("site/domains/{}.html", domain.to_ascii_lowercase()))
        }
        ["api", "domains", domain, what] => Route::File(format!(
            "site/api/domains/{}/{what}.json",
            domain.to_ascii_lowercase()
        )),
        ["assets", ..] | ["queries", ..] | ["favicon.ico"] => {
            Route::File(format!("site/{}", parts.join("/")))
        }
        ["api", .., last] if last.ends_with(".json") => {
            Route::File(format!("site/{}", parts.join("/")))
        }
        ["api", ..] => Route::File(format!("site/{}.json", parts.join("/"))),
        _ => Route::File(format!("site/{}.html", parts.join("/"))),
    }
}

fn act(id: &str, word: &str) -> Route {
    let action = Action::ALL.into_iter().find(|known| known.as_str() == word);
    action.map_or(Route::Unknown, |action| Route::Act {
        id: id.to_owned(),
        action,
    })
}

/// The decoded parts of a path, `None` where one of them could mean another folder or nothing at all.
fn segments(path: &str) -> Option<Vec<String>> {
    path.split('/')
        .map(|raw| {
            let part = percent_decode_str(raw).decode_utf8().ok()?;
            let is_plain = !part.is_empty()
                && !part.starts_with('.')
                && !part
                    .chars()
                    .any(|c| c == '/' || c == '\\' || c.is_control());
            is_plain.then(|| part.into_owned())
        })
        .collect()
}

fn is_report_id(text: &str) -> bool {
    text.len() == 32
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn shape_of(parts: &[&str]) -> &'static str {
    match parts {
        ["overview"] => "/overview",
        ["senders"] => "/senders",
        ["sources"] => "/sources",
        ["intake"] => "/intake",
        ["health"] => "/health",
        ["inboxes"] => "/inboxes",
        ["metrics"] => "/metrics",
        ["alerts"] => "/alerts",
        ["alerts", _] => "/alerts/{id}",
        ["api", "alerts"] => "/api/alerts",
        ["api", "alerts", _] => "/api/alerts/{id}",
        ["api", "alerts", _, "ack"] => "/api/alerts/{id}/ack",
        ["api", "alerts", _, "resolve"] => "/api/alerts/{id}/resolve",
        ["api", "alerts", _, "reopen"] => "/api/alerts/{id}/reopen",
        ["domains", _] => "/domains/{domain}",
        ["reports", _] => "/reports/{id}",
        ["assets", ..] => "/assets",
        ["queries", ..] => "/queries",
        ["api", "status"] => "/api/status",
        ["api", "admin", "import-jobs"] => "/api/admin/import-jobs",
        ["api", "admin", "import-jobs", "process-now"] => "/api/admin/import-jobs/process-now",
        ["api", "admin", "import-jobs", "backlog"] => "/api/admin/import-jobs/backlog",
        ["api", "admin", "import-jobs", _] => "/api/admin/import-jobs/{id}",
        ["api", "homepage", ..] => "/api/homepage",
        ["api", "domains", ..] => "/api/domains",
        ["api", "reports", ..] => "/api/reports",
        ["api", "openapi.json"] => "/api/openapi.json",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> Route {
        Route::File(path.into())
    }

    #[test]
    fn paths_lead_to_files_of_the_manifest() {
        let id = "0123456789abcdef0123456789abcdef";
        for (path, expect) in [
            ("/", Route::Redirect("/overview".into())),
            ("/overview", file("site/overview.html")),
            ("/senders", file("site/senders.html")),
            ("/sources", file("site/sources.html")),
            ("/intake", file("site/intake.html")),
            (
                "/domains/Example.COM",
                file("site/domains/example.com.html"),
            ),
            (
                "/domains/example%2Ecom",
                file("site/domains/example.com.html"),
            ),
            ("/assets/app.css", file("site/assets/app.css")),
            (
                "/queries/panels/trend.sql",
                file("site/queries/panels/trend.sql"),
            ),
            ("/api/domains", file("site/api/domains.json")),
            (
                "/api/domains/example.com/summary",
                file("site/api/domains/example.com/summary.json"),
            ),
            ("/api/openapi.json", file("site/api/openapi.json")),
            (
                "/api/homepage",
                Route::Homepage("site/api/homepage.json".into()),
            ),
            (
                "/api/homepage/example.com",
                Route::Homepage("site/api/homepage/example.com.json".into()),
            ),
            ("/api/status", Route::Status),
            ("/health", Route::Health),
            ("/inboxes", Route::Inboxes),
            ("/metrics", Route::Metrics),
            ("/api/admin/import-jobs", Route::Jobs),
            (
                "/api/admin/import-jobs/20260101-1",
                Route::Job("20260101-1".into()),
            ),
            (
                "/api/admin/import-jobs/process-now",
                Route::Ask(Kind::ProcessNow),
            ),
            ("/api/admin/import-jobs/backlog", Route::Ask(Kind::Backlog)),
            ("/reports/UPPER", file("site/reports/UPPER.html")),
        ] {
            assert_eq!(route(path, "").route, expect, "{path}");
        }
        let Route::Report { file, .. } = route(&format!("/reports/{id}"), "").route else {
            panic!("no report")
        };
        assert_eq!(file, format!("site/reports/{id}.html"));
        let api = route(&format!("/api/reports/{id}"), "");
        assert!(
            matches!(
                api.route,
                Route::Report {
                    form: ReportForm::Json,
                    ..
                }
            ) && api.is_api
        );
    }

    #[test]
    fn no_path_leaves_the_site() {
        for path in [
            "//",
            "//overview",
            "/overview/",
            "/../manifest.json",
            "/assets/../../manifest.json",
            "/assets/%2e%2e/%2e%2e/manifest.json",
            "/assets/..%2f..%2fmanifest.json",
            "/assets/%2E%2E%5Cmanifest.json",
            "/assets/a%00.css",
            "/assets/.hidden",
            "/assets/./app.css",
            "/assets/%ff",
            "/domains/a%2Fb",
            "*",
            "",
        ] {
            let found = route(path, "").route;
            let is_refused =
                found == Route::Unknown || (path.is_empty() && matches!(found, Route::Redirect(_)));
            assert!(is_refused, "{path:?} -> {found:?}");
        }
        // Encoded twice: decoded once, and such a name is in no manifest.
        assert_eq!(
            route("/assets/%252e%252e", "").route,
            file("site/assets/%2e%2e")
        );
    }

    #[test]
    fn the_base_path_is_required_and_stripped_on_a_boundary() {
        for (path, expect) in [
            ("/dmarc", Route::Redirect("/dmarc/overview".into())),
            ("/dmarc/", Route::Redirect("/dmarc/overview".into())),
            ("/dmarc/overview", file("site/overview.html")),
            ("/dmarc/health", Route::Health),
            ("/health", Route::Health),
            ("/overview", Route::Unknown),
            ("/dmarcoverview", Route::Unknown),
            ("/", Route::Unknown),
        ] {
            assert_eq!(route(path, "/dmarc").route, expect, "{path}");
        }
        assert!(route("/dmarc/api/nothing", "/dmarc").is_api);
    }
}
